import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import type { CallRequest, SimulatedCall } from '../../src/simulator/inbound-call.ts';
import { walletLedger } from '../../src/records/records.ts';
import type { AccountPath, LegUuid } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { connectTestRedis, freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, placeCalls, placedBy, settled, useGates } from './acts.ts';
import { createStageCli } from './stage-cli.ts';
import { createStage, eventually, micros, type Stage } from './stage.ts';

let stage: Stage;

afterEach(async () => {
  await stage.close();
});

type Variables = Readonly<Record<string, string>>;

async function openStage(
  gate: 'socket' | 'park',
  controllers = 1,
  nodes = 1,
  settings: Variables = {},
): Promise<void> {
  await freshRedis();
  stage = await createStage(redisUrl(), { nodes });
  const services = [];
  for (let n = 0; n < controllers; n += 1) services.push(await stage.startController(settings));
  for (const sim of stage.sims) {
    sim.endpoint(/pstn/, { kind: 'answers', afterMs: 50 });
    useGates(sim, gate, services);
  }
}

const BY_THE_SECOND = { cps: '0.10', ipulse: '1', fpulse: '1' };

/** `{ max_credit: '1.00' }` as channel variables of john's. */
function johns(variables: Variables): Partial<CallRequest> {
  const named = Object.entries({ customer: 'john', ...variables });
  return { variables: Object.fromEntries(named.map(([name, value]) => [`tollgate_${name}`, value])) };
}

const call = (variables: Variables): SimulatedCall => {
  const [placed] = placeCalls(stage, 1, () => johns(variables));
  if (placed === undefined) throw new Error('a call was placed');
  return placed;
};

const answered = (...calls: readonly SimulatedCall[]) =>
  eventually(
    () => calls.flatMap((each) => placedBy(stage, each)),
    (legs) => legs.length === calls.length && legs.every((leg) => leg.answeredMicros !== undefined),
  );

const decisionOf = (placed: SimulatedCall) =>
  eventually(
    () =>
      stage.sim
        .legs()
        .find(({ uuid }) => uuid === placed.uuid)
        ?.variable('tollgate_decision'),
    (decision) => decision !== undefined,
  );

const isProved = () =>
  eventually(
    () => stage.findings(),
    (findings) => findings.length === 0,
  );

describe.each(['socket', 'park'] as const)(
  'a call of a customer that is stored nowhere, at the %s gate',
  (gate) => {
    it('is cut when his money is spent, and charged what it came with', async () => {
      await openStage(gate);
      const placed = call({ ...BY_THE_SECOND, max_credit: '0.35', connect: '0.05' });
      await allEnded([placed]);
      const [cdr] = await settled(stage, 1, 'adhoc');
      expect(cdr).toMatchObject({
        account: 'adhoc/john',
        billedSeconds: 3,
        cut: 'credit',
        funding: 'per_minute',
        cause: 'ALLOTTED_TIMEOUT',
      });
      const charges = await stage.database.records.chargesOf(cdr?.legUuid ?? ('' as LegUuid));
      expect(charges).toMatchObject([
        { payer: 'adhoc/john', tariff: 'adhoc', tariffVersion: 0, price: micros('0.35'), currency: 'EUR' },
      ]);
      await isProved();
      expect(await stage.balance('adhoc/john')).toBe(0n);
    });

    it('ends with all others when his seconds are used up, whatever money there is', async () => {
      await openStage(gate);
      const pools = { ...BY_THE_SECOND, max_credit: '10.00', max_time: '6' };
      const calls = [call(pools), call(pools)];
      await allEnded(calls);
      const cdrs = await settled(stage, 2, 'adhoc');
      expect(cdrs.map(({ cut }) => cut)).toEqual(['max_time', 'max_time']);
      const seconds = cdrs.reduce((sum, { billedSeconds }) => sum + billedSeconds, 0);
      expect(seconds).toBe(6);
      const ends = calls.flatMap((each) => placedBy(stage, each).map((leg) => leg.hungUpMicros ?? 0));
      expect(Math.abs((ends[0] ?? 0) - (ends[1] ?? 0))).toBeLessThan(1_000_000);
      await isProved();
      expect(await stage.balance('adhoc/john')).toBe(0n);
    });

    it('is refused beyond his channels, with the words that say so', async () => {
      await openStage(gate);
      const first = call({ max_channels: '1' });
      await answered(first);
      const second = call({ max_channels: '1' });
      await allEnded([second]);
      expect(await decisionOf(second)).toBe('refused');
      const [refusal] = await eventually(
        async () => await stage.database.records.decisionsOf(second.uuid as LegUuid),
        (decisions) => decisions.length === 1,
      );
      expect(refusal?.inputs['words']).toBe('adhoc/john has 1 of 1 calls in use');
      first.hangup();
      await allEnded([first]);
      expect(await settled(stage, 1, 'adhoc')).toMatchObject([{ cut: undefined, funding: 'none' }]);
      await isProved();
    });

    it('is refused where a variable cannot be read, and counted nowhere', async () => {
      await openStage(gate);
      const placed = call({ max_credit: 'lots', cps: '0.10' });
      expect(await decisionOf(placed)).toBe('refused');
      const [refusal] = await eventually(
        async () => await stage.database.records.decisionsOf(placed.uuid as LegUuid),
        (decisions) => decisions.length === 1,
      );
      expect(refusal?.inputs).toMatchObject({
        limit: 'tollgate_max_credit',
        words:
          'tollgate_max_credit is "lots": expected a decimal such as 0.10 from 0 to 1000000000.00, with at most six decimals',
      });
      expect(await (await stage.live()).calls(undefined)).toEqual([]);
    });
  },
);

describe('a call of a customer', () => {
  it('that nobody answers gives back all that it held, and its pool is closed', async () => {
    await openStage('socket');
    stage.sim.endpoint(/pstn/, { kind: 'rings' });
    const placed = call({ ...BY_THE_SECOND, max_credit: '1.00', max_time: '60', max_channels: '1' });
    await eventually(
      async () => await (await stage.live()).customers(),
      (customers) => customers.length === 1,
    );
    placed.hangup();
    await allEnded([placed]);
    await eventually(
      async () => await (await stage.live()).customers(),
      (customers) => customers.length === 0,
    );
    await isProved();
    expect(await stage.balance('adhoc/john')).toBe(0n);
  });

  it('goes on past every timer of before when its seconds are extended, and ends by the new ones', async () => {
    await openStage('socket', 1, 1, { TOLLGATE_DEADMAN_SLACK_SECONDS: '1' });
    const placed = call({ max_time: '2' });
    const [leg] = await answered(placed);
    await eventually(
      async () => await (await stage.live()).calls(undefined),
      (live) => live[0]?.state === 'answered' && live[0].cutoffAt !== undefined,
    );
    const { run } = createStageCli(stage);
    expect((await run('customer', 'extend', 'john', '--seconds', '3')).code).toBe(0);
    await allEnded([placed]);
    expect(await settled(stage, 1, 'adhoc')).toMatchObject([{ billedSeconds: 5, cut: 'max_time' }]);
    expect(leg?.endedBy).toBe('api');
    await isProved();
  });

  it('to an account of ours is charged as it says, though such calls cost nothing else', async () => {
    await openStage('socket');
    await stage.account({ account: 'acme' });
    const placed = call({ callee: 'acme', ...BY_THE_SECOND, max_credit: '0.20' });
    await allEnded([placed]);
    const cdrs = await settled(stage, 1, 'adhoc');
    expect(cdrs).toMatchObject([{ direction: 'internal', billedSeconds: 2, cut: 'credit' }]);
    await isProved();
    expect(await stage.balance('adhoc/john')).toBe(0n);
  });
});

describe('with two controllers and two FreeSWITCH servers', () => {
  it('all share one pool, and a call that brings more keeps all of them up', async () => {
    await openStage('socket', 2, 2);
    const first = call({ ...BY_THE_SECOND, max_credit: '0.30' });
    await answered(first);
    const second = stage.sims[1]?.placeCall({
      from: '1001',
      to: '4930123',
      ...johns({ ...BY_THE_SECOND, max_credit: '0.80' }),
    });
    if (second === undefined) throw new Error('there are two servers');
    await allEnded([first, second]);
    const cdrs = await settled(stage, 2, 'adhoc');
    expect(cdrs.map(({ cut }) => cut)).toEqual(['credit', 'credit']);
    expect(new Set(cdrs.map(({ node }) => node)).size).toBe(2);
    expect(cdrs.reduce((sum, { billedSeconds }) => sum + billedSeconds, 0)).toBe(8);
    await isProved();
    expect(await stage.balance('adhoc/john')).toBe(0n);
  });
});

describe('a customer below a stored account', () => {
  it('pays beside it, and every limit of the account holds', async () => {
    await openStage('socket');
    await stage.tariff('standard', 'prefix,rate,minimum,increment\n49,0.60,1,1\n');
    await stage.account({ account: 'acme', wallet: 'EUR', tariff: 'standard', operator: { calls: 1 } });
    await stage.topUp('acme', '10.00');
    const placed = call({ account: 'acme', ...BY_THE_SECOND, max_credit: '0.20' });
    await allEnded([placed]);
    const [cdr] = await settled(stage, 1);
    expect(cdr).toMatchObject({ account: 'acme/adhoc.john', billedSeconds: 2, cut: 'credit' });
    await isProved();
    expect(await stage.balance('acme')).toBe(micros('9.98'));
    expect(await stage.balance('acme/adhoc.john')).toBe(0n);
  });
});

describe('when a controller stops in the middle of the calls', () => {
  it('the next one finds them, cuts them in time and closes the pool', async () => {
    await freshRedis();
    stage = await createStage(redisUrl());
    stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 50 });
    const first = await stage.startController();
    useGates(stage.sim, 'socket', [first]);
    const calls = [1, 2].map(() => call({ ...BY_THE_SECOND, max_credit: '1.40', max_time: '60' }));
    await answered(...calls);
    await eventually(
      async () => await (await stage.live()).calls(undefined),
      (live) => live.filter(({ state }) => state === 'answered').length === 2,
    );
    await first.stop();
    await stage.startController();
    await allEnded(calls);
    const cdrs = await settled(stage, 2, 'adhoc');
    expect(cdrs.map(({ cut }) => cut)).toEqual(['credit', 'credit']);
    expect(cdrs.reduce((sum, { billedSeconds }) => sum + billedSeconds, 0)).toBe(14);
    await isProved();
    expect(await stage.balance('adhoc/john')).toBe(0n);
  });
});

describe('when Redis has lost all that it held', () => {
  it.each(['the same controller', 'another controller'])(
    '%s goes on with the calls that talk, by what the books say is left of their pool',
    async (who) => {
      const often = { TOLLGATE_CONTROLLER_RESYNC_MS: '500' };
      await openStage('socket', 0);
      const first = await stage.startController(often);
      useGates(stage.sim, 'socket', [first]);
      const pools = { ...BY_THE_SECOND, max_credit: '1.50' };
      const over = call(pools);
      const calls = [call(pools), call(pools)];
      await answered(over, ...calls);
      await eventually(
        async () => await (await stage.live()).calls(undefined),
        (live) => live.filter(({ state }) => state === 'answered').length === 3,
      );
      over.hangup();
      const [ended] = await settled(stage, 1, 'adhoc');
      if (who === 'another controller') await first.stop();
      await connectTestRedis().flushdb();
      if (who === 'another controller') await stage.startController(often);
      await allEnded(calls);
      const cdrs = await settled(stage, 3, 'adhoc');
      const talked = cdrs.filter(({ legUuid }) => legUuid !== ended?.legUuid);
      expect(talked.map(({ cut }) => cut)).toEqual(['credit', 'credit']);
      // All that the pool was opened with, and not a second more: the books knew what had been spent of it.
      expect(cdrs.reduce((sum, { billedSeconds }) => sum + billedSeconds, 0)).toBe(15);
      await isProved();
      expect(await stage.balance('adhoc/john')).toBe(0n);
      const { rows } = await stage.database.records.transfersOf({
        ledger: walletLedger('adhoc/john' as AccountPath),
        from: toEpochMs(0),
        to: toEpochMs(Number.MAX_SAFE_INTEGER),
        order: 'oldest_first',
        limit: 10,
      });
      expect(rows.map(({ kind }) => kind).toSorted()).toEqual(['charge', 'charge', 'charge', 'opening']);
    },
  );
});

describe('when Redis has lost all that it held, and nothing has looked for the calls that talk', () => {
  const seldom = { TOLLGATE_CONTROLLER_RESYNC_MS: '3600000' };
  const pools = { ...BY_THE_SECOND, max_credit: '1.00' };

  /** One call of john's has ended and is charged, another talks, and Redis knows of neither. */
  const losing = async (
    settings: Variables = {},
  ): Promise<{ readonly talking: SimulatedCall; readonly spent: number }> => {
    await openStage('socket', 0);
    useGates(stage.sim, 'socket', [await stage.startController({ ...seldom, ...settings })]);
    const [over, talking] = [call(pools), call(pools)];
    await answered(over, talking);
    await eventually(
      async () => await (await stage.live()).calls(undefined),
      (live) => live.filter(({ state }) => state === 'answered').length === 2,
    );
    over.hangup();
    const [ended] = await settled(stage, 1, 'adhoc');
    await eventually(
      () => stage.findings(),
      (findings) => findings.length === 0,
    );
    await connectTestRedis().flushdb();
    return { talking, spent: ended?.billedSeconds ?? 0 };
  };

  it('a call anew of the customer goes on with what the books say is left of his pool', async () => {
    const { talking, spent } = await losing();
    const { run, ask } = createStageCli(stage);
    const flags = Object.entries(pools).flatMap(([name, value]) => [`--${name.replace('_', '-')}`, value]);
    const checked = await run('check', '--customer', 'john', ...flags, '--to', '4930123', '--route', 'pstn');
    expect(checked.out).toContain(`0.10 of 0.${10 - spent}0 EUR available`);
    const anew = call(pools);
    await answered(anew);
    const { json } = await ask('customers');
    expect(json).toMatchObject([{ customer: 'john', calls: 1, credit: { amount: { amount: '1.00' } } }]);
    await allEnded([anew]);
    const cdrs = await settled(stage, 2, 'adhoc');
    const last = cdrs.find(({ cut }) => cut !== undefined);
    expect(last).toMatchObject({ cut: 'credit', billedSeconds: 10 - spent });
    await isProved();
    expect(await stage.balance('adhoc/john')).toBe(0n);
    talking.hangup();
    await allEnded([talking]);
  });

  it.each([
    ['refuse', 'refused'],
    ['allow', 'store_down'],
  ] as const)('a record that cannot be asked is as a store that is down: %s', async (onDown, decision) => {
    const { talking, spent } = await losing({ TOLLGATE_STORE_ON_DOWN: onDown });
    const record = new DatabaseSync(stage.environment()['TOLLGATE_DATABASE_URL'] ?? '');
    record.exec('ALTER TABLE transfer RENAME TO away');
    const blind = call(pools);
    expect(await decisionOf(blind)).toBe(decision);
    blind.hangup();
    await allEnded([blind]);
    record.exec('ALTER TABLE away RENAME TO transfer');
    record.close();
    const anew = call(pools);
    await allEnded([anew]);
    expect(await settled(stage, 2, 'adhoc')).toContainEqual(
      expect.objectContaining({ cut: 'credit', billedSeconds: 10 - spent }),
    );
    talking.hangup();
    await allEnded([talking]);
    await isProved();
    expect(await stage.balance('adhoc/john')).toBe(0n);
  });

  it('verify names what is left of his pool, and --fix closes it once none of his calls can be up', async () => {
    const { talking, spent } = await losing();
    const { run } = createStageCli(stage);
    const left = micros(`0.${10 - spent}0`);
    const named = await run('verify');
    expect(named).toMatchObject({ code: 1 });
    expect(named.err).toContain('adhoc/john');
    // A call that Redis does not know of may be his.
    expect(await run('verify', '--fix')).toMatchObject({ code: 1 });
    expect(await stage.balance('adhoc/john')).toBe(left);
    talking.hangup();
    await allEnded([talking]);
    const fixed = await run('verify', '--fix');
    expect(fixed.out).toContain(
      `adhoc/john: closed the pool that Redis has lost, 0.${10 - spent}0 EUR were left in it`,
    );
    expect(fixed).toMatchObject({ code: 0 });
    await eventually(
      () => stage.balance('adhoc/john'),
      (balance) => balance === 0n,
    );
    expect(await run('verify', '--fix')).toMatchObject({ code: 0 });
    const anew = call({ ...BY_THE_SECOND, max_credit: '0.20' });
    await allEnded([anew]);
    expect(await settled(stage, 2, 'adhoc')).toContainEqual(
      expect.objectContaining({ cut: 'credit', billedSeconds: 2 }),
    );
    await isProved();
  });
});

describe('the command line', () => {
  const john = { ...BY_THE_SECOND, max_credit: '0.40' };

  it('shows a customer while he has calls, extends his pools once by id, and ends all of his calls', async () => {
    await openStage('socket');
    const { run, ask } = createStageCli(stage);
    expect((await run('customer', 'extend', 'john', '--credit', '1.00')).code).toBe(1);
    const pools = { ...john, max_time: '600' };
    const calls = [call(pools), call(pools)];
    await answered(...calls);
    for (let time = 0; time < 2; time += 1) {
      const extended = await ask('customer', 'extend', 'john', '--credit', '100.00', '--id', 'X-1');
      expect(extended).toMatchObject({ code: 0, json: { result: time === 0 ? 'moved' : 'already' } });
    }
    expect((await run('customer', 'extend', 'adhoc/john', '--seconds', '60')).code).toBe(0);
    const { json } = await ask('customers');
    expect(json).toMatchObject([
      {
        path: 'adhoc/john',
        customer: 'john',
        calls: 2,
        credit: { amount: { amount: '100.40', currency: 'EUR' } },
        time: { seconds: 660 },
      },
    ]);
    await eventually(
      () =>
        stage.sim.core.nowTrueMs() -
        Math.max(...stage.sim.legs().map((leg) => (leg.answeredMicros ?? 0) / 1_000)),
      (talkedMs) => talkedMs > 2_500,
    );
    const shown = await run('customer', 'show', 'john');
    expect(shown).toMatchObject({ code: 0 });
    expect(shown.out).toContain('2 calls, 2 answered');
    const [one, other] = calls.flatMap((each) => placedBy(stage, each));
    expect((await run('kill', one?.uuid ?? '')).code).toBe(0);
    await settled(stage, 1, 'adhoc');
    expect(other?.hungUpMicros).toBeUndefined();
    expect((await run('customer', 'terminate', 'john')).code).toBe(0);
    await allEnded(calls);
    const cdrs = await settled(stage, 2, 'adhoc');
    expect(cdrs.map(({ cut, cause }) => [cut, cause])).toEqual([
      [undefined, 'CALL_REJECTED'],
      [undefined, 'CALL_REJECTED'],
    ]);
    await isProved();
    expect(await stage.balance('adhoc/john')).toBe(0n);
    expect((await ask('customers')).json).toEqual([]);
  });

  it('counts what became of the calls of all customers', async () => {
    await openStage('park');
    const { ask } = createStageCli(stage);
    const spent = call({ ...BY_THE_SECOND, max_credit: '0.20' });
    const timed = call({ customer: 'mary', max_time: '2', max_channels: '1' });
    await answered(spent, timed);
    const third = call({ customer: 'mary', max_time: '2', max_channels: '1' });
    const poor = call({ customer: 'paul', ...BY_THE_SECOND, max_credit: '0.05' });
    await allEnded([spent, timed, third, poor]);
    await settled(stage, 2, 'adhoc');
    const counted = await eventually(
      async () => (await ask('customer', 'statistics')).json,
      (json) => JSON.stringify(json).includes('"channels":1') && JSON.stringify(json).includes('"calls":2'),
    );
    expect(counted).toEqual({
      active: { customers: 0, calls: 0 },
      onRecord: {
        customers: 2,
        calls: 2,
        answered: 2,
        ended: { credit: 1, time: 1 },
        refused: { credit: 1, time: 0, channels: 1, other: 0 },
      },
    });
    await isProved();
  });

  it('refuses what it cannot read', async () => {
    await openStage('socket');
    const { run } = createStageCli(stage);
    for (const [args, words] of [
      [['show', 'j ohn'], 'CUSTOMER: j ohn: expected a name such as john'],
      [['show', 'acme/retail'], 'CUSTOMER: acme/retail: expected a name such as john'],
      [['extend', 'john'], '--credit: nothing: expected either --credit AMOUNT or --seconds N'],
      [['extend', 'john', '--credit', '1', '--seconds', '2'], '--credit: both: expected either'],
      [['extend', 'john', '--seconds', '0'], '--seconds: 0: expected more than nothing'],
    ] as const) {
      const { code, err } = await run('customer', ...args);
      expect(err).toContain(words);
      expect(code).toBe(2);
    }
  });
});
