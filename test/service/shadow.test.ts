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

async function open(accounts: readonly Document[], gate: 'socket' | 'park' = 'socket'): Promise<void> {
  await freshRedis();
  stage = await createStage(redisUrl());
  await stage.tariff('standard', 'prefix,rate,minimum,increment\n49,0.60,1,1\n');
  for (const account of accounts) await stage.account(account);
  useGates(stage.sim, gate, [await stage.startController({ TOLLGATE_ADMISSION_UNFUNDED: 'allow' })]);
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
        `0 shadow limits from WHEN to WHEN UTC: each call judged against real use
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
      `0 shadow limits from WHEN to WHEN UTC: each call judged against real use
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
    writeFileSync(file, 'calls: 0\nenforcement: dry_run\nmaxSpend: { day: "1.00" }\n');
    const refused = await tollgate('shadow', 'set', 'acme', file);
    expect(refused).toContain('2 ');
    expect(refused).toContain('enforcement: "dry_run": expected to be left out of shadow limits');
    expect(refused).toContain('maxSpend:');
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
});
