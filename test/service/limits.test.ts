import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SimulatedCall } from '../../src/simulator/inbound-call.ts';
import type { AccountPath } from '../../src/units/ids.ts';
import { connectTestRedis, freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, placedBy, useGates } from './acts.ts';
import { createStage, eventually, micros, type Stage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  await freshRedis();
  stage = await createStage(redisUrl());
  await stage.tariff('second', 'prefix,rate,minimum,increment,direction\n49,0.60,1,1,outbound\n');
  await stage.tariff('wholesale', 'prefix,rate,minimum,increment,direction\n49,0.30,1,1,outbound\n');
  await stage.tariff(
    'both',
    'prefix,rate,minimum,increment,direction\n49,0.60,1,1,outbound\n49,0.06,1,1,inbound\n',
  );
  const service = await stage.startController();
  useGates(stage.sim, 'socket', [service], (asking) => [
    ['set', 'hangup_after_bridge=true'],
    ['set', 'continue_on_fail=NORMAL_TEMPORARY_FAILURE'],
    ...(asking.variable('first_carrier') === undefined
      ? []
      : ([['bridge', `sofia/gateway/broken/${asking.destination}`]] as const)),
    ['bridge', `sofia/gateway/pstn/${asking.destination}`],
  ]);
  stage.sim.endpoint(/broken/, { kind: 'rejects', cause: 'NORMAL_TEMPORARY_FAILURE' });
});

beforeEach(() => {
  stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 20 });
});

afterAll(async () => {
  await stage.close();
});

let tenants = 0;

/** A tenant of its own for each test: nobody else's calls are counted in it. */
async function tenant(operator: Readonly<Record<string, unknown>> = {}, tariff = 'second'): Promise<string> {
  const name = `tenant${(tenants += 1)}`;
  await stage.account({ account: name, wallet: 'EUR', tariff, operator });
  await stage.topUp(name, '10.00');
  return name;
}

function place(variables: Readonly<Record<string, string>>, to = '4930123'): SimulatedCall {
  return stage.sim.placeCall({ from: '1001', to, variables });
}

/** Its SIP answer where it was refused, 200 where it was answered. */
async function fate(call: SimulatedCall): Promise<number | undefined> {
  const truth = await eventually(
    () => call.truth,
    (now) => now?.answeredMicros !== undefined || now?.endedMicros !== undefined,
  );
  return truth?.answeredMicros === undefined ? truth?.sipStatus : 200;
}

async function fates(calls: readonly SimulatedCall[]): Promise<readonly (number | undefined)[]> {
  return (await Promise.all(calls.map(fate))).toSorted((a = 0, b = 0) => a - b);
}

async function hangUp(...calls: readonly SimulatedCall[]): Promise<void> {
  for (const call of calls) call.hangup();
  await allEnded(calls);
  // The controller hears of it a moment later; the next call is to find the place free.
  const redis = connectTestRedis();
  await eventually(
    async () => {
      const keys = await redis.keys('tollgate:*:slots');
      return (await Promise.all(keys.map((key) => redis.hkeys(key)))).flat();
    },
    (legKeys) => !calls.some((call) => legKeys.some((legKey) => legKey.startsWith(`${call.uuid}.`))),
  );
}

async function cdrsOf(account: string, count: number) {
  return await eventually(
    () => stage.cdrs(account),
    (rows) => rows.length >= count,
  );
}

describe('a limit', () => {
  it('of calls admits as many and refuses the next with 503, until one ends', async () => {
    const account = await tenant({ calls: 2 });
    const calls = [1, 2, 3].map(() => place({ tollgate_account: account }));
    expect(await fates(calls)).toEqual([200, 200, 503]);
    const up = calls.find((call) => call.truth?.answeredMicros !== undefined);
    if (up !== undefined) await hangUp(up);
    const next = place({ tollgate_account: account });
    expect(await fate(next)).toBe(200);
    await hangUp(...calls, next);
  });

  it('of calls counts those that ring', async () => {
    const account = await tenant({ calls: 1 });
    stage.sim.endpoint(/pstn/, { kind: 'rings' });
    const ringing = place({ tollgate_account: account });
    await eventually(
      () => placedBy(stage, ringing).length,
      (count) => count === 1,
    );
    expect(await fate(place({ tollgate_account: account }))).toBe(503);
    await hangUp(ringing);
  });

  it('of outbound calls and one of inbound calls are two', async () => {
    const account = await tenant({ outboundCalls: 1, inboundCalls: 1 });
    const outbound = [1, 2].map(() => place({ tollgate_account: account }));
    expect(await fates(outbound)).toEqual([200, 503]);
    const inbound = [1, 2].map(() => place({ tollgate_callee: account, tollgate_route: 'anywhere' }));
    expect(await fates(inbound)).toEqual([200, 486]);
    await hangUp(...outbound, ...inbound);
  });

  it('of calls per second holds, and the next second is another', async () => {
    const account = await tenant({ callsPerSecond: 2 });
    const calls = [1, 2, 3, 4].map(() => place({ tollgate_account: account }));
    expect(await fates(calls)).toEqual([200, 200, 503, 503]);
    await eventually(
      async () => {
        const next = place({ tollgate_account: account });
        calls.push(next);
        return await fate(next);
      },
      (status) => status === 200,
    );
    await hangUp(...calls);
  });

  it('of a route holds whoever calls', async () => {
    await stage.route({ route: 'narrow', calls: 1 });
    const [one, other] = [await tenant(), await tenant()];
    const first = place({ tollgate_account: one, tollgate_route: 'narrow' });
    expect(await fate(first)).toBe(200);
    const second = place({ tollgate_account: other, tollgate_route: 'narrow' });
    expect(await fate(second)).toBe(503);
    expect(second.truth?.variable('tollgate_account_limited')).toBe('narrow');
    const live = await stage.live();
    // What the other tenant had taken by then is given back.
    expect(await live.calls(other as AccountPath)).toEqual([]);
    expect(await live.wallet(other as AccountPath)).toMatchObject({ committed: 0n });
    await hangUp(first);
  });

  it('of a reseller refuses the call of its client', async () => {
    const account = await tenant({ calls: 1 });
    await stage.account({ account: `${account}/client` });
    const calls = [1, 2].map(() => place({ tollgate_account: `${account}/client` }));
    expect(await fates(calls)).toEqual([200, 503]);
    await hangUp(...calls);
  });

  it('counts a call between two of its accounts once, and nobody pays for it', async () => {
    const account = await tenant({ calls: 1 });
    await stage.account({ account: `${account}/a` });
    await stage.account({ account: `${account}/b` });
    const internal = { tollgate_account: `${account}/a`, tollgate_callee: `${account}/b` };
    const first = place(internal, '1002');
    expect(await fate(first)).toBe(200);
    expect(await fate(place(internal, '1002'))).toBe(503);
    await hangUp(first);
    const [cdr] = await cdrsOf(account, 1);
    expect(cdr).toMatchObject({ direction: 'internal', funding: 'none' });
    expect(await stage.balance(account)).toBe(micros('10.00'));
  });
});

describe('a call that nobody may place', () => {
  it.each([
    ['of an account without money', async () => ({ tollgate_account: await poor() }), 402, 'no_credit'],
    ['of an account that is not ours', async () => ({ tollgate_account: 'who' }), 403, 'unknown_account'],
    ['of nobody', async () => ({}), 403, 'no_account'],
  ] as const)('%s is refused with its own answer', async (_, variables, status, reason) => {
    const call = place(await variables());
    expect(await fate(call)).toBe(status);
    expect(call.truth?.variable('tollgate_decision')).toBe('refused');
    expect(call.truth?.variable('tollgate_reason')).toBe(reason);
    expect(placedBy(stage, call)).toEqual([]);
  });

  it('to a number that the tariff has no rate for is refused with 403', async () => {
    const call = place({ tollgate_account: await tenant() }, '3312345');
    expect(await fate(call)).toBe(403);
    expect(call.truth?.variable('tollgate_reason')).toBe('no_rate');
  });

  it('is an emergency all the same', async () => {
    const call = place({ tollgate_account: await poor() }, '112');
    expect(await fate(call)).toBe(200);
    expect(call.truth?.variable('tollgate_decision')).toBe('emergency');
    await hangUp(call);
  });

  async function poor(): Promise<string> {
    const account = `poor${(tenants += 1)}`;
    await stage.account({ account, wallet: 'EUR', tariff: 'second' });
    return account;
  }
});

describe('an account that is', () => {
  it('not enabled is counted, never refused and never charged', async () => {
    const account = await tenant({ enabled: false, calls: 0 });
    const call = place({ tollgate_account: account });
    expect(await fate(call)).toBe(200);
    expect(call.truth?.variable('tollgate_decision')).toBe('unrestricted');
    await hangUp(call);
    const [cdr] = await cdrsOf(account, 1);
    expect(cdr).toMatchObject({ decision: 'unrestricted' });
    expect(await stage.balance(account)).toBe(micros('10.00'));
  });

  it('in dry run passes what it would refuse, and pays nothing', async () => {
    const account = await tenant({ enforcement: 'dry_run', calls: 0 });
    const call = place({ tollgate_account: account });
    expect(await fate(call)).toBe(200);
    expect(call.truth?.variable('tollgate_decision')).toBe('dry_run');
    await hangUp(call);
    await cdrsOf(account, 1);
    expect(await stage.balance(account)).toBe(micros('10.00'));
  });

  it('free below a reseller who enforces is refused by the reseller', async () => {
    const account = await tenant({ calls: 0 });
    await stage.account({ account: `${account}/free`, operator: { enabled: false } });
    expect(await fate(place({ tollgate_account: `${account}/free` }))).toBe(503);
  });
});

describe('a call is paid', () => {
  it('by the customer and by the reseller, each by its own tariff', async () => {
    const reseller = await tenant({}, 'wholesale');
    await stage.account({ account: `${reseller}/shop`, wallet: 'EUR', tariff: 'second' });
    await stage.topUp(`${reseller}/shop`, '1.00');
    const call = place({ tollgate_account: `${reseller}/shop` });
    expect(await fate(call)).toBe(200);
    await hangUp(call);
    await cdrsOf(reseller, 1);
    expect(await stage.balance(`${reseller}/shop`)).toBe(micros('1.00') - 10_000n);
    expect(await stage.balance(reseller)).toBe(micros('10.00') - 5_000n);
  });

  it('on the A-leg alone where it comes from a route and inbound calls have a rate', async () => {
    const account = await tenant({}, 'both');
    const call = place({ tollgate_callee: account, tollgate_route: 'anywhere' }, '4930999');
    expect(await fate(call)).toBe(200);
    await hangUp(call);
    const cdrs = await cdrsOf(account, 1);
    expect(cdrs).toHaveLength(1);
    expect(cdrs[0]).toMatchObject({ legUuid: call.uuid, direction: 'inbound' });
    expect(await stage.balance(account)).toBe(micros('10.00') - 1_000n);
  });

  it('not at all where inbound calls have no rate', async () => {
    const account = await tenant();
    const call = place({ tollgate_callee: account, tollgate_route: 'anywhere' }, '4930999');
    expect(await fate(call)).toBe(200);
    await hangUp(call);
    await cdrsOf(account, 1);
    expect(await stage.balance(account)).toBe(micros('10.00'));
  });

  it('once where the first carrier fails: the hold stays for the second', async () => {
    const account = await tenant({ calls: 1 });
    const call = place({ tollgate_account: account, first_carrier: 'true' });
    expect(await fate(call)).toBe(200);
    expect(placedBy(stage, call)).toHaveLength(2);
    await hangUp(call);
    const cdrs = await cdrsOf(account, 1);
    expect(cdrs).toHaveLength(1);
    expect(await stage.balance(account)).toBe(micros('10.00') - 10_000n);
  });

  it('as long as the carrier’s leg lives, even where the caller has transferred it and is gone', async () => {
    const account = await tenant();
    const call = place({ tollgate_account: account });
    expect(await fate(call)).toBe(200);
    const [carrier] = placedBy(stage, call);
    stage.sim.dialplan(({ destination }) => (destination === 'music' ? [['sleep', '60000']] : undefined));
    call.refer('music');
    await allEnded([call]);
    await eventually(
      async () => await (await stage.live()).calls(account as AccountPath),
      ([leg]) => leg?.state === 'answered' && leg.uuid === carrier?.uuid,
    );
    await eventually(
      () => stage.sim.core.nowTrueMs() - (carrier?.answeredMicros ?? 0) / 1_000,
      (talkedMs) => talkedMs > 1_200,
    );
    stage.sim.hangup(carrier?.uuid ?? '');
    const [cdr] = await cdrsOf(account, 1);
    expect(cdr).toMatchObject({ legUuid: carrier?.uuid, billedSeconds: 2 });
    expect(await stage.balance(account)).toBe(micros('10.00') - 20_000n);
  });
});

it('nothing is left behind by all of these', async () => {
  const live = await stage.live();
  await eventually(
    async () => await live.calls(undefined),
    (calls) => calls.length === 0,
  );
  expect(await stage.findings()).toEqual([]);
});
