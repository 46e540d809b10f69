import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Decision } from '../../src/records/records.ts';
import type { Service } from '../../src/main.ts';
import type { SimulatedCall } from '../../src/simulator/inbound-call.ts';
import type { LegUuid } from '../../src/units/ids.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, placeCalls, settled, useGates } from './acts.ts';
import { createStageCli } from './stage-cli.ts';
import { createStage, eventually, micros, type Stage } from './stage.ts';

let stage: Stage;
let service: Service;
let tollgate: ReturnType<typeof createStageCli>['run'];

beforeEach(async () => {
  await freshRedis();
  stage = await createStage(redisUrl());
  await stage.tariff('standard', 'prefix,rate,minimum,increment\n49,0.60,1,1\n');
  const cli = createStageCli(stage);
  tollgate = cli.run;
});

afterEach(async () => {
  await stage.close();
});

/** An account that pays by the minute, with shadow limits from a file, as an operator sets them. */
async function open(gate: 'socket' | 'park', shadow: object): Promise<void> {
  await stage.account({ account: 'acme', wallet: 'EUR', tariff: 'standard' });
  await stage.topUp('acme', '1.00');
  stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 10 });
  await set(shadow);
  service = await stage.startController();
  useGates(stage.sim, gate, [service]);
}

async function set(shadow: object): Promise<void> {
  const file = join(dirname(stage.environment()['TOLLGATE_DATABASE_URL'] ?? ''), 'shadow.json');
  writeFileSync(file, JSON.stringify(shadow));
  expect(await tollgate('shadow', 'set', 'acme', file)).toMatchObject({ code: 0, out: 'acme: saved\n' });
}

/** Calls that talk for so many begun seconds, one after the other. */
async function talk(...seconds: readonly number[]): Promise<readonly SimulatedCall[]> {
  const { length: before } = await stage.cdrs('acme');
  const calls: SimulatedCall[] = [];
  for (const each of seconds) {
    const variables = { tollgate_account: 'acme', tollgate_route: 'carrier' };
    const hangsUpAfterAnswerMs = each * 1_000 - 300;
    calls.push(...placeCalls(stage, 1, () => ({ variables, hangsUpAfterAnswerMs })));
    await allEnded(calls);
    await settled(stage, before + calls.length);
  }
  return calls;
}

async function shadowsOf(call: SimulatedCall | undefined, count: number): Promise<readonly Decision[]> {
  if (call === undefined) throw new Error('it was placed');
  const decisions = await eventually(
    () => stage.database.records.decisionsOf(call.uuid as LegUuid),
    (rows) => rows.filter(({ kind }) => kind === 'shadow').length >= count,
  );
  return decisions.filter(({ kind }) => kind === 'shadow');
}

const shown = async (...args: readonly string[]): Promise<string> => {
  const { out } = await tollgate(...args);
  return out.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'WHEN');
};

const international = (seconds: number): object => ({
  international: { seconds, cycle: 'yearly', minimum: 1, increment: 1 },
});

describe('shadow limits that count for themselves', () => {
  it.each(['socket', 'park'] as const)(
    'tell whom they would have refused and cut, and nobody feels it, at the gate %s',
    async (gate) => {
      await open(gate, {
        allotments: international(3),
        maxSpend: { month: '9.00' },
        fundingOrder: ['allotment'],
      });
      const [first, second, third] = await talk(1, 3, 1);
      expect(await shadowsOf(first, 1)).toMatchObject([{ verdict: 'admitted', reason: 'allotment' }]);
      expect(await shadowsOf(second, 2)).toMatchObject([
        {
          verdict: 'admitted',
          inputs: { pools: [{ allotment: 'international', seconds: { available: 2 } }] },
        },
        { verdict: 'cut', reason: 'no_allotment', inputs: { seconds: 2, billedSeconds: 3 } },
      ]);
      expect(await shadowsOf(third, 1)).toMatchObject([{ verdict: 'refused', reason: 'no_allotment' }]);
      expect(await shown('shadow', 'report', '--from', '2026-01-01', '--to', '2099-01-01')).toBe(
        `shadow limits from WHEN to WHEN UTC: each call judged by itself
acme: of 3 calls 1 would have been refused, 1 of them went through
  allotments  1 refused  1 cut
  1 would have been cut short
`,
      );
      expect(await shown('explain', second?.uuid ?? '')).toContain(
        `WHEN  shadow limits of acme: would have been let through: paid by an allotment
  left  2 s of the allotment international
`,
      );
      expect(await shown('explain', second?.uuid ?? '')).toContain(
        'WHEN  shadow limits of acme: the allotment international of acme would have ended this call of 3 s after 2 s\n',
      );
      const checked = await shown('check', 'acme', '--to', '4930123', '--route', 'carrier');
      expect(checked).toContain(
        'would refuse it: the allotment international of acme has 0 s left; the call needs 1 s to begin',
      );
      expect(await shown('shadow', 'show', 'acme')).toContain(
        `counted for them alone
  allotment international  3 of 3 s used       until WHEN UTC
  maxSpend month           0.00 of 9.00 spent  until WHEN UTC
`,
      );
      const cdrs = await stage.cdrs('acme');
      expect(cdrs.map(({ billedSeconds, cut, funding }) => [billedSeconds, cut, funding])).toEqual(
        [1, 3, 1].map((each) => [each, undefined, 'per_minute']),
      );
      expect(await stage.balance('acme')).toBe(micros('0.95'));
      expect(await stage.findings()).toEqual([]);
    },
  );

  it('of thirty calls at once would have let through as many as there are seconds for', async () => {
    await open('socket', { allotments: international(10), fundingOrder: ['allotment'] });
    stage.sim.endpoint(/pstn/, { kind: 'rings' });
    const variables = { tollgate_account: 'acme', tollgate_route: 'carrier' };
    const calls = placeCalls(stage, 30, () => ({ variables }));
    const said = await Promise.all(calls.map((call) => shadowsOf(call, 1)));
    const verdicts = said.map(([decision]) => decision?.verdict);
    expect(verdicts.filter((verdict) => verdict === 'admitted')).toHaveLength(10);
    expect(verdicts.filter((verdict) => verdict === 'refused')).toHaveLength(20);
    expect(await shown('shadow', 'show', 'acme')).toContain('10 of 10 s used');
    for (const call of calls) call.hangup();
    // Nobody talked: what was held for them is there again.
    await eventually(
      () => shown('shadow', 'show', 'acme'),
      (out) => out.includes(' 0 of 10 s used'),
    );
    expect(await stage.findings()).toEqual([]);
  });

  it('tell of a call that would have gone on per minute, and what is spent by it', async () => {
    await open('socket', { allotments: international(1), maxSpend: { month: '0.02' } });
    const [call] = await talk(4);
    expect(await shadowsOf(call, 3)).toMatchObject([
      { verdict: 'admitted', reason: 'allotment' },
      { verdict: 'continued', inputs: { seconds: 1, allotment: 'international' } },
      { verdict: 'cut', reason: 'spend_limit', inputs: { seconds: 3, window: 'month', limit: 'maxSpend' } },
    ]);
    expect(await shown('shadow', 'report', '--from', '2026-01-01', '--to', '2099-01-01')).toContain(
      `  maxSpend  0 refused  1 cut
  1 would have been cut short
  1 would have gone on per minute after an allotment
`,
    );
    expect(await stage.balance('acme')).toBe(micros('0.96'));
    expect(await stage.findings()).toEqual([]);
  });

  it('are counted on by the next controller, and begin anew with another document', async () => {
    await open('socket', { allotments: international(4), fundingOrder: ['allotment'] });
    const variables = { tollgate_account: 'acme', tollgate_route: 'carrier' };
    const [call] = placeCalls(stage, 1, () => ({ variables }));
    await shadowsOf(call, 1);
    const since = performance.now();
    await service.stop();
    service = await stage.startController();
    useGates(stage.sim, 'socket', [service]);
    // It talks for longer than it would have been let.
    await eventually(
      () => performance.now() - since,
      (talkedMs) => talkedMs > 4_700,
    );
    call?.hangup();
    const [, cut] = await shadowsOf(call, 2);
    expect(cut).toMatchObject({ verdict: 'cut', inputs: { seconds: 4 } });
    const [late] = await talk(1);
    expect(await shadowsOf(late, 1)).toMatchObject([{ verdict: 'refused' }]);
    await set({ allotments: international(5), fundingOrder: ['allotment'] });
    const shown = await eventually(
      () => tollgate('shadow', 'show', 'acme'),
      ({ out }) => out.includes('0 of 5 s used'),
    );
    expect(shown.code).toBe(0);
    const [fresh] = await talk(1);
    expect(await shadowsOf(fresh, 1)).toMatchObject([{ verdict: 'admitted' }]);
    expect(await tollgate('shadow', 'clear', 'acme')).toMatchObject({ code: 0 });
    await set({ allotments: international(5), fundingOrder: ['allotment'] });
    expect(await stage.findings()).toEqual([]);
  });
});
