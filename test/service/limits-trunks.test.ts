import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SimulatedCall } from '../../src/simulator/inbound-call.ts';
import type { LegRecord } from '../../src/admission/leg-record.ts';
import { slotKeys } from '../../src/redis/keys.ts';
import { parseRecord } from '../../src/live-text/record-text.ts';
import type { AccountPath, LegKey } from '../../src/units/ids.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, settled, useGates } from './acts.ts';
import { createStage, eventually, micros, type Stage } from './stage.ts';

let stage: Stage;
let redis: Redis;

/** Numbers of Germany over the trunks, but not those of 0900. */
const FLAT = { whitelist: [String.raw`^\+49`], blacklist: [String.raw`^\+49900`] };
const TARIFF = 'prefix,rate,minimum,increment\n49,1.00,1,1\n44,1.00,1,1\n';

beforeEach(async () => {
  redis = await freshRedis();
  stage = await createStage(redisUrl());
  await stage.tariff('standard', TARIFF);
  stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 20 });
});

afterEach(async () => {
  await stage.close();
});

async function open(
  trunks: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
  gate: 'socket' | 'park' = 'socket',
): Promise<void> {
  const { balance = '0', operator, client, ...document } = more;
  await stage.account({
    account: 'acme',
    wallet: 'EUR',
    tariff: 'standard',
    ...document,
    operator: { trunks, flatRate: FLAT, ...(operator as object) },
  });
  if (client !== undefined) await stage.account({ account: 'acme/client', operator: client });
  if (balance !== '0') await stage.topUp('acme', String(balance));
  useGates(stage.sim, gate, [await stage.startController()], (call) =>
    call.variable('tollgate_callee') === undefined
      ? [['bridge', `sofia/gateway/pstn/${call.destination}`]]
      : [
          ['answer', ''],
          ['park', ''],
        ],
  );
}

const out = (to = '4930123'): SimulatedCall =>
  stage.sim.placeCall({ from: '1001', to, variables: { tollgate_account: 'acme' } });
const into = (): SimulatedCall =>
  stage.sim.placeCall({
    from: '0804188581',
    to: '4930123',
    variables: { tollgate_callee: 'acme', tollgate_route: 'trunk' },
  });

/** How it is paid, or the reason and the limit of its refusal; one call after the other. */
async function paid(call: SimulatedCall): Promise<string> {
  const decided = await eventually(
    () => call.truth?.variable('tollgate_decision'),
    (decision) => decision !== undefined,
  );
  if (decided === 'refused') {
    return `${call.truth?.variable('tollgate_reason')} ${call.truth?.variable('tollgate_limit')}`;
  }
  const live = await eventually(
    async () => (await liveRecords()).find(({ aLeg }) => aLeg === call.uuid),
    (leg) => leg?.answeredAt !== undefined,
  );
  return live?.funding ?? '';
}

/** As Redis shows them. */
async function liveRecords(): Promise<readonly LegRecord[]> {
  const { legs, channels } = slotKeys({ kind: 'root', root: 'acme' as AccountPath });
  const [texts, known] = await Promise.all([redis.hgetall(legs), redis.hgetall(channels)]);
  return Object.entries(texts).map(([key, text]) =>
    parseRecord({ legKey: key as LegKey, text, channel: known[key] }),
  );
}

async function paidInTurn(places: readonly (() => SimulatedCall)[]): Promise<{
  readonly calls: readonly SimulatedCall[];
  readonly ways: readonly string[];
}> {
  const calls: SimulatedCall[] = [];
  const ways: string[] = [];
  for (const place of places) {
    const call = place();
    calls.push(call);
    ways.push(await paid(call));
  }
  return { calls, ways };
}

const FULL = 'no_trunk trunks';
const BROKE = 'no_credit credit';

describe('flat-rate trunks', () => {
  it.each([
    [
      'exactly so many, and one more is paid per minute',
      { twoway: 2 },
      '1.00',
      [out, out, out],
      ['flat_rate', 'flat_rate', 'per_minute'],
    ],
    ['and refused without money', { twoway: 1 }, '0', [out, out], ['flat_rate', BROKE]],
    [
      'burst ones beyond them',
      { twoway: 1, burst: 1 },
      '0',
      [out, out, out],
      ['flat_rate', 'flat_rate_burst', BROKE],
    ],
    ['none', { twoway: 0 }, '1.00', [out], ['per_minute']],
    [
      'without a bound',
      { outbound: 'unlimited' },
      '0',
      [out, out, out],
      ['flat_rate', 'flat_rate', 'flat_rate'],
    ],
    [
      'each direction first on its own',
      { inbound: 1, outbound: 1, twoway: 1 },
      '0',
      [out, into, into, out],
      ['flat_rate', 'flat_rate', 'flat_rate', BROKE],
    ],
    ['a call in that finds none', { inbound: 1 }, '0', [into, into], ['flat_rate', FULL]],
    [
      'not for numbers outside',
      { twoway: 1 },
      '1.00',
      [() => out('442071'), () => out('4990012')],
      ['per_minute', 'per_minute'],
    ],
  ] as const)('%s', async (_, trunks, balance, places, expected) => {
    await open(trunks, { balance });
    const { calls, ways } = await paidInTurn(places);
    expect(ways).toEqual(expected);
    for (const call of calls) call.hangup();
    await allEnded(calls);
    const admitted = expected.filter((way) => !way.includes(' '));
    const cdrs = await settled(stage, admitted.length);
    expect(cdrs.map(({ funding }) => funding).toSorted()).toEqual(admitted.toSorted());
    const perMinute = admitted.filter((way) => way === 'per_minute').length;
    expect((await stage.balance('acme')) < micros(balance)).toBe(perMinute > 0);
    expect(await redis.keys('*:use:*')).toEqual([]);
    expect(await stage.findings()).toEqual([]);
  });

  it.each(['socket', 'park'] as const)('are given back with the call, by the gate %s', async (gate) => {
    await open({ twoway: 1 }, {}, gate);
    const first = out();
    expect(await paid(first)).toBe('flat_rate');
    expect(await paid(out())).toBe(BROKE);
    first.hangup();
    await allEnded([first]);
    await settled(stage, 1);
    expect(await paid(out())).toBe('flat_rate');
  });

  it('are the only way for an account without a tariff, and say so', async () => {
    await stage.account({ account: 'acme', operator: { trunks: { twoway: 1 }, flatRate: FLAT } });
    useGates(stage.sim, 'socket', [await stage.startController()]);
    const { calls, ways } = await paidInTurn([out, out]);
    expect(ways).toEqual(['flat_rate', FULL]);
    const [decision] = await eventually(
      () => stage.database.records.decisionsOf(calls[1]?.uuid as never),
      (rows) => rows.length > 0,
    );
    expect(decision?.inputs).toMatchObject({
      words:
        'acme has 0 inbound and 1 outbound calls on its trunks, and none is free; acme has no tariff to pay per minute by',
      sharedTrunks: 1,
    });
  });

  it('come last where the order says so', async () => {
    await open({ twoway: 1 }, { balance: '0.02', operator: { fundingOrder: ['per_minute', 'flat_rate'] } });
    const { calls, ways } = await paidInTurn([out, out]);
    expect(ways).toEqual(['per_minute', 'flat_rate']);
    const [decision] = await eventually(
      () => stage.database.records.decisionsOf(calls[1]?.uuid as never),
      (rows) => rows.length > 0,
    );
    expect(decision?.inputs).toMatchObject({ words: 'acme could not pay per minute' });
    await allEnded(calls.slice(0, 1));
    expect((await settled(stage, 1))[0]).toMatchObject({ funding: 'per_minute', cut: 'credit' });
  });

  it('of a reseller and of its client are taken together, and each pays for itself', async () => {
    const client = { trunks: { twoway: 2 }, flatRate: FLAT };
    await open({ twoway: 1 }, { balance: '1.00', client });
    const place = (): SimulatedCall =>
      stage.sim.placeCall({ from: '1', to: '4930123', variables: { tollgate_account: 'acme/client' } });
    const { calls, ways } = await paidInTurn([place, place, place]);
    expect(ways).toEqual(['flat_rate', 'per_minute', FULL]);
    const live = await liveRecords();
    expect(
      live.map(({ trunks, payers }) => [
        trunks.map(({ account }) => account),
        payers.map((each) => each.account),
      ]),
    ).toEqual(
      expect.arrayContaining([
        [['acme', 'acme/client'], []],
        [['acme/client'], ['acme']],
      ]),
    );
    for (const call of calls) call.hangup();
    await allEnded(calls);
    await settled(stage, 2);
    expect(await stage.findings()).toEqual([]);
  });

  it('thirty callers at once find exactly as many as there are', async () => {
    await open({ outbound: 4, twoway: 3, burst: 2 });
    const calls = Array.from({ length: 30 }, () => out());
    const ways = await Promise.all(calls.map(paid));
    const count = (way: string): number => ways.filter((each) => each === way).length;
    expect([count('flat_rate'), count('flat_rate_burst'), count(BROKE)]).toEqual([7, 2, 21]);
    for (const call of calls) call.hangup();
    await allEnded(calls);
    await settled(stage, 9);
    expect(await redis.keys('*:use:*')).toEqual([]);
    expect(await paid(out())).toBe('flat_rate');
    expect(await stage.findings()).toEqual([]);
  });
});
