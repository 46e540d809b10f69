import type { Alarm, TimeSource } from './time-source.ts';

/** What a script yields: it sleeps until somebody wakes it, or for at most so long. */
export type Pause = { readonly forMs: number | undefined };

/**
 * One FreeSWITCH thread (a session, a connection, a background job) as a generator. Everything between two
 * pauses is atomic, so the simulator needs no locks and a run under virtual time is repeatable.
 */
export type Script<T = void> = Generator<Pause, T, void>;

/** Runs scripts one after another. Whoever comes from outside (timer, socket, test) enters through `run`. */
export class Kernel {
  readonly #time: TimeSource;
  readonly #ready: Thread[] = [];
  readonly #alarms = new Set<Alarm>();
  /** The thread that is running now, for scripts that want to be woken by something. */
  current: Thread | undefined;
  #depth = 0;
  #stopped = false;

  constructor(time: TimeSource) {
    this.#time = time;
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  run<T>(action: () => T): T {
    this.#depth += 1;
    try {
      return action();
    } finally {
      if (this.#depth === 1) this.#drain();
      this.#depth -= 1;
    }
  }

  after(delayMs: number, action: () => void): Alarm {
    if (this.#stopped) return { cancel: () => undefined };
    const alarm = this.#time.after(delayMs, () => {
      this.#alarms.delete(alarm);
      this.run(action);
    });
    const handle = {
      cancel: () => {
        this.#alarms.delete(alarm);
        alarm.cancel();
      },
    };
    this.#alarms.add(alarm);
    return handle;
  }

  nowMicros(): number {
    return this.#time.nowMicros();
  }

  spawn(script: Script): Thread {
    const thread = new Thread(this, script);
    thread.wake();
    return thread;
  }

  enqueue(thread: Thread): void {
    if (!this.#stopped) this.#ready.push(thread);
  }

  /** A killed FreeSWITCH runs nothing more, and leaves no timer behind. */
  stop(): void {
    this.#stopped = true;
    this.#ready.length = 0;
    for (const alarm of this.#alarms) alarm.cancel();
    this.#alarms.clear();
  }

  #drain(): void {
    for (let index = 0; index < this.#ready.length; index += 1) this.#ready[index]?.resume();
    this.#ready.length = 0;
  }
}

export class Thread {
  readonly #kernel: Kernel;
  readonly #script: Script;
  #state: 'waiting' | 'queued' | 'running' | 'ended' = 'waiting';
  #wokenWhileRunning = false;
  #alarm: Alarm | undefined;

  constructor(kernel: Kernel, script: Script) {
    this.#kernel = kernel;
    this.#script = script;
  }

  /** Others notice a change only at their next round, some 20 ms later; hence the delay. */
  wake(delayMs = 0): void {
    if (this.#state === 'ended') return;
    if (delayMs > 0) this.#kernel.after(delayMs, () => this.wake());
    else if (this.#state === 'running') this.#wokenWhileRunning = true;
    else this.#queue();
  }

  resume(): void {
    if (this.#state !== 'queued') return;
    this.#alarm?.cancel();
    this.#alarm = undefined;
    this.#state = 'running';
    this.#wokenWhileRunning = false;
    this.#kernel.current = this;
    const step = this.#script.next();
    this.#kernel.current = undefined;
    if (step.done === true) {
      this.#state = 'ended';
      return;
    }
    this.#state = 'waiting';
    if (this.#wokenWhileRunning) this.#queue();
    else if (step.value.forMs !== undefined) {
      this.#alarm = this.#kernel.after(step.value.forMs, () => this.#queue());
    }
  }

  #queue(): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'queued';
    this.#kernel.enqueue(this);
  }
}

/** Sleeps until the condition holds (true) or the time is over (false). Needs a wake to look again. */
export function* waitUntil(kernel: Kernel, isDone: () => boolean, timeoutMs?: number): Script<boolean> {
  const deadlineMicros = timeoutMs === undefined ? undefined : kernel.nowMicros() + timeoutMs * 1000;
  while (!isDone()) {
    if (deadlineMicros === undefined) {
      yield { forMs: undefined };
      continue;
    }
    const leftMs = (deadlineMicros - kernel.nowMicros()) / 1000;
    if (leftMs <= 0) return false;
    // Real timers may fire a fraction early; rounding up saves a second round.
    yield { forMs: Math.ceil(leftMs) };
  }
  return true;
}
