import { DelayedError, Queue, Worker, type Job } from 'bullmq';
import type { CutoffHandler, CutoffSchedule } from '../credit/cutoff-schedule.ts';
import { rootOf, type PoolId } from '../units/ids.ts';
import type { Log } from '../units/log.ts';
import { addMs, toEpochMs, type Clock, type EpochMs } from '../units/time.ts';
import { createBuckets } from './buckets.ts';
import { createNearLooks } from './near-looks.ts';
import { createOutageLog } from './outage-log.ts';
import { connectProducer, connectWorker } from './queue-connection.ts';

export type CutoffQueueOptions = {
  readonly url: string;
  /** BullMQ's key prefix; several installations may share a Redis under different ones. */
  readonly prefix: string;
  /** Unique among the controllers that share the prefix. */
  readonly controllerId: string;
  /** Key of the SET of roots that have something due in that second. */
  readonly bucketKey: (second: number) => string;
  /** Redis's clock, as this process estimates it. */
  readonly clock: Clock;
  /** Every wallet that may fail to pay by then. */
  readonly dueWithin: (
    until: EpochMs,
  ) => Promise<readonly { readonly account: PoolId; readonly dueAt: EpochMs }[]>;
  readonly log: Log;
  /** How long before its second a job fires. */
  readonly earlyMs?: number;
  /** Later due times have no job yet: the next rounds over all wallets find them. */
  readonly horizonMs?: number;
  readonly rebucketMs?: number;
  readonly sweepMs?: number;
};

export type CutoffQueue = CutoffSchedule & { counts(): CutoffQueueCounts };

export type CutoffQueueCounts = {
  readonly jobsAdded: number;
  readonly rootsAdded: number;
  readonly secondsLookedAt: number;
  readonly nearLooks: number;
  readonly sweeps: number;
  /** Pairs of second and root in memory now. */
  readonly known: number;
};

const QUEUE = 'cutoff';
const EARLY_MS = 1_500;
/**
 * Two rounds may fail before a due time inside the horizon is left to the sweep. A longer horizon costs Redis a
 * bucket entry for every second a wallet's due time moves through, and most wallets never come near theirs.
 */
const HORIZON_MS = 5 * 60_000;
const REBUCKET_MS = 2 * 60_000;
const SWEEP_MS = 5_000;
/** A job may have begun so long before this process thinks it should: by another's clock, or by the host's. */
const CLOCKS_APART_MS = 500;
const START_MS_MAX = 2_000;
const CLOSE_MS_MAX = 1_000;

/** A worker that dies is noticed after lock and check: 3.0 s measured. All workers must agree on these. */
const WORKER = {
  concurrency: 20,
  lockDuration: 3_000,
  stalledInterval: 1_500,
  // A job whose worker died a thousand times is still somebody's money.
  maxStalledCount: 1_000_000,
  drainDelay: 1,
  runRetryDelay: 500,
};
const STREAMS = { events: { maxLen: 100 } };
const DONE = { removeOnComplete: true, removeOnFail: true };
/** Ten seconds of trying; by then the sweep has looked. */
const SECOND_JOB = { ...DONE, attempts: 20, backoff: { type: 'fixed', delay: 500 } };

type JobData = { readonly second?: number };

/** Delayed jobs, one for each second and controller that armed it. What they call looks at the money again. */
export function createCutoffQueue(options: CutoffQueueOptions): CutoffQueue {
  const { url, prefix, controllerId, bucketKey, clock, dueWithin, log } = options;
  const earlyMs = options.earlyMs ?? EARLY_MS;
  const horizonMs = options.horizonMs ?? HORIZON_MS;
  const sweepMs = options.sweepMs ?? SWEEP_MS;
  const counts = { jobsAdded: 0, secondsLookedAt: 0, nearLooks: 0, sweeps: 0 };
  const outage = { producer: createOutageLog(log, 'adding'), worker: createOutageLog(log, 'working') };
  const producer = connectProducer(url);
  const queue = new Queue<JobData>(QUEUE, { connection: producer, prefix, streams: STREAMS });
  const running = new Set<Promise<void>>();
  let handler: CutoffHandler | undefined;
  let worker: Worker<JobData> | undefined;
  let workerConnection: ReturnType<typeof connectWorker> | undefined;
  let watch: NodeJS.Timeout | undefined;
  let sweptAt = performance.now();
  let sweeping: Promise<void> | undefined;
  let settingUp: Promise<boolean> | undefined;
  let stopped = false;

  const near = createNearLooks(clock, async (roots, until) => {
    counts.nearLooks += 1;
    await outage.worker.attempt(async () => handler?.lookAt(roots, endOfSecond(secondOf(until))));
  });

  const firesAt = (second: number): EpochMs => toEpochMs(second * 1000 - earlyMs);

  const arm: CutoffQueue['arm'] = (account, dueAt) => {
    const now = clock();
    if (stopped || dueAt > now + horizonMs) return;
    const second = secondOf(dueAt);
    const root = rootOf(account);
    // Its job may be at work and have read the bucket, and adding an id that is active is lost.
    if (firesAt(second) <= now + CLOCKS_APART_MS) return near.add(root, dueAt);
    buckets.add(second, root);
  };

  const addJob = async (second: number): Promise<void> => {
    const delay = Math.max(0, firesAt(second) - clock());
    const jobId = `cutoff-${second}-${controllerId}`;
    await queue.add('second', { second }, { ...SECOND_JOB, jobId, delay });
    counts.jobsAdded += 1;
  };
  const buckets = createBuckets({ redis: producer, bucketKey, addJob, outage: outage.producer });

  const lookAtSecond = async (
    second: number,
    job: Job<JobData>,
    token: string | undefined,
  ): Promise<void> => {
    const waitMs = firesAt(second) - clock();
    if (waitMs > CLOCKS_APART_MS) {
      // This host's clock is ahead of Redis's: due times are Redis's.
      await job.moveToDelayed(Date.now() + waitMs, token);
      throw new DelayedError();
    }
    const roots = await buckets.rootsOf(second);
    if (roots.length === 0) return;
    counts.secondsLookedAt += 1;
    await handler?.lookAt(roots, endOfSecond(second));
    // Each controller that armed this second has a job of its own: the next one need not look again.
    await buckets.remove(second, roots);
  };

  const sweep = (): Promise<void> => {
    sweeping ??= sweepNow().finally(() => (sweeping = undefined));
    return sweeping;
  };
  const sweepNow = async (): Promise<void> => {
    sweptAt = performance.now();
    counts.sweeps += 1;
    await handler?.sweep();
  };

  const rebucket = async (): Promise<void> => {
    for (const { account, dueAt } of await dueWithin(addMs(clock(), horizonMs))) arm(account, dueAt);
  };

  const schedule = async (): Promise<void> => {
    await queue.upsertJobScheduler('sweep', { every: sweepMs }, { name: 'sweep', opts: DONE });
    const every = options.rebucketMs ?? REBUCKET_MS;
    await queue.upsertJobScheduler('rebucket', { every }, { name: 'rebucket', opts: DONE });
  };

  /** At the start and whenever Redis is back, perhaps without what it knew. */
  const setUp = (): Promise<boolean> => {
    settingUp ??= outage.producer
      .attempt(async () => {
        buckets.forgetAll();
        await schedule();
        await rebucket();
      })
      .finally(() => (settingUp = undefined));
    return settingUp;
  };

  /** The net under the net: a wall clock set back, or jobs lost with Redis, stop BullMQ but not this timer. */
  const watchOver = (): void => {
    buckets.forgetBefore(secondOf(clock()));
    if (performance.now() - sweptAt < 2 * sweepMs) return;
    void outage.worker.attempt(sweep);
    void outage.producer.attempt(schedule);
  };

  const work = (job: Job<JobData>, token?: string): Promise<void> => {
    const second = job.data.second;
    const working =
      job.name === 'sweep'
        ? sweep()
        : job.name === 'rebucket'
          ? rebucket()
          : second === undefined
            ? Promise.resolve()
            : lookAtSecond(second, job, token);
    const ended = working.then(outage.worker.worked, () => undefined).then(() => void running.delete(ended));
    running.add(ended);
    return working;
  };

  producer.on('error', outage.producer.failed);
  queue.on('error', outage.producer.failed);

  return {
    arm,
    counts: () => ({ ...counts, ...buckets.counts() }),
    async start(given) {
      handler = given;
      workerConnection = connectWorker(url);
      workerConnection.on('error', outage.worker.failed);
      worker = new Worker<JobData>(QUEUE, work, { ...WORKER, connection: workerConnection, prefix });
      worker.on('error', outage.worker.failed);
      worker.on('failed', (_, error) => outage.worker.failed(error));
      watch = setInterval(watchOver, sweepMs);
      const ready = queue.waitUntilReady().then(setUp);
      producer.on('ready', () => void setUp());
      await within(START_MS_MAX, Promise.all([ready, worker.waitUntilReady()]));
    },
    async stop(graceMs) {
      stopped = true;
      clearInterval(watch);
      const finish = async (): Promise<void> => {
        await worker?.pause(true);
        await Promise.all([...running, near.stop(), sweeping, buckets.flush()]);
      };
      const finished = await within(graceMs, finish());
      const force = !finished || workerConnection?.status !== 'ready';
      await within(CLOSE_MS_MAX, Promise.all([worker?.close(force), queue.close()]));
      workerConnection?.disconnect();
      producer.disconnect();
    },
  };
}

function secondOf(moment: EpochMs): number {
  return Math.floor(moment / 1000);
}

function endOfSecond(second: number): EpochMs {
  return toEpochMs(second * 1000 + 999);
}

/** False where it took longer, or failed; it goes on by itself then. */
async function within(limitMs: number, work: Promise<unknown>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), limitMs);
  const done = await Promise.race([
    work.then(
      () => true,
      () => false,
    ),
    late,
  ]);
  clearTimeout(timer);
  return done;
}
