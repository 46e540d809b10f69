import type { Redis } from 'ioredis';
import type { LiveStore } from '../../../src/admission/live-store.ts';
import { toEpochMs } from '../../../src/units/time.ts';
import type { Bench, Figure } from '../figure.ts';
import { openLiveBench, type LiveBench } from '../live-bench.ts';
import { paced, saturate, type Operation } from '../load.ts';
import { costOf, type Cost } from '../redis-meter.ts';
import { interleave } from '../rounds.ts';
import { ratioAtLeast, ratioAtMost, rowOf, type Row } from '../row.ts';
import { legMaker, type LegMaker } from '../sample-legs.ts';
import { percentile } from '../statistics.ts';

const IN_FLIGHT = [64, 256];
const PER_SECOND = 1_000;
const WARM_UP_MS = 300;
/** Turns beyond those of the warm-up: every leg is new. */
const MEASURED_FROM = 1_000_000;

/** What one thing cost in one round. */
type Round = { readonly perSecond: number; readonly redisMicros: number; readonly nodeMicros: number };

export const admission: Figure = {
  name: 'admission',
  title: 'admission script against a bare round trip',
  needsRealRedis: true,
  async measure(bench) {
    const live = await openLiveBench(bench.redis.url);
    try {
      const rows: Row[] = [];
      for (const inFlight of IN_FLIGHT) rows.push(...(await saturated(bench, live, inFlight)));
      rows.push(...(await latencies(bench, live)));
      return rows;
    } finally {
      await live.redis.flushdb();
      live.close();
    }
  },
};

async function saturated(bench: Bench, live: LiveBench, inFlight: number): Promise<readonly Row[]> {
  const rounds = bench.full ? 9 : 5;
  const forMs = bench.full ? 1_500 : 500;
  const run = async (operation: Operation): Promise<Round> => {
    await live.redis.flushdb();
    // The first legs open the wallet.
    await saturate(operation, { inFlight, forMs: forMs / 5 });
    let operations = 0;
    const cost = await costOf(live.redis, async () => {
      ({ operations } = await saturate((turn) => operation(turn + MEASURED_FROM), { inFlight, forMs }));
    });
    return roundOf(cost, operations);
  };
  const noop = bareScript(live.redis);
  const mere = mereCommands(live.redis);
  const one = admitting(live.store, legMaker({ levels: 1, route: false, root: 'one' }));
  const four = admitting(live.store, legMaker({ levels: 4, route: false, root: 'four' }));
  const eight = admitting(live.store, legMaker({ levels: 8, route: true, root: 'eight' }));
  await run(four);
  const found = await interleave(rounds, {
    noop: () => run(noop),
    mere: () => run(mere),
    one: () => run(one),
    four: () => run(four),
    eight: () => run(eight),
  });
  const at = `${inFlight} in flight`;
  const of = (rounds: readonly Round[], field: keyof Round): readonly number[] =>
    rounds.map((round) => round[field]);
  const row = (
    what: string,
    unit: string,
    field: keyof Round,
    [measured, baseline, baselineWhat]: readonly [readonly Round[], readonly Round[], string],
    target: Row['target'],
  ): Row =>
    rowOf({
      what: `${what}, ${at}`,
      unit,
      measured: of(measured, field),
      baselineWhat,
      baseline: of(baseline, field),
      target,
    });
  const noopWords = 'no-op EVALSHA on the same connection';
  const fourWithNoop = [found.four, found.noop, noopWords] as const;
  const fourWithMere = [
    found.four,
    found.mere,
    'a script of the same reads and writes, nothing decided',
  ] as const;
  const eightWithOne = [found.eight, found.one, '1 level'] as const;
  return [
    row('admissions of 4 levels, saturated', '/s', 'perSecond', fourWithNoop, ratioAtLeast(0.5)),
    row('admissions of 4 levels, saturated', '/s', 'perSecond', fourWithMere, undefined),
    row('Redis CPU of one, 4 levels', 'µs', 'redisMicros', fourWithNoop, undefined),
    row('Redis CPU of one, 4 levels', 'µs', 'redisMicros', fourWithMere, undefined),
    row('Node CPU of one, 4 levels', 'µs', 'nodeMicros', fourWithNoop, undefined),
    row('Redis CPU of one, 8 levels and a route', 'µs', 'redisMicros', eightWithOne, ratioAtMost(2)),
    row('admissions of 8 levels and a route', '/s', 'perSecond', eightWithOne, ratioAtLeast(0.5)),
  ];
}

async function latencies(bench: Bench, live: LiveBench): Promise<readonly Row[]> {
  const forMs = bench.full ? 8_000 : 2_500;
  const load = { perSecond: PER_SECOND, forMs };
  const four = admitting(live.store, legMaker({ levels: 4, route: false, root: 'four' }));
  let runs = 0;
  const admissions = async (): Promise<readonly number[]> => {
    runs += 1;
    const first = runs * 10_000_000;
    return await paced((turn) => four(turn + first), load);
  };
  const pings = (): Promise<readonly number[]> => paced(() => live.redis.ping(), load);
  await live.redis.flushdb();
  await saturate(four, { inFlight: 16, forMs: WARM_UP_MS });
  const found = await interleave(bench.full ? 5 : 3, { admissions, pings });
  const row = (share: number, target: Row['target']): Row =>
    rowOf({
      what: `admission of 4 levels at ${PER_SECOND}/s, p${share * 100}`,
      unit: 'ms',
      measured: found.admissions.map((values) => percentile(values, share)),
      baselineWhat: 'PING at the same rate',
      baseline: found.pings.map((values) => percentile(values, share)),
      target,
    });
  return [row(0.5, undefined), row(0.99, ratioAtMost(3))];
}

function roundOf(cost: Cost, operations: number): Round {
  return {
    perSecond: operations / cost.seconds,
    redisMicros: cost.redisMicros / operations,
    nodeMicros: cost.nodeMicros / operations,
  };
}

/** As the service does it: the script of the home slot, then one for each other slot. */
function admitting(store: LiveStore, make: LegMaker): Operation {
  return async (turn) => {
    const { plan, record } = make(turn, toEpochMs(Date.now()));
    const { kind } = await store.take(plan.home, record);
    if (kind !== 'taken') throw new Error(`an admission was ${kind}`);
    for (const other of plan.others) await store.count(other);
  };
}

function bareScript(redis: Redis): Operation {
  redis.defineCommand('benchNoop', { lua: 'return 1', numberOfKeys: 0 });
  const { benchNoop } = redis as unknown as { readonly benchNoop: () => Promise<unknown> };
  return () => benchNoop.call(redis);
}

/** The arguments of an admission of 4 levels with one payer, by number and size. */
const MERE = { levels: 4, arguments: 50, recordBytes: 1_300 };

/** What an admission must read and write at least, as one script that decides nothing. */
function mereCommands(redis: Redis): Operation {
  const lua = `
    redis.call('TIME')
    redis.call('HGET', KEYS[1], ARGV[1])
    for i = 3, #KEYS do
      redis.call('SET', KEYS[i], redis.call('GET', KEYS[i]) or '0 0 0 0 0 0')
    end
    redis.call('ZADD', '{mere}:due', 1, 'mere')
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
    redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
    redis.call('HSET', '{mere}:parts', ARGV[1], ARGV[3])
    return { 'taken', '1795345256663', { '1795345256663', '1000000000000', '1000000000000' } }`;
  const keys = ['{mere}:legs', '{mere}:slots', '{mere}:wallet'];
  for (let level = 1; level <= MERE.levels; level += 1) keys.push(`{mere}:use:acme/north/retail/${level}`);
  redis.defineCommand('benchMere', { lua, numberOfKeys: keys.length });
  const { benchMere } = redis as unknown as {
    readonly benchMere: (...args: readonly string[]) => Promise<unknown>;
  };
  const record = 'x'.repeat(MERE.recordBytes);
  const part = 'running 0 16667 1000000 1795345256663 0 0 0/1000000/1/1/0/0/up/6';
  const rest = Array.from({ length: MERE.arguments }, () => '1');
  return (turn) =>
    benchMere.call(redis, ...keys, `2f1c8f0e-0000-4000-8000-${turn}.1:b1`, record, part, ...rest);
}
