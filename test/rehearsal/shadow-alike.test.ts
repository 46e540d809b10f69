import * as fc from 'fast-check';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import type { LegRecord } from '../../src/admission/leg-record.ts';
import {
  allotmentPool,
  refillRules,
  shadowPoolsOf,
  spendPool,
  type PoolLimits,
} from '../../src/credit/pools.ts';
import type { Decision } from '../../src/records/records.ts';
import type { AccountPath, PoolId } from '../../src/units/ids.ts';
import { toEpochMs, type EpochMs } from '../../src/units/time.ts';
import { accountsOf } from '../controller/world.ts';
import { createVirtualTime } from '../model/virtual-time.ts';
import { freshRedis } from '../support/redis.ts';
import { createDesk, type Desk, type Ended } from './shadow-desk.ts';

/** Under `acme` the limits hold; under `beta` the same limits are tried. */
const REAL = 'acme' as AccountPath;
const TRIED = 'beta' as AccountPath;
/** Some seconds before a minute ends, which an hour does too. */
const START = Date.UTC(2026, 5, 15, 7, 59, 20);
const LOOK_MS = 5_000;

const limits = fc.record(
  {
    allotments: fc.record({
      international: fc.record({
        seconds: fc.integer({ min: 0, max: 40 }),
        cycle: fc.constantFrom('minutely', 'hourly'),
        minimum: fc.integer({ min: 0, max: 6 }),
        increment: fc.integer({ min: 1, max: 6 }),
        grace: fc.integer({ min: 0, max: 2 }),
      }),
    }),
    maxSpend: fc.record({ hour: fc.integer({ min: 0, max: 40 }).map((cents) => (cents / 100).toFixed(2)) }),
    fundingOrder: fc.constantFrom(
      ['allotment'],
      ['allotment', 'per_minute'],
      ['per_minute'],
      ['per_minute', 'allotment'],
    ),
    maxCallSeconds: fc.integer({ min: 1, max: 30 }),
    maxCallCost: fc.constantFrom('0.05', '0.12'),
  },
  { requiredKeys: ['allotments', 'maxSpend'] },
);

/** When each is asked, after the one before; for how long it rings and talks, never or for so long. */
const calls = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 9_000 }),
    ringsMs: fc.integer({ min: 0, max: 3_000 }),
    talksMs: fc.option(fc.integer({ min: 1, max: 40_000 }), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 12 },
);

type Limits = typeof limits extends fc.Arbitrary<infer Value> ? Value : never;
type Calls = typeof calls extends fc.Arbitrary<infer Value> ? Value : never;
/** What was said of one call: why it was refused, or what was charged for. */
type Verdict = string | Ended | undefined;
type Step = { readonly at: number; readonly act: (desk: Desk) => Promise<void> };

describe('shadow limits that count', () => {
  it('say of any calls what the same limits do with them where they hold', async () => {
    const redis = await freshRedis();
    let refused = 0;
    let cut = 0;
    let goneOn = 0;
    await fc.assert(
      fc.asyncProperty(limits, calls, async (held, placed) => {
        await redis.flushdb();
        const { really, tried, left } = await play(redis, held, placed);
        expect(tried).toEqual(really);
        expect(left.tried).toEqual(left.really);
        for (const [n, verdict] of really.entries()) {
          const { talksMs = 0 } = placed[n] ?? {};
          if (typeof verdict === 'string') refused += 1;
          else if (verdict !== undefined && verdict.billedSeconds < Math.ceil(talksMs / 1000)) cut += 1;
          if (typeof verdict === 'object' && verdict.aheadSeconds !== undefined) goneOn += 1;
        }
      }),
      { numRuns: 150 },
    );
    // Calls that all go through as they are would prove nothing.
    expect(Math.min(refused, cut, goneOn)).toBeGreaterThan(20);
  }, 120_000);
});

async function play(
  redis: Redis,
  held: Limits,
  placed: Calls,
): Promise<{
  readonly really: readonly Verdict[];
  readonly tried: readonly Verdict[];
  readonly left: Readonly<Record<'really' | 'tried', readonly string[]>>;
}> {
  const paying = { wallet: 'EUR', tariff: 'standard' };
  const accounts = accountsOf([
    { account: REAL, ...paying, operator: held },
    { account: TRIED, ...paying, shadow: held },
  ]);
  const time = createVirtualTime(START);
  const decisions: Decision[] = [];
  const desk = createDesk(redis, { time, accounts: () => accounts, decisions });
  const really: Verdict[] = placed.map(() => undefined);
  const tried: Verdict[] = placed.map(() => undefined);
  const steps: Step[] = [];
  const longestMs = placed.reduce((sum, { afterMs }) => sum + afterMs, 50_000);
  for (let look = START + LOOK_MS; look <= START + longestMs; look += LOOK_MS) {
    steps.push({ at: look, act: letGoOn });
  }
  let at = START;
  for (const [n, call] of placed.entries()) {
    at += call.afterMs;
    steps.push(
      ...stepsOf(REAL, n, { ...call, at }, (ended) => void (really[n] = ended)),
      ...stepsOf(TRIED, n, { ...call, at }, (ended) => void (tried[n] = verdictOf(decisions, ended, n))),
    );
  }
  for (const step of steps.toSorted((one, other) => one.at - other.at)) {
    time.moveTo(step.at);
    time.fire();
    await step.act(desk);
    await desk.whatIf.idle();
  }
  const node = accounts.node(TRIED);
  const own = [allotmentPool(REAL, 'international'), spendPool(REAL, 'hour')];
  const counted = node?.shadow === undefined ? [] : shadowPoolsOf(TRIED, node.shadow);
  return {
    really,
    tried,
    left: {
      really: await leftOf(desk, own, node?.shadow?.limits),
      tried: await leftOf(desk, counted, node?.shadow?.limits),
    },
  };
}

function stepsOf(
  account: AccountPath,
  n: number,
  { at, ringsMs, talksMs }: Calls[number] & { readonly at: number },
  note: (ended: Ended | string) => void,
): readonly Step[] {
  let record: LegRecord | undefined;
  let answeredAt: EpochMs | undefined;
  const asks = async (desk: Desk): Promise<void> => {
    const said = await desk.ask(account, n);
    await desk.whatIf.idle();
    if (said.kind === 'admitted') ({ record } = said);
    else note(said.refusal.words);
  };
  const answers = async (desk: Desk): Promise<void> => {
    if (record === undefined) return;
    answeredAt = toEpochMs(at + ringsMs);
    await desk.answer(record, answeredAt);
  };
  const ends = async (desk: Desk): Promise<void> => {
    if (record !== undefined) note(await desk.hangUp(record, answeredAt));
  };
  return [
    { at, act: asks },
    ...(talksMs === undefined ? [] : [{ at: at + ringsMs, act: answers }]),
    { at: at + ringsMs + (talksMs ?? 0), act: ends },
  ];
}

/** What a controller does where the limits hold, as often as what is only counted is looked at. */
async function letGoOn({ store }: Desk): Promise<void> {
  const due = await store.dueWallets(REAL, store.now());
  const looks = await Promise.all(due.map(async ({ account }) => await store.evaluate(account)));
  const ended = looks.flatMap((look, n) => look.ended.map((leg) => ({ ...leg, pool: due[n]?.account })));
  ended.sort((one, other) => one.endsAt - other.endsAt || (one.legKey < other.legKey ? -1 : 1));
  for (const { legKey, pool } of ended) {
    const record = (await store.find(REAL, legKey))?.record;
    const allotment = record?.allotments.find((each) => each.pool === pool);
    if (record !== undefined && allotment?.goesOn !== undefined) await store.goOn(record, allotment);
  }
}

/** What was said of a call, as if it had been done. */
function verdictOf(decisions: readonly Decision[], ended: Ended | string, n: number): Verdict {
  if (typeof ended === 'string') throw new Error(`limits that refuse nobody refused: ${ended}`);
  const said = decisions.filter(({ aLeg }) => aLeg === `leg-${TRIED}-${n}`);
  const of = (verdict: Decision['verdict']): Decision | undefined =>
    said.find((decision) => decision.verdict === verdict);
  const refused = of('refused');
  if (refused !== undefined) return String(refused.inputs['words']).replaceAll(TRIED, REAL);
  const seconds = of('cut')?.inputs['seconds'] ?? ended.billedSeconds;
  const ahead = of('continued')?.inputs['seconds'];
  return { billedSeconds: Number(seconds), aheadSeconds: ahead === undefined ? undefined : Number(ahead) };
}

/** What nobody has drawn on yet is all there. */
async function leftOf(
  { store }: Desk,
  pools: readonly PoolId[],
  by: PoolLimits | undefined,
): Promise<readonly string[]> {
  const views = await Promise.all(pools.map((pool) => store.readWallet(pool)));
  return pools.map((pool, n) => {
    const view = views[n];
    return view
      ? `${view.balance - view.committed}`
      : `${refillRules(pool, by)?.cycleAt(store.now()).amount}`;
  });
}
