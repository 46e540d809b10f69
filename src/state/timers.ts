/** Timers as an argument, so that tests bring their own time. */
export type Timers = {
  /** Calls back once after the delay; returns the way to call it off. */
  after(delayMs: number, callback: () => void): () => void;
  /** Calls back again and again; returns the way to stop. */
  every(intervalMs: number, callback: () => void): () => void;
};
