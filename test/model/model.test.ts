import { inspect } from 'node:util';
import * as fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis } from '../../src/redis/connection.ts';
import { connectTestRedis, hasRealRedis, redisUrl } from '../support/redis.ts';
import { Model } from './model.ts';
import { micros } from './prices.ts';
import { importPriceLists } from './price-lists.ts';
import { createProduct } from './product.ts';
import { createStory } from './story.ts';
import { houseOf } from './world-house.ts';
import { acts, worlds, type Act, type World } from './worlds.ts';

/** The embedded Redis runs scripts some thirty times slower. */
const STEPS_USUAL = hasRealRedis() ? 10_000 : 400;
const STEPS = Number(process.env['TOLLGATE_MODEL_STEPS'] ?? STEPS_USUAL);
/** A run of fewer steps need not meet everything. */
const STEPS_OF_PROOF = 10_000;
const ACTS_MAX = 200;
/** Each world has a seed of its own, one after the other; a run that is given a seed begins with that world. */
const SEED = Number(process.env['TOLLGATE_MODEL_SEED'] ?? Math.floor(Math.random() * 2 ** 30));
/** To make a failed world small takes minutes: only for who asks. */
const SHRINK = process.env['TOLLGATE_MODEL_SHRINK'] !== undefined;

const stories = fc.noBias(
  fc.record({ world: worlds, acts: fc.array(acts, { minLength: 1, maxLength: ACTS_MAX, size: 'max' }) }),
);
const tariffs = await importPriceLists();

/** What every run must have met: each limit, each level, each way to pay and each kind of decision. */
const REFUSALS = [
  'calls',
  'resourceConsumingCalls',
  'inboundCalls',
  'outboundCalls',
  'publicCalls',
  'internalCalls',
  'callsPerSecond',
  'perNumber',
  'maxCallSeconds',
  'maxCallCost',
  'trunks',
  'allotments',
  'maxSpend',
  'no_credit',
  'no_rate',
  'no_wallet',
  'no_payer',
  'currency_differs',
  'allowPrepay',
];
const WANTED = [
  ...REFUSALS.map((limit) => `refused: ${limit}`),
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((level) => `refused at level ${level}`),
  'refused by a route',
  ...['admitted', 'soft', 'dry_run', 'unrestricted', 'emergency'].map((name) => `decision: ${name}`),
  ...['flat_rate', 'flat_rate_burst', 'allotment', 'per_minute'].map((way) => `paid: ${way}`),
  'paid by several',
  'answered',
  'forwarded',
  'transferred',
  'failover',
  'parted',
  'caller left',
  'caller parked',
  'cut',
  'ran dry and went on',
  'limits changed',
];

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

describe('the product and a plain model of the rules', () => {
  it(`agree about every call, over ${STEPS} steps`, async () => {
    process.stderr.write(`model: ${STEPS} steps from TOLLGATE_MODEL_SEED=${SEED}\n`);
    const seen = new Map<string, number>();
    const run = { steps: 0 };
    for (let seed = SEED; run.steps < STEPS; seed += 1) {
      const property = fc.asyncProperty(stories, async (story) => {
        await redis.flushdb();
        await play(story.world, story.acts, seen);
        run.steps += story.acts.length;
      });
      await fc.assert(property, { seed, numRuns: 1, endOnFailure: !SHRINK });
    }
    const unmet = STEPS < STEPS_OF_PROOF ? [] : WANTED.filter((what) => !seen.has(what));
    expect({ seed: SEED, unmet }).toEqual({ seed: SEED, unmet: [] });
  }, 900_000);
});

async function play(world: World, all: readonly Act[], seen: Map<string, number>): Promise<void> {
  const house = houseOf(world);
  const balances = new Map(
    world.accounts.flatMap(({ account, purse, balance }) =>
      purse.wallet === undefined ? [] : [[account, micros(balance)] as const],
    ),
  );
  const { startAt, twice, completesAfterMs } = world;
  const wire = { startAt, twice, completesAfterMs };
  const product = await createProduct(connection, { house, tariffs, balances, ...wire });
  const model = new Model(house, balances, () => product.time.now());
  const story = createStory(product, model, (what) => seen.set(what, (seen.get(what) ?? 0) + 1));
  for (const [index, act] of all.entries()) {
    try {
      await story.play(act);
    } catch (cause) {
      const told = product.log.lines.filter(({ level }) => level === 'error' || level === 'warn').slice(-3);
      const place = `act ${index + 1} of ${all.length}: ${JSON.stringify(act)}`;
      const purses = inspect(pursesOf(model, product.time.now()), { depth: 4 });
      throw new Error(`${place}\nlast complaints: ${inspect(told)}\npurses: ${purses}`, { cause });
    }
  }
  await story.finish();
  await product.stop();
  expect(await leftOver()).toEqual([]);
}

/** Everything that anybody draws on, with times since now. */
function pursesOf({ purses }: Model, now: number): object {
  const drawn = [...purses].filter(([, { draws }]) => draws.size > 0);
  const since = (at: number | undefined): number | undefined => at && at - now;
  return Object.fromEntries(
    drawn.map(([name, purse]) => [
      `${name}, ${purse.left(now)} of ${purse.amount}`,
      [...purse.draws.values()].map(({ key, pulses, answeredAt, endedAt }) =>
        JSON.stringify({ key, pulses, answeredAt: since(answeredAt), endedAt: since(endedAt) }),
      ),
    ]),
  );
}

/** Wallets stay, what is on its way into SQL, and the last ticks. Everything else is gone with the calls. */
async function leftOver(): Promise<readonly string[]> {
  const keys = await redis.keys('*');
  const wallets = keys.filter((key) => /:wallet:[^:]*$/.test(key));
  const texts = wallets.length === 0 ? [] : await redis.mget(...wallets);
  const busy = texts.filter((text) => !/^-?\d+ \d+ 0 0 0 \d+ 0 /.test(text ?? ''));
  const kept = new Set([...wallets, ...keys.filter((key) => /:(?:funded|settlements)$|:ticks:/.test(key))]);
  return [...busy.map(String), ...keys.filter((key) => !kept.has(key))];
}
