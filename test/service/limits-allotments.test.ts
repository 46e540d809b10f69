import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allotmentPool, spendPool } from '../../src/credit/pools.ts';
import { walletKey } from '../../src/redis/keys.ts';
import type { SimulatedCall } from '../../src/simulator/inbound-call.ts';
import type { AccountPath } from '../../src/units/ids.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, answerTogether, placeCalls, SECONDS_TARIFF, settled, useGates } from './acts.ts';
import { createStage, eventually, micros, type Stage } from './stage.ts';

let stage: Stage;
let redis: Redis;

const ACME = 'acme' as AccountPath;
const SECOND = 1_000_000;

beforeEach(async () => {
  redis = await freshRedis();
  stage = await createStage(redisUrl());
  await stage.tariff('standard', SECONDS_TARIFF);
  stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 20 });
});

afterEach(async () => {
  await stage.close();
});

async function open(
  operator: Readonly<Record<string, unknown>>,
  more: { readonly balance?: string; readonly gate?: 'socket' | 'park'; readonly tariff?: string } = {
    tariff: 'standard',
  },
): Promise<void> {
  const { tariff, balance = '0', gate = 'socket' } = more;
  await stage.account({
    account: 'acme',
    wallet: 'EUR',
    ...(tariff === undefined ? {} : { tariff }),
    operator,
  });
  if (balance !== '0') await stage.topUp('acme', balance);
  useGates(stage.sim, gate, [await stage.startController()]);
}

/** A year: no cycle ends while a test runs. */
const yearly = (seconds: number, rest: object = {}) => ({ seconds, cycle: 'yearly', ...rest });

async function leftIn(pool: string): Promise<number> {
  return Number((await redis.get(walletKey(pool as AccountPath)))?.split(' ')[0]);
}

async function refused(call: SimulatedCall): Promise<string> {
  await allEnded([call]);
  return `${call.truth?.variable('tollgate_reason')} ${call.truth?.variable('tollgate_limit')}`;
}

async function paidFor(uuid: string | undefined) {
  const charges = await stage.database.records.chargesOf((uuid ?? '') as never);
  return charges.map(({ way, segment, billedSeconds, price }) => [way, segment, billedSeconds, price]);
}

describe.each(['socket', 'park'] as const)('an allotment at the gate %s', (gate) => {
  it('is used up to the second by calls that share it, and ends them where nothing else pays', async () => {
    await open({ allotments: { international: yearly(6) } }, { gate });
    const calls = placeCalls(stage, 2);
    await allEnded(calls);
    const cdrs = await settled(stage, 2);
    expect(cdrs.map(({ cut, funding }) => [cut, funding])).toEqual([
      ['allotment', 'allotment'],
      ['allotment', 'allotment'],
    ]);
    expect(cdrs.reduce((sum, { billedSeconds }) => sum + billedSeconds, 0)).toBe(6);
    expect(await leftIn(allotmentPool(ACME, 'international'))).toBe(0);
    expect(await refused(placeCalls(stage, 1)[0] as SimulatedCall)).toBe('no_allotment allotments');
    expect(await stage.findings()).toEqual([]);
  });
});

describe('a call that goes on per minute after its allotment', () => {
  it('ends when it has cost from there on what one call may, and the record says that this was why', async () => {
    const allotments = { international: yearly(1) };
    await open(
      { allotments, maxCallSeconds: 60, maxCallCost: '0.033334' },
      { balance: '1.00', tariff: 'standard' },
    );
    const [call] = placeCalls(stage, 1);
    await allEnded(call === undefined ? [] : [call]);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ billedSeconds: 3, cut: 'max_cost', cause: 'ALLOTTED_TIMEOUT' });
    const decisions = await eventually(
      () => stage.database.records.decisionsOf(call?.truth?.uuid as never),
      (rows) => rows.some(({ kind }) => kind === 'cutoff'),
    );
    expect(decisions.find(({ kind }) => kind === 'cutoff')).toMatchObject({
      reason: 'max_cost',
      inputs: { holder: 'acme', seconds: 3 },
    });
    expect(await stage.findings()).toEqual([]);
  });
});

describe('an allotment of 120 s that three calls share', () => {
  it('is used up exactly: answered together, they end together, or go on per minute, and no second is lost', async () => {
    const allotments = { international: yearly(120, { minimum: 1, increment: 1 }) };
    await open({ allotments }, {});
    const goesOn = { allotments, fundingOrder: ['allotment', 'per_minute'] };
    await stage.account({ account: 'beta', wallet: 'EUR', tariff: 'standard', operator: goesOn });
    // Two seconds for each of the three, and not a third for all of them.
    await stage.topUp('beta', '0.13');
    const variables = (account: string) => ({ tollgate_account: account, tollgate_route: 'carrier' });
    answerTogether(stage, 6);
    const ending = placeCalls(stage, 3, () => ({ variables: variables('acme') }));
    const going = placeCalls(stage, 3, () => ({ variables: variables('beta') }));
    await allEnded([...ending, ...going], 60_000);
    const cut = await settled(stage, 3);
    expect(cut.map((cdr) => [cdr.billedSeconds, cdr.cut])).toEqual(
      [40, 40, 40].map((each) => [each, 'allotment']),
    );
    const ends = cut.map(({ endedAt }) => endedAt);
    expect(Math.max(...ends) - Math.min(...ends)).toBeLessThan(1_000);
    const wentOn = await settled(stage, 3, 'beta');
    expect(wentOn.reduce((sum, { billedSeconds }) => sum + billedSeconds, 0)).toBe(127);
    for (const { legUuid, billedSeconds } of wentOn) {
      const [first, second] = await paidFor(legUuid);
      expect(first).toEqual(['allotment', 1, 40, 0n]);
      expect(second?.slice(0, 3)).toEqual(['per_minute', 2, billedSeconds - 40]);
    }
    expect(await leftIn(allotmentPool(ACME, 'international'))).toBe(0);
    expect(await leftIn(allotmentPool('beta' as AccountPath, 'international'))).toBe(0);
    expect(await stage.findings()).toEqual([]);
  }, 120_000);
});

describe('a call whose allotment runs dry', () => {
  it('goes on per minute, without surcharge or minimum, and its record tells the segments apart', async () => {
    await stage.tariff('dear', 'prefix,rate,surcharge,minimum,increment\n49,1.00,0.50,30,1\n');
    await open({ allotments: { international: yearly(2) } }, { tariff: 'dear', balance: '1.00' });
    const [call] = placeCalls(stage, 1);
    const uuid = call?.uuid ?? '';
    await eventually(
      async () => (await stage.database.records.decisionsOf(uuid as never)).map(({ kind }) => kind),
      (kinds) => kinds.includes('segment'),
    );
    call?.hangup();
    await allEnded(call === undefined ? [] : [call]);
    const [cdr] = await settled(stage, 1);
    const billed = cdr?.billedSeconds ?? 0;
    expect(cdr).toMatchObject({ funding: 'per_minute', cut: undefined });
    const rest = billed - 2;
    expect(rest).toBeGreaterThan(0);
    const price = (BigInt(rest) * 1_000_000n + 59n) / 60n;
    expect(await paidFor(cdr?.legUuid)).toEqual([
      ['allotment', 1, 2, 0n],
      ['per_minute', 2, rest, price],
    ]);
    expect(await stage.balance('acme')).toBe(micros('1.00') - price);
    expect(await leftIn(allotmentPool(ACME, 'international'))).toBe(0);
    expect(await stage.findings()).toEqual([]);
  });

  it('is cut at the end of its money then', async () => {
    await open({ allotments: { international: yearly(1) } }, { tariff: 'standard', balance: '0.02' });
    const [call] = placeCalls(stage, 1);
    await allEnded(call === undefined ? [] : [call]);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ billedSeconds: 2, cut: 'credit', cause: 'ALLOTTED_TIMEOUT' });
    expect(await stage.findings()).toEqual([]);
  });

  it('is paid per minute from the start where the allotment has too little left to begin', async () => {
    const allotments = { international: yearly(5, { minimum: 6 }) };
    await open({ allotments }, { tariff: 'standard', balance: '1.00' });
    const [call] = placeCalls(stage, 1, () => ({ hangsUpAfterAnswerMs: 1_200 }));
    await allEnded(call === undefined ? [] : [call]);
    const [cdr] = await settled(stage, 1);
    expect((await paidFor(cdr?.legUuid)).map(([way]) => way)).toEqual(['per_minute']);
    expect(await leftIn(allotmentPool(ACME, 'international'))).toBe(5 * SECOND);
  });

  it('goes on at once with what the operator adds to the running cycle', async () => {
    await open({ allotments: { international: yearly(3) } }, {});
    const [call] = placeCalls(stage, 1);
    await eventually(
      () => call?.truth?.variable('tollgate_decision'),
      (decision) => decision === 'admitted',
    );
    await stage.account({
      account: 'acme',
      wallet: 'EUR',
      operator: { allotments: { international: yearly(5) } },
    });
    await allEnded(call === undefined ? [] : [call]);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ billedSeconds: 5, cut: 'allotment' });
  });
});

describe('a spend window', () => {
  it('cuts at the end of the last pulse it pays for, refuses the next call, and yields to a higher limit', async () => {
    const document = (day: string) => ({
      account: 'acme',
      wallet: 'EUR',
      tariff: 'standard',
      operator: { maxSpend: { day }, timeZone: zoneAtNoon() },
    });
    await stage.account(document('0.05'));
    await stage.topUp('acme', '10.00');
    useGates(stage.sim, 'socket', [await stage.startController()]);
    const calls = placeCalls(stage, 1);
    await allEnded(calls);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ billedSeconds: 3, cut: 'max_spend' });
    expect(await leftIn(spendPool(ACME, 'day'))).toBe(0);
    expect(await refused(placeCalls(stage, 1)[0] as SimulatedCall)).toBe('spend_limit maxSpend');
    await stage.account(document('0.10'));
    const more = placeCalls(stage, 1);
    await allEnded(more);
    expect((await settled(stage, 2)).at(-1)).toMatchObject({ billedSeconds: 3, cut: 'max_spend' });
    expect(await stage.balance('acme')).toBe(micros('9.90'));
    expect(await stage.findings()).toEqual([]);
  });
});

/** A zone where it is about noon, so that no day ends while a test runs. */
function zoneAtNoon(): string {
  const hours = 12 - new Date().getUTCHours();
  // The names of these zones have the sign of the old convention: west is plus.
  return hours === 0 ? 'UTC' : `Etc/GMT${hours > 0 ? '-' : '+'}${Math.abs(hours)}`;
}
