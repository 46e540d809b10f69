import type { Redis } from 'ioredis';
import { toEpochMs, type Clock, type EpochMs } from '../units/time.ts';

export type RedisClock = {
  /** Redis's time as this process estimates it; before the first sample, this host's. */
  readonly now: Clock;
  /** Half the round trip of the sample that counts: the estimate is off by no more, but for drift. */
  errorMs(): number;
  /** Resolves after the first sample. */
  ready(): Promise<void>;
  stop(): void;
};

const SAMPLE_MS = 1000;
/** Retried sooner while there is no sample yet. */
const FIRST_SAMPLE_RETRY_MS = 100;
/** Samples are kept for so long: a better one among them counts until the clocks may have drifted apart. */
const WINDOW_MS = 15_000;
/** Two quartz clocks disagree by less than this part of the time that passes; NTP may slew by as much. */
const DRIFT = 0.0005;

/** Between `sentAt` and `receivedAt` of this process's monotonic clock, Redis's clock said `redisAt`. */
type Sample = { readonly sentAt: number; readonly receivedAt: number; readonly redisAt: number };

/**
 * Asks Redis for its TIME every second and keeps the sample with the least round trip. The base is this process's
 * monotonic clock, so steps of the host's wall clock change nothing. Time stands still rather than going back by
 * an error of the estimate; only where Redis's own clock was set back does it follow.
 */
export function createRedisClock(
  redis: Pick<Redis, 'time'>,
  options: { readonly monotonicMs?: () => number; readonly sampleMs?: number } = {},
): RedisClock {
  const monotonicMs = options.monotonicMs ?? (() => performance.now());
  const sampleMs = options.sampleMs ?? SAMPLE_MS;
  const { promise: sampled, resolve: haveSampled } = Promise.withResolvers<void>();
  const hostOffset = Date.now() - monotonicMs();
  let samples: readonly Sample[] = [];
  let best: Sample | undefined;
  let lastMs = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const now = (): EpochMs => {
    const at = monotonicMs();
    const estimate = at + (best === undefined ? hostOffset : offsetOf(best));
    if (estimate > lastMs) lastMs = estimate;
    return toEpochMs(lastMs);
  };

  const accept = (sample: Sample): void => {
    const agreeing = samples.filter(
      (kept) => sample.receivedAt - kept.receivedAt < WINDOW_MS && agree(kept, sample),
    );
    // Samples bound the truth on both sides. One that cannot be true together with the newest is of a clock that
    // was set since, and time may then have to go back.
    const clockWasSet = best === undefined || !agree(best, sample);
    samples = [...agreeing, sample];
    best = samples.reduce((least, other) =>
      errorAt(other, sample.receivedAt) <= errorAt(least, sample.receivedAt) ? other : least,
    );
    if (clockWasSet) lastMs = -Infinity;
    haveSampled();
  };

  const ask = async (): Promise<void> => {
    const sentAt = monotonicMs();
    try {
      const [seconds, microseconds] = await redis.time();
      const redisAt = Number(seconds) * 1000 + Number(microseconds) / 1000;
      accept({ sentAt, receivedAt: monotonicMs(), redisAt });
    } catch {
      // Redis is away: the monotonic clock carries the last estimate on, and the next second asks again.
    }
    if (!stopped) timer = setTimeout(() => void ask(), best === undefined ? FIRST_SAMPLE_RETRY_MS : sampleMs);
  };
  void ask();

  return {
    now,
    errorMs: () => (best === undefined ? Infinity : errorAt(best, monotonicMs())),
    ready: () => sampled,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

function offsetOf(sample: Sample): number {
  return sample.redisAt - (sample.sentAt + sample.receivedAt) / 2;
}

function errorAt(sample: Sample, at: number): number {
  return (sample.receivedAt - sample.sentAt) / 2 + (at - sample.receivedAt) * DRIFT;
}

function agree(kept: Sample, newest: Sample): boolean {
  const difference = Math.abs(offsetOf(kept) - offsetOf(newest));
  return difference <= errorAt(kept, newest.receivedAt) + errorAt(newest, newest.receivedAt) + 1;
}
