import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { createCutoffQueue } from '../../../src/queue/cutoff-queue.ts';
import { bucketKey, QUEUE_PREFIX } from '../../../src/redis/keys.ts';
import type { AccountPath } from '../../../src/units/ids.ts';
import type { Log } from '../../../src/units/log.ts';
import { addMs, toEpochMs } from '../../../src/units/time.ts';
import type { Bench, Figure } from '../figure.ts';
import { paced, pause, type Operation } from '../load.ts';
import { redisCpuSeconds } from '../redis-meter.ts';
import { interleave } from '../rounds.ts';
import { ratioAtMost, rowOf, type Row } from '../row.ts';

const CALLS_PER_SECOND = 1_000;
const ACCOUNTS = 1_000;
const ROOTS = 20;
/** Where the wallets' cutoffs lie: usually an hour or more away; at worst all of them within the queue's horizon. */
const SPANS = [
  { words: 'cutoffs anywhere in the next hour', ms: 3_600_000 },
  { words: 'every cutoff within 5 minutes', ms: 300_000 },
] as const;
const SETTLE_MS = 300;

/** What one call cost Redis, beyond what an idle worker costs it anyhow. */
type Spent = { readonly redisMicros: number; readonly jobs: number };

export const scheduling: Figure = {
  name: 'scheduling',
  title: 'scheduling of cutoffs at 1,000 calls a second',
  needsRealRedis: true,
  async measure(bench) {
    const rows: Row[] = [];
    // The harder one alone when time is short.
    for (const span of bench.full ? SPANS : SPANS.slice(-1)) rows.push(...(await measureSpan(bench, span)));
    return rows;
  },
};

async function measureSpan(bench: Bench, span: (typeof SPANS)[number]): Promise<readonly Row[]> {
  const forMs = bench.full ? 8_000 : 3_000;
  const found = await interleave(bench.full ? 5 : 3, {
    ours: () => spentByQueue(bench, span.ms, forMs),
    jobEach: () => spentByJobs(bench, span.ms, forMs),
  });
  const baselineWhat = 'a delayed job added and removed by each call';
  return [
    rowOf({
      what: `Redis CPU of scheduling a call, ${span.words}`,
      unit: 'µs',
      measured: found.ours.map(({ redisMicros }) => redisMicros),
      baselineWhat,
      baseline: found.jobEach.map(({ redisMicros }) => redisMicros),
      target: ratioAtMost(0.2),
    }),
    rowOf({
      what: `BullMQ jobs added a call, ${span.words}`,
      unit: 'jobs',
      measured: found.ours.map(({ jobs }) => jobs),
      baselineWhat,
      baseline: found.jobEach.map(({ jobs }) => jobs),
      target: ratioAtMost(0.2),
    }),
  ];
}

/** The service's queue: a wallet's due time is said at the answer and again, a little later, at the hang-up. */
async function spentByQueue({ redis }: Bench, spanMs: number, forMs: number): Promise<Spent> {
  const clock = () => toEpochMs(Date.now());
  const queue = createCutoffQueue({
    url: redis.url,
    prefix: QUEUE_PREFIX,
    controllerId: 'bench',
    bucketKey,
    clock,
    dueWithin: async () => [],
    log: NO_LOG,
  });
  await queue.start({ lookAt: async () => undefined, sweep: async () => undefined });
  const dueIn = dueTimes(spanMs);
  try {
    return await spent(
      redis.url,
      forMs,
      () => queue.counts().jobsAdded,
      async (turn) => {
        const account = accountOf(turn);
        const dueAt = addMs(clock(), dueIn(turn));
        queue.arm(account, dueAt);
        await pause(1);
        queue.arm(account, addMs(dueAt, 700));
      },
    );
  } finally {
    await queue.stop(1_000);
  }
}

async function spentByJobs({ redis }: Bench, spanMs: number, forMs: number): Promise<Spent> {
  const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
  const queue = new Queue('bench', { connection, prefix: '{bench}' });
  const worker = new Worker('bench', async () => undefined, { connection, prefix: '{bench}' });
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
  const dueIn = dueTimes(spanMs);
  let jobs = 0;
  try {
    return await spent(
      redis.url,
      forMs,
      () => jobs,
      async (turn) => {
        const job = await queue.add(
          'cutoff',
          { account: accountOf(turn) },
          { delay: dueIn(turn), removeOnComplete: true },
        );
        jobs += 1;
        await pause(1);
        await job.remove();
      },
    );
  } finally {
    await worker.close();
    await queue.close();
    connection.disconnect();
  }
}

async function spent(url: string, forMs: number, jobs: () => number, call: Operation): Promise<Spent> {
  const meter = new Redis(url);
  try {
    await pause(SETTLE_MS);
    const idleFrom = await redisCpuSeconds(meter);
    await pause(forMs / 3);
    const from = await redisCpuSeconds(meter);
    const idleAMs = (from - idleFrom) / (forMs / 3);
    const jobsBefore = jobs();
    const startedAt = performance.now();
    const calls = await paced(call, { perSecond: CALLS_PER_SECOND, forMs });
    await pause(SETTLE_MS);
    const busy = (await redisCpuSeconds(meter)) - from - idleAMs * (performance.now() - startedAt);
    return { redisMicros: (busy * 1e6) / calls.length, jobs: (jobs() - jobsBefore) / calls.length };
  } finally {
    await meter.flushdb();
    meter.disconnect();
  }
}

function accountOf(turn: number): AccountPath {
  const account = turn % ACCOUNTS;
  return `root${account % ROOTS}/a${account}` as AccountPath;
}

/** Spread evenly and without a pattern that fits the accounts' (the golden ratio's multiples). */
function dueTimes(spanMs: number): (turn: number) => number {
  const soonest = 5_000;
  return (turn) => soonest + ((turn * 0.618_033_988_75) % 1) * (spanMs - soonest);
}

const NO_LOG: Log = {
  child: () => NO_LOG,
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
};
