import type { EventBus } from './event-bus.ts';
import type { Faults } from './faults.ts';
import type { Kernel } from './thread.ts';

export type Task = {
  readonly id: number;
  readonly description: string;
  readonly group: string;
  /** Whole seconds since 1970 of FreeSWITCH's clock. */
  readonly runtimeSeconds: number;
  readonly run: () => void;
};

const LOOP_MS = 500;

/**
 * FreeSWITCH's task thread. Its unit is the whole epoch second and it looks twice a second, so `+N` fires
 * between N−1 and N+0.5 s after it was asked for. Nothing replaces anything; a time in the past is taken for a
 * repeat interval and never comes.
 */
export class Scheduler {
  readonly #kernel: Kernel;
  readonly #bus: EventBus;
  readonly #faults: Faults;
  readonly #nowMicros: () => number;
  readonly #phaseMs: number;
  readonly #tasks = new Map<number, Task>();
  readonly #groups = new Map<string, Set<number>>();
  /** One timer per loop pass that has work, not one per task: 10,000 calls are armed at a time. */
  readonly #passes = new Map<number, number[]>();
  // The first ids belong to FreeSWITCH's own tasks (10: the first free one was 4).
  #lastId = 3;

  constructor(facts: {
    readonly kernel: Kernel;
    readonly bus: EventBus;
    readonly faults: Faults;
    readonly nowMicros: () => number;
    /** Where in the half second the loop wakes: the whole of the jitter, fixed so that a run can be repeated. */
    readonly phaseMs: number;
  }) {
    this.#kernel = facts.kernel;
    this.#bus = facts.bus;
    this.#faults = facts.faults;
    this.#nowMicros = facts.nowMicros;
    this.#phaseMs = facts.phaseMs;
  }

  /** `+N` in seconds from now, or an absolute epoch second. */
  add(when: string, description: string, group: string, run: () => void): number {
    const nowSeconds = Math.floor(this.#nowMicros() / 1_000_000);
    const isRelative = when.startsWith('+');
    const seconds = Number.parseInt(isRelative ? when.slice(1) : when, 10) || 0;
    const runtimeSeconds = isRelative ? nowSeconds + seconds : seconds;
    const id = (this.#lastId += 1);
    const task: Task = { id, description, group, runtimeSeconds, run };
    this.#tasks.set(id, task);
    const members = this.#groups.get(group) ?? new Set();
    this.#groups.set(group, members.add(id));
    this.#fire('ADD_SCHEDULE', task);
    if (runtimeSeconds >= nowSeconds) this.#plan(task);
    return id;
  }

  /** Digits are an id, anything else a group. Answers how many went. */
  delete(idOrGroup: string): number {
    if (/^\d+$/.test(idOrGroup)) {
      const task = this.#tasks.get(Number(idOrGroup));
      if (task === undefined) return 0;
      this.#remove(task);
      return 1;
    }
    const ids = [...(this.#groups.get(idOrGroup) ?? [])];
    for (const id of ids) {
      const task = this.#tasks.get(id);
      if (task !== undefined) this.#remove(task);
    }
    return ids.length;
  }

  tasks(): readonly Task[] {
    return [...this.#tasks.values()];
  }

  #plan(task: Task): void {
    const nowMs = this.#nowMicros() / 1000;
    const dueMs = task.runtimeSeconds * 1000;
    // A task due in this very second runs at once: adding it wakes the loop.
    const passMs =
      dueMs <= nowMs ? nowMs : Math.ceil((dueMs - this.#phaseMs) / LOOP_MS) * LOOP_MS + this.#phaseMs;
    const waiting = this.#passes.get(passMs);
    if (waiting !== undefined) {
      waiting.push(task.id);
      return;
    }
    const ids = [task.id];
    this.#passes.set(passMs, ids);
    this.#kernel.after(passMs - nowMs + this.#faults.schedulerLateMs, () => {
      this.#passes.delete(passMs);
      for (const id of ids) this.#execute(id);
    });
  }

  #execute(id: number): void {
    const task = this.#tasks.get(id);
    if (task === undefined) return;
    task.run();
    if (this.#tasks.has(id)) this.#remove(task);
  }

  #remove(task: Task): void {
    this.#tasks.delete(task.id);
    const members = this.#groups.get(task.group);
    members?.delete(task.id);
    if (members?.size === 0) this.#groups.delete(task.group);
    this.#fire('DEL_SCHEDULE', task);
  }

  #fire(name: string, task: Task): void {
    this.#bus.fire(name, () => [
      ['Task-ID', String(task.id)],
      ['Task-Desc', task.description],
      ['Task-Group', task.group],
      ['Task-Runtime', String(task.runtimeSeconds)],
    ]);
  }
}
