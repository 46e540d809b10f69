import { createLiveStore } from '../../src/live-store/live-store.ts';
import { connectRedis } from '../../src/redis/connection.ts';
import type { AccountPath } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { ACME, sampleLeg, type SampleLeg } from './samples.ts';

/** What one process of the storm is told, and what it says at its end. */
export type StormOrder = {
  readonly url: string;
  readonly name: string;
  readonly seed: number;
  readonly workers: number;
  readonly admissions: number;
  readonly bound: number;
};
export type StormReport = {
  readonly taken: number;
  readonly refused: number;
  readonly settled: number;
  /** The most that this process held at once, by its own count, and the uses that refusals named. */
  readonly heldMost: number;
  readonly usesNamed: readonly number[];
};

/** Every way a leg may leave; each is repeated at times, as events are. */
const WAYS_OUT = 3;
const HELD_TURNS_MAX = 6;

process.once('message', (order: StormOrder) => {
  void storm(order).then((report) => {
    process.send?.(report);
    process.disconnect();
  });
});

async function storm({ url, name, seed, workers, admissions, bound }: StormOrder): Promise<StormReport> {
  const redis = connectRedis(url, { commandTimeoutMs: 20_000 });
  await new Promise((resolve) => redis.once('ready', resolve));
  const store = createLiveStore(redis, {
    clock: () => toEpochMs(Date.now()),
    lostPools: async () => [],
    onDue: () => undefined,
    loadWallet: async () => undefined,
  });
  const random = seededRandom(seed);
  const report = { taken: 0, refused: 0, settled: 0, heldMost: 0, usesNamed: new Set<number>() };
  let asked = 0;
  let held = 0;

  const leave = async ({ plan, record }: SampleLeg): Promise<void> => {
    // Counted out before the script that frees the slot is sent, so that our own count is never too high.
    held -= 1;
    const wayOut = Math.floor(random() * WAYS_OUT);
    const times = random() < 0.2 ? 2 : 1;
    for (let time = 0; time < times; time += 1) {
      if (wayOut === 0) await store.giveBack(plan.slot, plan.legKey, record, 'unanswered');
      if (wayOut === 1) await store.release(record);
      if (wayOut === 0) continue;
      const { kind } = await store.settle(record, { billedSeconds: 0, talkMs: 0 }, () => '{}');
      if (kind === 'settled') report.settled += 1;
    }
  };

  const work = async (worker: number): Promise<void> => {
    let mine: { readonly leg: SampleLeg; readonly until: number }[] = [];
    for (let turn = 0; asked < admissions; turn += 1) {
      asked += 1;
      const leg = stormLeg(`${name}-${worker}-${turn}`, bound);
      const outcome = await store.take(leg.plan, leg.record);
      if (outcome.kind === 'taken') {
        report.taken += 1;
        held += 1;
        report.heldMost = Math.max(report.heldMost, held);
        mine.push({ leg, until: turn + Math.ceil(random() * HELD_TURNS_MAX) });
      } else if (outcome.kind === 'refused' && outcome.refusal.kind === 'count') {
        report.refused += 1;
        report.usesNamed.add(outcome.refusal.inUse);
      }
      const over = mine.filter(({ until }) => until <= turn);
      mine = mine.filter(({ until }) => until > turn);
      for (const { leg } of over) await leave(leg);
    }
    for (const { leg } of mine) await leave(leg);
  };
  await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)));
  redis.disconnect();
  return { ...report, usesNamed: [...report.usesNamed] };
}

function stormLeg(name: string, bound: number): SampleLeg {
  const account = 'acme/retail' as AccountPath;
  const counts = [{ counter: 'calls' as const, bound }];
  return sampleLeg(name, {
    account,
    takes: [
      { holder: { kind: 'account', path: ACME }, counts, perSecond: undefined },
      {
        holder: { kind: 'account', path: account },
        counts: [{ counter: 'calls', bound: undefined }],
        perSecond: undefined,
      },
    ],
  });
}

/** mulberry32: small, and the same on every machine. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
