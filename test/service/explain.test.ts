import { afterEach, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/program.ts';
import type { SimulatedCall } from '../../src/simulator/inbound-call.ts';
import type { LegUuid } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, placeCalls, settled, useGates } from './acts.ts';
import { createStage, eventually, type Stage } from './stage.ts';

let stage: Stage;

afterEach(async () => {
  await stage.close();
});

async function openStage(): Promise<void> {
  await freshRedis();
  stage = await createStage(redisUrl());
  await stage.tariff('standard', 'prefix,rate,minimum,increment\n49,1.00,1,1\n');
  await stage.account({ account: 'acme', operator: { calls: 5, callsPerSecond: 50 } });
  await stage.account({
    account: 'acme/shop',
    wallet: 'EUR',
    tariff: 'standard',
    operator: { calls: 2, trunks: { outbound: 1 }, flatRate: { whitelist: [String.raw`^\+4930`] } },
  });
  await stage.route({ route: 'carrier', outboundCalls: 30 });
  await stage.topUp('acme/shop', '0.05');
  useGates(stage.sim, 'socket', [await stage.startController()]);
  stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 20 });
}

const dial = (to: string, hangsUpAfterAnswerMs = 300): SimulatedCall => {
  const variables = { tollgate_account: 'acme/shop', tollgate_route: 'carrier' };
  const [call] = placeCalls(stage, 1, () => ({ to, variables, hangsUpAfterAnswerMs }));
  if (call === undefined) throw new Error('one was placed');
  return call;
};

async function tollgate(...args: readonly string[]): Promise<string> {
  let out = '';
  await runCli(args, {
    environment: stage.environment(),
    now: () => toEpochMs(Date.now()),
    print: (text) => {
      out += text;
    },
    say: () => undefined,
    connectLiveState: () => Promise.reject(new Error('not needed')),
    serve: () => Promise.resolve(0),
  });
  // How many calls came within a second, and what the last pulse left, is the machine's business.
  return out
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'WHEN')
    .replaceAll(/(callsPerSecond) \d+(?: → \d+)? of/g, '$1 N of')
    .replaceAll(/(left) {2}\S+ of/g, '$1  REST of');
}

/** Once so many decisions on the call are on record. */
async function explained(call: SimulatedCall, decisions: number): Promise<string> {
  await eventually(
    () => stage.database.records.decisionsOf(call.uuid as LegUuid),
    (rows) => rows.length >= decisions,
  );
  return await tollgate('explain', call.uuid);
}

describe('tollgate explain', () => {
  it('tells of every level what was in use, who paid, and why not otherwise', async () => {
    await openStage();
    const first = dial('4930123', 2_000);
    await eventually(
      () => first.truth?.answeredMicros,
      (answered) => answered !== undefined,
    );
    const second = dial('4930123');
    await eventually(
      () => second.truth?.answeredMicros,
      (answered) => answered !== undefined,
    );
    expect(await explained(second, 1)).toContain(
      `WHEN  admitted for acme/shop: paid per minute; acme/shop had no trunk free
  call     outbound, 4930123 by carrier, international
  limits   acme: calls 1 → 2 of 5, callsPerSecond N of 50
`,
    );
    expect(await explained(second, 1)).toContain(
      `
  limits   acme/shop: calls 1 → 2 of 2
  limits   route carrier: outboundCalls 1 → 2 of 30
  paid by  acme/shop: standard version 1, rate 1 for 49
           1.00 a minute, pulses of 1 s, then 1 s
           0.016667 to begin, 0.05 EUR available, balance 0.05
  not by   acme/shop: a flat-rate trunk; 0 of 0 inbound, 1 of 1 outbound in use, 0 shared
  lasts    3 s on what there was then
`,
    );
    const third = dial('4930123');
    await allEnded([third]);
    expect(await explained(third, 1)).toBe(
      `WHEN  refused: acme/shop has 2 of 2 calls in use
  call    acme/shop → 4930123 by carrier, international
  limits  acme: calls 2 of 5, callsPerSecond N of 50
  limits  acme/shop: calls 2 of 2 (full)
`,
    );
    await allEnded([first, second]);
    await settled(stage, 2);
    expect(await explained(first, 1)).toContain('WHEN  admitted for acme/shop: paid by a flat-rate trunk\n');
  });

  it('gives every limit with its use before and after as JSON', async () => {
    await openStage();
    const call = dial('4930123');
    await allEnded([call]);
    await explained(call, 1);
    const { decisions } = JSON.parse(await tollgate('explain', call.uuid, '--json')) as {
      readonly decisions: readonly { readonly inputs: { readonly limits: readonly object[] } }[];
    };
    expect(decisions[0]?.inputs.limits).toContainEqual({
      holder: 'acme',
      limit: 'calls',
      before: 0,
      after: 1,
      bound: 5,
    });
    expect(decisions[0]?.inputs.limits).toContainEqual({
      holder: 'acme/shop',
      limit: 'publicCalls',
      before: 0,
      after: 1,
      bound: 'unlimited',
    });
  });

  it('tells of a call that was refused for want of money what was in use and what it was to cost', async () => {
    await openStage();
    await stage.tariff('dear', 'prefix,rate,minimum,increment\n49,1.00,1,1\n4999,6.00,1,1\n');
    await stage.account({
      account: 'acme/poor',
      wallet: 'EUR',
      tariff: 'dear',
      operator: { calls: 2, trunks: { outbound: 1 }, flatRate: { whitelist: [String.raw`^\+4930`] } },
    });
    await stage.topUp('acme/poor', '0.05');
    const [call] = placeCalls(stage, 1, () => ({
      to: '4999123',
      variables: { tollgate_account: 'acme/poor', tollgate_route: 'carrier' },
    }));
    if (call === undefined) throw new Error('one was placed');
    await allEnded([call]);
    expect(await explained(call, 1)).toBe(
      `WHEN  refused: acme/poor has 0.05 available; the call needs 0.10 to begin
  call    acme/poor → 4999123 by carrier, international
  limits  acme: calls 0 of 5, callsPerSecond N of 50
  limits  acme/poor: calls 0 of 2
  price   acme/poor: dear version 1, rate 2 for 4999
          6.00 a minute, pulses of 1 s, then 1 s
`,
    );
  });

  it('tells of a number that is called too often in words', async () => {
    await openStage();
    await stage.account({
      account: 'acme/desk',
      operator: { perNumber: [{ pattern: String.raw`^\+4930`, calls: 0 }] },
    });
    const [call] = placeCalls(stage, 1, () => ({
      to: '4930123',
      variables: { tollgate_callee: 'acme/desk', tollgate_route: 'carrier' },
    }));
    if (call === undefined) throw new Error('one was placed');
    await allEnded([call]);
    expect(await explained(call, 1)).toBe(
      `WHEN  refused: acme/desk has 0 of 0 calls to 4930123 in use
  call    acme/desk (4930123) by carrier, international
  limits  acme: calls 0 of 5, callsPerSecond N of 50
  limits  acme/desk: calls to 4930123 0 of 0 (full)
`,
    );
  });

  it('says in words why a call was ended, and with what was left', async () => {
    await openStage();
    const call = dial('4999123', 60_000);
    await allEnded([call]);
    await settled(stage, 1);
    const text = await explained(call, 2);
    expect(text).toContain('; 4999123 is no flat-rate number of acme/shop\n');
    expect(text).toContain(
      `WHEN  ended by Tollgate for acme/shop: its money was used up
  left  REST of acme/shop
`,
    );
  });
});
