import type { EpochMs } from '../units/time.ts';

/** How far something long has come, on one line of a terminal. */
export type Progress = {
  /** `done` of the whole, in whatever unit; `words` say what was done. Cheap: most calls draw nothing. */
  at(done: number, words: string): void;
  /** Takes the line away. */
  end(): void;
};

export type ProgressOptions = {
  /** Undefined: nobody is looking, and nothing is drawn. */
  readonly draw: ((text: string) => void) | undefined;
  readonly whole: number;
  /** What one of `done` is called: `files`. */
  readonly unit: string;
  readonly now: () => EpochMs;
};

const BETWEEN_DRAWINGS_MS = 100;
const BAR_CHARS = 24;
const TO_LINE_START = '\r\u{1B}[K';

export function createProgress({ draw, whole, unit, now }: ProgressOptions): Progress {
  const startedAt = now();
  let drawnAt: number | undefined;
  return {
    at(done, words) {
      if (draw === undefined || (drawnAt !== undefined && now() - drawnAt < BETWEEN_DRAWINGS_MS)) return;
      drawnAt = now();
      draw(`${TO_LINE_START}${progressLine({ done, whole, unit, elapsedMs: drawnAt - startedAt, words })}`);
    },
    end() {
      if (drawnAt !== undefined) draw?.(TO_LINE_START);
    },
  };
}

export function progressLine(state: {
  readonly done: number;
  readonly whole: number;
  readonly unit: string;
  readonly elapsedMs: number;
  readonly words: string;
}): string {
  const { done, whole, unit, elapsedMs, words } = state;
  const part = whole === 0 ? 1 : Math.min(1, done / whole);
  const filled = Math.round(part * BAR_CHARS);
  const bar = `[${'#'.repeat(filled)}${' '.repeat(BAR_CHARS - filled)}]`;
  const perSecond = elapsedMs === 0 ? 0 : (done * 1000) / elapsedMs;
  const left = perSecond === 0 ? '' : `, ${duration((whole - done) / perSecond)} left`;
  return `${bar} ${Math.floor(part * 100)} %  ${words}, ${Math.round(perSecond)} ${unit} a second${left}`;
}

function duration(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 60) return `${whole} s`;
  return whole < 3600 ? `${Math.ceil(whole / 60)} min` : `${Math.ceil(whole / 3600)} h`;
}
