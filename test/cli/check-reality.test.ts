import * as fc from 'fast-check';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import type { LegRecord } from '../../src/admission/leg-record.ts';
import { loadConfig } from '../../src/config/config.ts';
import { admitLeg } from '../../src/gate/admit-leg.ts';
import { findParties, type Claims } from '../../src/gate/parties.ts';
import { createLiveStore } from '../../src/live-store/live-store.ts';
import { rehearse, type Rehearsal, type RehearsalFigures } from '../../src/rehearsal/rehearsal.ts';
import type { ControllerContext } from '../../src/state/context.ts';
import { walletSettingsOf } from '../../src/state/wallet-settings.ts';
import {
  admissionIdOf,
  legKeyOf,
  accountOf,
  type PoolId,
  type LegKey,
  type LegUuid,
  type NodeId,
} from '../../src/units/ids.ts';
import { parseMicros, type Micros } from '../../src/units/money.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { policyOf, createLog } from '../../src/wiring/parts.ts';
import { freshRedis } from '../support/redis.ts';
import { lookupOf, readTariffs, situations, type Situation } from './check-situations.ts';

const START = 1_800_000_000_000;

const loaded = loadConfig({
  file: undefined,
  environment: {},
  parseDefaults: () => ({ kind: 'ok', value: {} }),
});
if (loaded.kind === 'bad') throw new Error('the default configuration is good');
const policy = policyOf(loaded.config);
const tariffs = await readTariffs();

describe('check', () => {
  it('says of any call what the gate then does with it, and takes nothing', async () => {
    const redis = await freshRedis();
    const verdicts = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(situations, async (situation) => {
        await redis.flushdb();
        for (const verdict of await play(redis, situation)) {
          verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
        }
      }),
      { numRuns: 250 },
    );
    // The situations are no proof unless they reach every kind of verdict.
    expect([...verdicts.keys()]).toEqual(
      expect.arrayContaining([
        'admitted',
        'bad_destination',
        'bad_route',
        'currency_differs',
        'dry_run',
        'emergency',
        'limit_reached',
        'no_credit',
        'no_rate',
        'no_trunk',
        'flat_rate',
        'flat_rate_burst',
        'per_minute',
        'free',
        'none',
        'no_wallet',
        'too_many_calls_per_second',
        'unknown_account',
        'unrestricted',
      ]),
    );
  });
});

async function play(redis: Redis, situation: Situation): Promise<readonly string[]> {
  const accounts = lookupOf(situation);
  let now = toEpochMs(START);
  const openingOf = async (pool: PoolId) => {
    const node = accounts.node(accountOf(pool));
    if (node?.account.walletCurrency === undefined) return undefined;
    return { balance: parseMicros(situation.balance) as Micros, ...walletSettingsOf(node) };
  };
  const store = createLiveStore(redis, {
    clock: () => now,
    clockRules: true,
    lostPools: async () => [],
    onDue: () => undefined,
    loadWallet: openingOf,
  });
  const context: ControllerContext = {
    store,
    directory: {
      accounts: () => accounts,
      tariffs: () => tariffs,
      refresh: () => Promise.resolve(false),
    },
    policy,
    controlOf: () => undefined,
    record: () => undefined,
    announce: () => undefined,
    formatSettlement: () => '{}',
    log: createLog('silent'),
  };
  const figures: RehearsalFigures = {
    loadWallet: openingOf,
    refillRules: () => undefined,
  };
  const live: LegRecord[] = [];
  const verdicts: string[] = [];
  for (const [index, act] of situation.acts.entries()) {
    now = toEpochMs(now + act.waitMs);
    const { waitMs: _, next, ...claims } = act;
    const before = await dump(redis);
    const rehearsal = await rehearse(context, figures, { claims, callerNumber: '1001' });
    expect(await dump(redis)).toEqual(before);

    const parties = findParties(claims, accounts, policy.emergencyNumbers);
    const asked = parties.kind === 'known' && questionOf(claims, parties, index, now);
    const real = await askGate(context, parties, asked);
    expect(comparable(rehearsal.answer)).toEqual(comparable(real));
    // The gate's figure is a bound that errs on the short side (ruling 6); a check has the time for the exact one.
    expect(fundedOf(rehearsal.answer)).toBeGreaterThanOrEqual(fundedOf(real));
    verdicts.push(real.kind === 'refused' ? real.refusal.reason : decisionOf(real));
    if (real.kind !== 'admitted') continue;
    verdicts.push(real.record.funding);
    if (next === 'answer') await store.answer(real.record, now);
    live.push(real.record);
    const oldest = next === 'end' ? live.shift() : undefined;
    if (oldest !== undefined) await store.settle(oldest, { billedSeconds: 1, talkMs: 1000 }, () => '{}');
  }
  return verdicts;
}

type Answer = Rehearsal['answer'];
type Found = ReturnType<typeof findParties>;
type Question = Parameters<typeof admitLeg>[1];

/** The gate's own way from parties to a verdict. */
async function askGate(context: ControllerContext, found: Found, asked: Question | false): Promise<Answer> {
  if (found.kind === 'refused' || asked === false) return found as Extract<Answer, { kind: 'refused' }>;
  if (asked.emergency && asked.caller === undefined && asked.callee === undefined) {
    return { kind: 'passed', decision: 'emergency' };
  }
  return await admitLeg(context, asked);
}

/** All of an answer but the names of the call and what is only a bound. */
function comparable(answer: Answer): unknown {
  if (answer.kind === 'passed') return answer;
  if (answer.kind === 'refused') return { refusal: answer.refusal };
  const { record, time, replayed } = answer;
  const names = { legKey: '', admission: '', aLeg: '', uuid: '', node: '', coreUuid: '' };
  return { record: { ...record, ...names }, ever: time.ever, replayed };
}

function fundedOf(answer: Answer): number {
  if (answer.kind !== 'admitted') return 0;
  const { funded } = answer.time;
  return funded === 'unlimited' ? Number.POSITIVE_INFINITY : funded;
}

function decisionOf(answer: Exclude<Answer, { kind: 'refused' }>): string {
  return answer.kind === 'admitted' ? answer.record.decision : answer.decision;
}

function questionOf(
  claims: Claims,
  parties: Extract<Found, { readonly kind: 'known' }>,
  index: number,
  at: ReturnType<typeof toEpochMs>,
): Question {
  const aLeg = `leg-${index}` as LegUuid;
  const admission = admissionIdOf(aLeg, 1);
  return {
    ...parties,
    legKey: legKeyOf(admission, 'b1') as LegKey,
    admission,
    aLeg,
    node: 'fs1' as NodeId,
    coreUuid: 'core-1',
    callerNumber: '1001',
    dialled: claims.dialled,
    siblings: ['b1'],
    at,
  };
}

/** The whole database, byte by byte. */
async function dump(redis: Redis): Promise<ReadonlyMap<string, string>> {
  const keys = (await redis.keys('*')).toSorted();
  const values = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
  return new Map(keys.map((key, index) => [key, values[index]?.toString('hex') ?? '']));
}
