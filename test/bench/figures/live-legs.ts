import { toEpochMs } from '../../../src/units/time.ts';
import type { LegUuid } from '../../../src/units/ids.ts';
import type { Figure } from '../figure.ts';
import { openLiveBench, type LiveBench } from '../live-bench.ts';
import { doAll } from '../load.ts';
import { costOf, redisBytes } from '../redis-meter.ts';
import { interleave } from '../rounds.ts';
import { atMost, ratioAtMost, rowOf, type Row } from '../row.ts';
import { legMaker, type BenchLeg, type LegMaker } from '../sample-legs.ts';

const LIVE = [1, 100, 10_000] as const;
const LEVELS = 4;
const IN_FLIGHT = 16;
const FILL_IN_FLIGHT = 128;
/** What a settled leg leaves in the stream is the drain's; here an entry stands for it. */
const ENTRY = JSON.stringify({ cdr: 'x'.repeat(700) });

export const liveLegs: Figure = {
  name: 'live-legs',
  title: 'what a live leg costs: flat by event, little by memory',
  needsRealRedis: true,
  async measure({ redis, full }) {
    const live = await openLiveBench(redis.url);
    try {
      await live.redis.flushdb();
      const bytes = await memory(live, full ? 5 : 3);
      return [...(await flatness(live, full)), bytes];
    } finally {
      await live.redis.flushdb();
      live.close();
    }
  },
};

/** Every size has a tenant, so a wallet, of its own: all three stand at once and are measured in turn. */
async function flatness(live: LiveBench, full: boolean): Promise<readonly Row[]> {
  const perRound = full ? 2_000 : 600;
  let turn = 1_000_000;
  const measureOn =
    (make: LegMaker) => async (): Promise<{ redis: number; node: number; elapsed: number }> => {
      const legs = Array.from({ length: perRound }, () => make((turn += 1), toEpochMs(Date.now())));
      await doAll((index) => take(live, legs[index]), { count: perRound, inFlight: IN_FLIGHT });
      const cost = await costOf(live.redis, () =>
        doAll((index) => answerAndSettle(live, legs[index]), { count: perRound, inFlight: IN_FLIGHT }),
      );
      return {
        redis: cost.redisMicros / perRound,
        node: cost.nodeMicros / perRound,
        elapsed: (cost.seconds * 1e6) / perRound,
      };
    };
  const makers = LIVE.map((count) => legMaker({ levels: LEVELS, route: false, root: `live-${count}` }));
  for (const [index, count] of LIVE.entries()) {
    const make = makers[index];
    if (make !== undefined) await fill(live, make, count);
  }
  const [one, hundred, tenThousand] = makers.map(measureOn);
  if (one === undefined || hundred === undefined || tenThousand === undefined) throw new Error('three sizes');
  await one();
  const found = await interleave(full ? 15 : 9, { one, hundred, tenThousand });
  const rows = (measured: typeof found.one, count: string): readonly Row[] =>
    (['elapsed', 'redis', 'node'] as const).map((field) =>
      rowOf({
        what: `answer and settle a leg beside ${count} live ones, ${WORDS[field]}`,
        unit: 'µs',
        measured: measured.map((round) => round[field]),
        baselineWhat: 'beside 1 live leg',
        baseline: found.one.map((round) => round[field]),
        target: ratioAtMost(1.5),
      }),
    );
  return [...rows(found.hundred, '100'), ...rows(found.tenThousand, '10,000')];
}

const WORDS = { elapsed: 'elapsed', redis: 'Redis CPU', node: 'Node CPU' } as const;

/** Bytes a leg adds once it is answered; beside it a set of nothing but as many leg keys. */
async function memory(live: LiveBench, rounds: number): Promise<Row> {
  const count = 10_000;
  const { redis } = live;
  const growth = async (fillIt: () => Promise<unknown>): Promise<number> => {
    await redis.flushdb();
    const before = await redisBytes(redis);
    await fillIt();
    return ((await redisBytes(redis)) - before) / count;
  };
  const make = legMaker({ levels: LEVELS, route: false, root: 'memory' });
  const found = await interleave(rounds, {
    legs: () => growth(() => fill(live, make, count)),
    keys: () =>
      growth(() =>
        doAll((turn) => redis.hset('bench:keys', make(turn, toEpochMs(0)).record.legKey, '1'), {
          count,
          inFlight: FILL_IN_FLIGHT,
        }),
      ),
  });
  return rowOf({
    what: `Redis memory of an answered leg, ${LEVELS} levels`,
    unit: 'bytes',
    measured: found.legs,
    baselineWhat: 'a hash of as many leg keys',
    baseline: found.keys,
    target: atMost(1_000),
  });
}

async function fill(live: LiveBench, make: LegMaker, count: number): Promise<void> {
  const fillOne = async (turn: number): Promise<void> => {
    const now = toEpochMs(Date.now());
    const leg = make(turn, now);
    await take(live, leg);
    await live.store.bind(leg.record, `${leg.record.aLeg}-b` as LegUuid);
    await live.store.answer(leg.record, now);
  };
  await fillOne(0);
  await doAll((turn) => fillOne(turn + 1), { count: count - 1, inFlight: FILL_IN_FLIGHT });
}

async function take({ store }: LiveBench, leg: BenchLeg | undefined): Promise<void> {
  if (leg === undefined) throw new Error('a leg was made for every turn');
  const { kind } = await store.take(leg.plan.home, leg.record);
  if (kind !== 'taken') throw new Error(`an admission was ${kind}`);
}

async function answerAndSettle({ store }: LiveBench, leg: BenchLeg | undefined): Promise<void> {
  if (leg === undefined) throw new Error('a leg was made for every turn');
  await store.answer(leg.record, toEpochMs(Date.now()));
  const { kind } = await store.settle(leg.record, { billedSeconds: 1, talkMs: 1 }, () => ENTRY);
  if (kind !== 'settled') throw new Error('a leg is settled once');
}
