import * as fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis } from '../../src/redis/connection.ts';
import { createReplay } from '../../src/replay/replay.ts';
import type { ReplayOutcome } from '../../src/replay/replayed-call.ts';
import type { Charge, Settlement } from '../../src/records/records.ts';
import { connectTestRedis, hasRealRedis, redisUrl } from '../support/redis.ts';
import { micros } from './prices.ts';
import { Model } from './model.ts';
import { importPriceLists } from './price-lists.ts';
import { createProduct, lookupOf, policyFor } from './product.ts';
import { createStory } from './story.ts';
import { houseOf } from './world-house.ts';
import { worlds, type Act, type World } from './worlds.ts';

/** The embedded Redis runs scripts some thirty times slower. */
const WORLDS = hasRealRedis() ? 100 : 3;
const CALLS_MAX = 25;
/** What so many worlds must have met. */
const WANTED = hasRealRedis() ? ['per_minute', 'flat_rate', 'allotment', 'goes on', 'soft', 'dry_run'] : [];
const PLENTY = '100000.00';
const tariffs = await importPriceLists();

/** Money is not replayed: everybody has it. What is told late is settled late, and is another's meanwhile. */
const richWorlds = worlds.map((world): World => {
  const accounts = world.accounts.map((drawn) => {
    const { allowPrepay: _, ...customer } = drawn.customer;
    const operator = { ...drawn.operator, allowPrepay: true, allowPostpay: true, maxPostpay: PLENTY };
    return { ...drawn, operator, customer, balance: PLENTY };
  });
  return { ...world, accounts: accounts as World['accounts'], completesAfterMs: 0 };
});

const pause = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 11, max: 3_000 }) },
  { weight: 3, arbitrary: fc.integer({ min: 3_000, max: 30_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 30_000, max: 70_000 }) },
);
const pick = fc.nat({ max: 999 });
/** Who rings and is not answered leaves no CDR: everybody is answered before the next one dials. */
const acts = fc
  .array(
    fc.record({
      shape: fc.constantFrom(
        'out' as const,
        'out' as const,
        'in' as const,
        'inside' as const,
        'wholesale' as const,
      ),
      from: pick,
      account: pick,
      number: fc.constantFrom('4930123', '4930124', '49401', '14158867900', '18005551234'),
      route: fc.constantFrom('carrier', 'trunk'),
      waits: fc.tuple(pause, pause, pause),
      hangsUp: fc.boolean(),
      which: pick,
    }),
    { minLength: 5, maxLength: CALLS_MAX },
  )
  .map((calls) =>
    calls.flatMap(({ shape, from, account, number, route, waits, hangsUp, which }): readonly Act[] => {
      const target = { to: 'account', account, routes: [route], number } as const;
      const [dials, answers, after] = waits;
      const ending = { kind: 'hang up', which, callerFirst: true } as const;
      return [
        { afterMs: dials, step: { kind: 'dial', shape, from, target, others: [] } },
        { afterMs: answers, step: { kind: 'answer', which: 0 } },
        ...(hangsUp ? [{ afterMs: after, step: ending }] : []),
      ];
    }),
  );

let redis: Redis;
let connection: Redis;

beforeAll(async () => {
  redis = connectTestRedis();
  connection = connectRedis(redisUrl(), { commandTimeoutMs: 30_000 });
  await new Promise((resolve) => connection.once('ready', resolve));
});

afterAll(() => {
  connection.disconnect();
});

describe('calls that were charged live', () => {
  it('come out the same when they are replayed by the same accounts and tariffs', async () => {
    const seen = new Set<string>();
    const property = fc.asyncProperty(fc.noBias(richWorlds), acts, pick, async (world, all, first) => {
      await redis.flushdb();
      const settlements = await played(world, all);
      const house = houseOf(world);
      const books = { accounts: lookupOf(house, 1), tariffs, policy: policyFor(house) };
      const inOrder = settlements.toSorted(
        (a, b) => a.cdr.admittedAt - b.cdr.admittedAt || (a.cdr.legUuid < b.cdr.legUuid ? -1 : 1),
      );
      // From the first on, and from somewhere in the middle: what came before stands as it was charged.
      for (const standing of [0, first % (settlements.length + 1)]) {
        const replay = createReplay(books, 'as_talked');
        const outcomes = inOrder.flatMap(({ cdr, charges }, n) =>
          n < standing ? replay.stand(cdr, charges) : replay.admit(cdr),
        );
        const all = [...outcomes, ...replay.finish()];
        const byLeg = new Map(all.map((outcome) => [outcome.call.legUuid, outcome]));
        for (const settlement of inOrder.slice(standing)) {
          const { cdr } = settlement;
          const outcome = replayedAs(byLeg.get(cdr.legUuid));
          expect({ cdr, standing, ...outcome }).toEqual({ cdr, standing, ...settledAs(settlement) });
        }
      }
      for (const { cdr, charges } of settlements) {
        for (const { way } of charges) seen.add(way);
        if (charges.some(({ segment }) => segment > 1)) seen.add('goes on');
        seen.add(cdr.decision);
      }
    });
    await fc.assert(property, { numRuns: WORLDS, endOnFailure: true });
    expect(WANTED.filter((what) => !seen.has(what))).toEqual([]);
  }, 300_000);
});

async function played(world: World, all: readonly Act[]): Promise<readonly Settlement[]> {
  const house = houseOf(world);
  const balances = new Map(
    world.accounts.flatMap(({ account, purse }) =>
      purse.wallet === undefined ? [] : [[account, micros(PLENTY)] as const],
    ),
  );
  const { startAt, twice, completesAfterMs } = world;
  const product = await createProduct(connection, {
    house,
    tariffs,
    balances,
    startAt,
    twice,
    completesAfterMs,
  });
  const settlements: Settlement[] = [];
  const tapped = {
    ...product,
    async settlements() {
      const read = await product.settlements();
      settlements.push(...read);
      return read;
    },
  };
  const model = new Model(house, balances, () => product.time.now());
  const story = createStory(tapped, model, () => undefined);
  for (const act of all) await story.play(act);
  await story.finish();
  await product.stop();
  return settlements;
}

function settledAs({ cdr, charges }: Settlement): object {
  return {
    kind: 'admitted',
    charges: sorted(charges),
    funding: cdr.funding,
    refusal: undefined,
    cut: undefined,
  };
}

function replayedAs(outcome: ReplayOutcome | undefined): object {
  if (outcome?.kind !== 'admitted') return { kind: outcome?.kind, refusal: outcome?.refusal };
  const { kind, charges, funding, refusal, cut } = outcome;
  return { kind, charges: sorted(charges), funding, refusal, cut };
}

function sorted(charges: readonly Charge[]): readonly Charge[] {
  return charges.toSorted((a, b) =>
    a.payer === b.payer ? a.segment - b.segment : a.payer < b.payer ? -1 : 1,
  );
}
