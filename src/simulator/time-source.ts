/** A timer that has been set and may still be called off. */
export type Alarm = { cancel(): void };

/** Where the simulator gets its time from. Nothing in this room reads a clock or sets a timer by other means. */
export type TimeSource = {
  /** Microseconds since 1970, as FreeSWITCH counts them. */
  nowMicros(): number;
  after(delayMs: number, action: () => void): Alarm;
};

/** Time that stands still until a test moves it. */
export type VirtualTime = TimeSource & {
  /** Runs everything due within the span, in order; each action sees its own due time as now. */
  advance(spanMs: number): void;
  readonly pendingCount: number;
};

export function createRealTime(): TimeSource {
  return {
    nowMicros: () => Math.floor((performance.timeOrigin + performance.now()) * 1000),
    after(delayMs, action) {
      const timer = setTimeout(action, delayMs);
      return { cancel: () => clearTimeout(timer) };
    },
  };
}

/** `action` is cleared when it has run or was called off; the heap drops such entries when they come up. */
type Entry = { readonly dueMicros: number; readonly order: number; action: (() => void) | undefined };

export function createVirtualTime(startMs: number = Date.UTC(2026, 0, 1)): VirtualTime {
  const heap: Entry[] = [];
  let nowMicros = startMs * 1000;
  let order = 0;
  let pendingCount = 0;

  return {
    nowMicros: () => nowMicros,
    after(delayMs, action) {
      const dueMicros = nowMicros + Math.max(0, Math.round(delayMs * 1000));
      const entry: Entry = { dueMicros, order: (order += 1), action };
      pendingCount += 1;
      push(heap, entry);
      return {
        cancel() {
          if (entry.action === undefined) return;
          entry.action = undefined;
          pendingCount -= 1;
        },
      };
    },
    advance(spanMs) {
      const untilMicros = nowMicros + Math.round(spanMs * 1000);
      for (;;) {
        const next = heap[0];
        if (next === undefined || next.dueMicros > untilMicros) break;
        pop(heap);
        const action = next.action;
        if (action === undefined) continue;
        next.action = undefined;
        pendingCount -= 1;
        nowMicros = next.dueMicros;
        action();
      }
      nowMicros = untilMicros;
    },
    get pendingCount() {
      return pendingCount;
    },
  };
}

function isBefore(left: Entry, right: Entry): boolean {
  return left.dueMicros < right.dueMicros || (left.dueMicros === right.dueMicros && left.order < right.order);
}

function push(heap: Entry[], entry: Entry): void {
  let index = heap.push(entry) - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || isBefore(above, entry)) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = entry;
}

function pop(heap: Entry[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let index = 0;
  for (;;) {
    const left = heap[index * 2 + 1];
    const right = heap[index * 2 + 2];
    const leftFirst = left !== undefined && (right === undefined || isBefore(left, right));
    const child = leftFirst ? left : right;
    if (child === undefined || isBefore(last, child)) break;
    heap[index] = child;
    index = index * 2 + (leftFirst ? 1 : 2);
  }
  heap[index] = last;
}
