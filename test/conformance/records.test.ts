import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccountPath, LegUuid } from '../../src/units/ids.ts';
import { allEnded, placeCalls, settled, useGates } from '../service/acts.ts';
import { createStageCli } from '../service/stage-cli.ts';
import { createStage, eventually, micros, type Stage } from '../service/stage.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';

/** T37 of the list of wanted results: each call is paid for once by each of its payers, whatever happens afterwards. */
const TARIFF = 'prefix,rate,minimum,increment\n49,0.60,60,60\n';
const DOUBLED = 'prefix,rate,minimum,increment\n49,1.20,60,60\n';
const LONG_AGO = '2020-01-01';

let stage: Stage;

beforeEach(async () => {
  await freshRedis();
  stage = await createStage(redisUrl());
  await stage.tariff('standard', TARIFF);
  await stage.account({ account: 'reseller', wallet: 'EUR', tariff: 'standard' });
  await stage.account({ account: 'reseller/shop', wallet: 'EUR', tariff: 'standard' });
  for (const account of ['reseller', 'reseller/shop']) await stage.topUp(account, '100.00');
  stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 10 });
});

afterEach(async () => {
  await stage.close();
});

const variables = { tollgate_account: 'reseller/shop', tollgate_route: 'carrier' };
const balances = (): Promise<readonly bigint[]> =>
  Promise.all(['reseller', 'reseller/shop'].map((account) => stage.balance(account as AccountPath)));

async function talk(count: number): Promise<void> {
  const calls = placeCalls(stage, count, () => ({ variables, hangsUpAfterAnswerMs: 300 }));
  await allEnded(calls);
  await settled(stage, count, 'reseller');
}

describe('T37', () => {
  it('one hang-up that is told twice, to two controllers, is one charge for the account and one for the reseller', async () => {
    const services = [await stage.startController(), await stage.startController()];
    useGates(stage.sim, 'socket', services);
    stage.sim.faults.onEvent(() => 'duplicate');
    await talk(1);
    const [cdr] = await settled(stage, 1, 'reseller');
    const charges = await stage.database.records.chargesOf(cdr?.legUuid ?? ('' as LegUuid));
    expect(charges.map(({ payer, price, version }) => [payer, price, version])).toEqual([
      ['reseller', micros('0.60'), 1],
      ['reseller/shop', micros('0.60'), 1],
    ]);
    expect(await balances()).toEqual([micros('99.40'), micros('99.40')]);
    expect(await stage.findings()).toEqual([]);
  });

  it('a call that a soft limit let go on has a charge that is seen, and the decision that let it', async () => {
    const operator = { calls: 0, softLimitOutbound: true };
    await stage.account({ account: 'reseller/shop', wallet: 'EUR', tariff: 'standard', operator });
    useGates(stage.sim, 'socket', [await stage.startController()]);
    await talk(1);
    const [cdr] = await settled(stage, 1, 'reseller');
    expect(cdr).toMatchObject({ decision: 'soft', funding: 'per_minute' });
    const { run } = createStageCli(stage);
    const explained = await run('explain', cdr?.legUuid ?? '');
    expect(explained.out).toContain('goes on although reseller/shop has 0 of 0 calls in use');
    expect(explained.out).toContain('reseller/shop  0.60 EUR');
    expect(await balances()).toEqual([micros('99.40'), micros('99.40')]);
  });

  it('ten calls rated again by the same rate move nothing, by a doubled one a reversal and a charge each', async () => {
    useGates(stage.sim, 'socket', [await stage.startController()]);
    await talk(10);
    await eventually(
      () => stage.findings(),
      (findings) => findings.length === 0,
    );
    const { ask, run } = createStageCli(stage);
    const span = ['--from', LONG_AGO, '--to', '2100-01-01'];
    const same = await ask('rerate', 'plan', ...span, '--id', 'same');
    expect(same).toMatchObject({ json: { calls: 10, totals: [] } });
    await stage.tariff('standard', DOUBLED);
    const before = await stage.database.records.counts();
    await run('rerate', 'plan', ...span, '--id', 'doubled');
    expect((await run('rerate', 'apply', 'doubled')).out).toBe('doubled: 20 charges applied\n');
    const after = await stage.database.records.counts();
    expect(after.transfers - before.transfers).toBe(40);
    // The difference of each wallet is the sum of the old prices.
    expect(await balances()).toEqual([micros('88.00'), micros('88.00')]);
    expect(await stage.findings()).toEqual([]);
  });
});
