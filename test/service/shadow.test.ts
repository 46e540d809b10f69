import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/program.ts';
import type { Decision } from '../../src/records/records.ts';
import type { SimulatedCall } from '../../src/simulator/inbound-call.ts';
import type { LegUuid } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, placeCalls, settled, useGates } from './acts.ts';
import { createStage, eventually, micros, type Stage } from './stage.ts';

let stage: Stage;

afterEach(async () => {
  await stage.close();
});

type Document = Readonly<Record<string, unknown>>;

async function open(
  accounts: readonly Document[],
  gate: 'socket' | 'park' = 'socket',
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  await freshRedis();
  stage = await createStage(redisUrl());
  await stage.tariff('standard', 'prefix,rate,minimum,increment\n49,0.60,1,1\n');
  for (const account of accounts) await stage.account(account);
  useGates(stage.sim, gate, [
    await stage.startController({ TOLLGATE_ADMISSION_UNFUNDED: 'allow', ...settings }),
  ]);
  stage.sim.endpoint(/pstn/, { kind: 'rings' });
}

const dial = (account: string, request: { readonly hangsUpAfterAnswerMs?: number } = {}): SimulatedCall => {
  const variables = { tollgate_account: account, tollgate_route: 'carrier' };
  const [call] = placeCalls(stage, 1, () => ({ variables, ...request }));
  if (call === undefined) throw new Error('one was placed');
  return call;
};

const decided = (call: SimulatedCall): Promise<string | undefined> =>
  eventually(
    () => call.truth?.variable('tollgate_decision'),
    (decision) => decision !== undefined,
  );

async function judged(call: SimulatedCall, count = 1): Promise<readonly Decision[]> {
  const ofJudges = ({ kind }: Decision): boolean => kind === 'shadow' || kind === 'dry_run';
  const decisions = await eventually(
    () => stage.database.records.decisionsOf(call.uuid as LegUuid),
    (rows) => rows.filter(ofJudges).length >= count,
  );
  return decisions.filter(ofJudges);
}

const verdictOf = async (call: SimulatedCall): Promise<string> => {
  const [decision] = await judged(call);
  const { verdict = '', inputs } = decision ?? {};
  return verdict === 'refused' ? `refused: ${String(inputs?.['words'])}` : verdict;
};

async function tollgate(...args: readonly string[]): Promise<string> {
  let out = '';
  const live = await stage.live();
  const code = await runCli(args, {
    environment: stage.environment(),
    now: () => toEpochMs(Date.now() + 60_000),
    print: (text) => {
      out += text;
    },
    say: (line) => {
      out += `${line}\n`;
    },
    connectLiveState: () => Promise.resolve({ live, close: () => Promise.resolve() }),
    serve: () => Promise.resolve(0),
  });
  return `${code} ${out}`.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'WHEN');
}

describe('shadow limits', () => {
  it.each(['socket', 'park'] as const)(
    'refuse nobody and tell whom they would have refused, at the gate %s',
    async (gate) => {
      await open([{ account: 'acme', operator: { calls: 3 }, shadow: { calls: 1 } }], gate);
      const calls: SimulatedCall[] = [];
      for (let n = 0; n < 4; n += 1) {
        const call = dial('acme');
        await decided(call);
        calls.push(call);
      }
      const verdicts = [];
      for (const call of calls) verdicts.push(await verdictOf(call));
      expect(verdicts).toEqual([
        'admitted',
        'refused: acme has 1 of 1 calls in use',
        'refused: acme has 2 of 1 calls in use',
        'refused: acme has 3 of 1 calls in use',
      ]);
      expect(calls.map((call) => call.truth?.variable('tollgate_decision'))).toEqual([
        ...Array<string>(3).fill('admitted'),
        'refused',
      ]);
      expect(await tollgate('shadow', 'report', '--from', '2026-01-01')).toBe(
        `0 shadow limits from WHEN to WHEN UTC: each call judged by itself
acme: of 4 calls 3 would have been refused, 2 of them went through
  calls  3 refused
`,
      );
      const [, second] = calls;
      if (second === undefined) throw new Error('four were placed');
      expect(await tollgate('explain', second.uuid)).toContain(
        `WHEN  shadow limits of acme: would have been refused: acme has 1 of 1 calls in use
  limits  acme: calls 1 of 1 (full)
`,
      );
    },
  );

  it('of thirty calls at once would have let exactly as many through as they say', async () => {
    await open([{ account: 'acme', shadow: { calls: 10, callsPerSecond: 12 } }]);
    const calls = placeCalls(stage, 30);
    const verdicts = await Promise.all(calls.map(verdictOf));
    // Each saw what was in use when it was taken, whatever came after it.
    expect(verdicts.filter((verdict) => verdict === 'admitted')).toHaveLength(10);
    const seen = verdicts.flatMap((verdict) => /has (\d+) of 10 calls/.exec(verdict)?.[1] ?? []);
    expect(seen.map(Number).toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: 20 }, (_, n) => n + 10),
    );
  });

  it('are judged account by account, in the place of what the account itself says', async () => {
    await open([
      { account: 'acme', operator: { calls: 9 }, shadow: { outboundCalls: 0 } },
      { account: 'acme/shop', operator: { calls: 1 }, shadow: { calls: 2 } },
    ]);
    const first = dial('acme/shop');
    await decided(first);
    const next = dial('acme/shop');
    expect(await decided(next)).toBe('refused');
    const of = (decisions: readonly Decision[]): readonly string[] =>
      decisions
        .map(({ account, verdict, inputs }) => `${account} ${verdict} ${String(inputs['really'])}`)
        .toSorted();
    expect(of(await judged(first, 2))).toEqual(['acme refused admitted', 'acme/shop admitted admitted']);
    expect(of(await judged(next, 2))).toEqual(['acme refused refused', 'acme/shop admitted refused']);
    expect(await tollgate('shadow', 'report', '--from', '2026-01-01', '--account', 'acme/shop')).toBe(
      `0 shadow limits from WHEN to WHEN UTC: each call judged by itself
acme/shop: of 2 calls 0 would have been refused, 0 of them went through
  1 that were refused would have been let through
`,
    );
  });

  it('hold money against what there was beside the call itself', async () => {
    await open([
      {
        account: 'acme',
        wallet: 'EUR',
        tariff: 'standard',
        operator: { allowPostpay: true, maxPostpay: '1.00' },
        shadow: { maxPostpay: '0.00' },
      },
    ]);
    await stage.topUp('acme', '0.015');
    const first = dial('acme');
    await decided(first);
    const second = dial('acme');
    expect(await decided(second)).toBe('admitted');
    expect(await verdictOf(first)).toBe('admitted');
    expect(await verdictOf(second)).toBe('refused: acme has 0.005 available; the call needs 0.01 to begin');
  });

  it('tell which calls they would have cut short', async () => {
    await open([
      {
        account: 'acme',
        wallet: 'EUR',
        tariff: 'standard',
        shadow: { maxCallSeconds: 1 },
      },
    ]);
    await stage.topUp('acme', '1.00');
    stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 10 });
    const call = dial('acme', { hangsUpAfterAnswerMs: 1_500 });
    await allEnded([call]);
    expect(await settled(stage, 1)).toMatchObject([{ billedSeconds: 2, cut: undefined }]);
    const decisions = await judged(call, 2);
    expect(decisions.map(({ verdict }) => verdict)).toEqual(['admitted', 'cut']);
    expect(await tollgate('shadow', 'report', '--from', '2026-01-01')).toContain(
      `acme: of 1 calls 0 would have been refused, 0 of them went through
  maxCallSeconds  0 refused  1 cut
  1 would have been cut short
`,
    );
    expect(await stage.findings()).toEqual([]);
  });

  it('are set, shown and cleared while calls run, and leave an emergency alone', async () => {
    await open([{ account: 'acme' }]);
    const file = join(dirname(stage.environment()['TOLLGATE_DATABASE_URL'] ?? ''), 'shadow.yaml');
    writeFileSync(file, 'calls: 0\nperNumber: [{ pattern: "^[+]49", calls: 1 }]\n');
    expect(await tollgate('shadow', 'set', 'acme', file)).toBe('0 acme: saved\n');
    expect(await tollgate('shadow', 'show', 'acme')).toBe(
      '0 acme\n  calls      0\n  perNumber  [{"pattern":"^[+]49","calls":1}]\n',
    );
    await eventually(
      async () => {
        const call = dial('acme');
        await decided(call);
        const rows = await stage.database.records.decisionsOf(call.uuid as LegUuid);
        call.hangup();
        return rows.filter(({ kind }) => kind === 'shadow').length;
      },
      (count) => count > 0,
    );
    writeFileSync(file, 'calls: 0\nenforcement: dry_run\nsoftLimitInbound: true\n');
    const refused = await tollgate('shadow', 'set', 'acme', file);
    expect(refused).toContain('2 ');
    expect(refused).toContain('enforcement: "dry_run": expected to be left out of shadow limits');
    expect(refused).toContain('softLimitInbound:');
    expect(await tollgate('shadow', 'clear', 'acme')).toBe('0 acme: saved\n');
    expect(await tollgate('shadow', 'show', 'acme')).toBe('0 acme: no shadow limits\n');
    expect(await tollgate('shadow', 'show', 'nobody')).toBe('1 no account nobody\n');
  });
});

describe('an account in a dry run', () => {
  it('tells what its limits would have said, and what the call would have cost', async () => {
    await open([
      {
        account: 'acme',
        wallet: 'EUR',
        tariff: 'standard',
        operator: { enforcement: 'dry_run', calls: 1, callsPerSecond: 1 },
      },
    ]);
    await stage.topUp('acme', '1.00');
    stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 10 });
    const first = dial('acme', { hangsUpAfterAnswerMs: 1_500 });
    expect(await decided(first)).toBe('dry_run');
    const second = dial('acme', { hangsUpAfterAnswerMs: 200 });
    expect(await decided(second)).toBe('dry_run');
    await allEnded([first, second]);
    await settled(stage, 2);
    const said = (decisions: readonly Decision[]): readonly unknown[] =>
      decisions.map(({ verdict, reason, inputs }) => [verdict, reason, inputs['limit'] ?? inputs['price']]);
    expect(said(await judged(first, 2))).toEqual([
      ['admitted', 'per_minute', undefined],
      ['dry_run', 'would_charge', '0.02'],
    ]);
    expect(said(await judged(second, 2))).toEqual([
      ['refused', 'limit_reached', 'calls'],
      ['dry_run', 'would_charge', '0.01'],
    ]);
    expect(await tollgate('explain', first.uuid)).toContain(
      'WHEN  dry run of acme: acme would have been charged 0.02 EUR for 2 s\n',
    );
    expect(await tollgate('shadow', 'report', '--from', '2026-01-01', '--dry-run')).toContain(
      'acme: of 2 calls 1 would have been refused, 1 of them went through\n  calls  1 refused\n',
    );
    expect(await stage.balance('acme')).toBe(micros('1.00'));
    expect(await stage.findings()).toEqual([]);
  });

  const wouldCharge = async (call: SimulatedCall): Promise<unknown> => {
    const decisions = await judged(call, 2);
    const verdict = decisions.find(({ verdict: said }) => said === 'admitted' || said === 'refused');
    const charge = decisions.find(({ reason }) => reason === 'would_charge');
    return [verdict?.reason, charge?.inputs['words'], charge?.inputs['price']];
  };
  /** How long each of them talks, one after the other. */
  const talk = async (...seconds: readonly number[]): Promise<readonly SimulatedCall[]> => {
    stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 10 });
    const calls: SimulatedCall[] = [];
    for (const each of seconds) {
      const call = dial('acme', { hangsUpAfterAnswerMs: each * 1_000 - 700 });
      calls.push(call);
      await allEnded([call]);
      await settled(stage, calls.length);
    }
    return calls;
  };

  it('counts what its calls would use of an allotment, tells what it would pay after it, and charges nothing', async () => {
    const allotments = { international: { seconds: 3, cycle: 'daily', minimum: 1, increment: 1 } };
    const operator = { enforcement: 'dry_run', allotments, fundingOrder: ['allotment', 'per_minute'] };
    await open([{ account: 'acme', wallet: 'EUR', tariff: 'standard', operator }]);
    await stage.topUp('acme', '1.00');
    const [first, second, third] = await talk(2, 3, 1);
    if (first === undefined || second === undefined || third === undefined) throw new Error('three talked');
    expect(await wouldCharge(first)).toEqual([
      'allotment',
      'acme would have been charged 2 s of its allotment international for 2 s',
      '0.00',
    ]);
    expect(await wouldCharge(second)).toEqual([
      'allotment',
      'acme would have been charged 1 s of its allotment international for 1 s, then 0.02 EUR for 2 s',
      '0.02',
    ]);
    expect(await wouldCharge(third)).toEqual([
      'per_minute',
      'acme would have been charged 0.01 EUR for 1 s',
      '0.01',
    ]);
    const cdrs = await stage.cdrs('acme');
    expect(cdrs.map(({ billedSeconds, cut, decision }) => [billedSeconds, cut, decision])).toEqual(
      [2, 3, 1].map((each) => [each, undefined, 'dry_run']),
    );
    expect((await stage.database.records.counts()).charges).toBe(0);
    expect(await stage.findings()).toEqual([]);
  });

  it('tells where a call would have ended, because its allotment was all that it had', async () => {
    const allotments = { international: { seconds: 2, cycle: 'daily', minimum: 1, increment: 1 } };
    await open([{ account: 'acme', operator: { enforcement: 'dry_run', allotments } }]);
    const [first, second] = await talk(3, 1);
    if (first === undefined || second === undefined) throw new Error('two talked');
    expect(await wouldCharge(first)).toEqual([
      'allotment',
      'acme would have been charged 2 s of its allotment international for 2 s, and the call of 3 s would have ended then',
      '0.00',
    ]);
    const [verdict, ...more] = await judged(second);
    expect(verdict).toMatchObject({ verdict: 'refused', reason: 'no_allotment' });
    expect(more).toEqual([]);
    expect(await stage.findings()).toEqual([]);
  });

  it('adds up what its calls would spend, and tells whom maxSpend would have ended or refused', async () => {
    const maxSpend = { hour: '1.00', day: '0.03' };
    const operator = { enforcement: 'dry_run', maxSpend };
    await open([{ account: 'acme', wallet: 'EUR', tariff: 'standard', operator }]);
    await stage.topUp('acme', '1.00');
    const check = ['check', 'acme', '--to', '4930123', '--route', 'carrier'] as const;
    expect(await tollgate(...check)).not.toContain('would refuse');
    const [first, second, third] = await talk(2, 3, 1);
    if (first === undefined || second === undefined || third === undefined) throw new Error('three talked');
    const wouldCost = async (call: SimulatedCall): Promise<unknown> =>
      (await judged(call, 2)).find(({ reason }) => reason === 'would_charge')?.inputs['words'];
    expect(await wouldCost(first)).toBe('acme would have been charged 0.02 EUR for 2 s');
    expect(await wouldCost(second)).toBe(
      'acme would have been charged 0.01 EUR for 1 s, and the call of 3 s would have ended then',
    );
    const cuts = (await judged(second, 3)).filter(({ verdict }) => verdict === 'cut');
    expect(cuts).toMatchObject([
      {
        reason: 'spend_limit',
        inputs: {
          words: 'maxSpend day of acme would have ended this call of 3 s after 1 s',
          limit: 'maxSpend',
          window: 'day',
        },
      },
    ]);
    expect(await judged(third)).toMatchObject([{ verdict: 'refused', inputs: { limit: 'maxSpend' } }]);
    expect(await tollgate('explain', second.uuid)).toContain(
      'dry run of acme: maxSpend day of acme would have ended this call of 3 s after 1 s\n',
    );
    expect(await tollgate('shadow', 'report', '--from', '2026-01-01', '--dry-run')).toContain(
      `acme: of 3 calls 1 would have been refused, 1 of them went through
  maxSpend  1 refused  1 cut
  1 would have been cut short
`,
    );
    expect(await tollgate(...check)).toContain(
      'dry run of acme  would refuse it: acme may spend 0.00 more this day; the call needs 0.01 to begin\n',
    );
    const cdrs = await stage.cdrs('acme');
    expect(cdrs.map(({ billedSeconds, cut }) => [billedSeconds, cut])).toEqual(
      [2, 3, 1].map((each) => [each, undefined]),
    );
    expect((await stage.database.records.counts()).charges).toBe(0);
    expect(await stage.findings()).toEqual([]);
    // Put to work, the account begins with its windows as they were.
    await stage.account({ account: 'acme', wallet: 'EUR', tariff: 'standard', operator: { maxSpend } });
    await eventually(
      async () => {
        const call = dial('acme', { hangsUpAfterAnswerMs: 100 });
        const decision = await decided(call);
        await allEnded([call]);
        return decision;
      },
      (decision) => decision === 'admitted',
    );
  });

  it('adds up what its calls would spend once an allotment has run dry', async () => {
    const allotments = { international: { seconds: 1, cycle: 'daily', minimum: 1, increment: 1 } };
    const fundingOrder = ['allotment', 'per_minute'];
    const operator = { enforcement: 'dry_run', allotments, fundingOrder, maxSpend: { day: '0.03' } };
    await open([{ account: 'acme', wallet: 'EUR', tariff: 'standard', operator }]);
    const [first, second] = await talk(2, 4);
    if (first === undefined || second === undefined) throw new Error('two talked');
    expect(await wouldCharge(first)).toMatchObject([
      'allotment',
      'acme would have been charged 1 s of its allotment international for 1 s, then 0.01 EUR for 1 s',
      '0.01',
    ]);
    const decisions = await judged(second, 3);
    expect(decisions.map(({ inputs }) => inputs['words'])).toEqual(
      expect.arrayContaining([
        'acme would have been charged 0.02 EUR for 2 s, and the call of 4 s would have ended then',
        'maxSpend day of acme would have ended this call of 4 s after 2 s',
      ]),
    );
    expect(await stage.findings()).toEqual([]);
  });

  it('counts its trunks: who has none free would be charged for the call', async () => {
    const trunks = { twoway: 1 };
    const flatRate = { whitelist: ['.*'] };
    const operator = { enforcement: 'dry_run', trunks, flatRate };
    await open([{ account: 'acme', wallet: 'EUR', tariff: 'standard', operator }]);
    await stage.topUp('acme', '1.00');
    stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 10 });
    const first = dial('acme');
    await decided(first);
    const second = dial('acme', { hangsUpAfterAnswerMs: 700 });
    await decided(second);
    await allEnded([second]);
    await settled(stage, 1);
    first.hangup();
    const cdrs = await settled(stage, 2);
    const { billedSeconds } =
      cdrs.find(({ answeredAt }) => answeredAt === Math.min(...cdrs.map((cdr) => cdr.answeredAt ?? 0))) ?? {};
    expect(await wouldCharge(first)).toEqual([
      'flat_rate',
      `acme would have been charged nothing for ${billedSeconds} s by a flat-rate trunk`,
      '0.00',
    ]);
    expect(await wouldCharge(second)).toEqual([
      'per_minute',
      'acme would have been charged 0.01 EUR for 1 s',
      '0.01',
    ]);
    const [third] = await talk(1);
    expect(third && (await wouldCharge(third))).toMatchObject([
      'flat_rate',
      expect.stringContaining('trunk'),
      '0.00',
    ]);
    expect((await stage.database.records.counts()).charges).toBe(0);
    expect(await stage.findings()).toEqual([]);
  });

  it('of the whole service holds for customers that nobody stored: no pool is opened, and the price is told', async () => {
    await open([], 'socket', { TOLLGATE_ACCOUNTS_DEFAULTS: '{"enforcement":"dry_run"}' });
    stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 10 });
    const pools = { customer: 'john', max_credit: '0.02', cps: '0.01', ipulse: '1', fpulse: '1' };
    const named = Object.entries(pools).map(([name, value]) => [`tollgate_${name}`, value]);
    const variables = Object.fromEntries(named) as Record<string, string>;
    const [call] = placeCalls(stage, 1, () => ({ variables, hangsUpAfterAnswerMs: 2_700 }));
    if (call === undefined) throw new Error('one was placed');
    await allEnded([call]);
    const cdrs = await settled(stage, 1, 'adhoc');
    expect(cdrs).toMatchObject([{ billedSeconds: 3, cut: undefined, decision: 'dry_run' }]);
    expect(await wouldCharge(call)).toEqual([
      'per_minute',
      'adhoc/john would have been charged 0.03 EUR for 3 s',
      '0.03',
    ]);
    expect((await stage.database.records.counts()).transfers).toBe(0);
    expect(await stage.findings()).toEqual([]);
  });
});
