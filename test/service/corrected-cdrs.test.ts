import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chargesInForce, type Cdr } from '../../src/records/records.ts';
import type { AccountPath } from '../../src/units/ids.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, furnish, placeCalls, settled, useGates } from './acts.ts';
import { writeCdrs } from './simulated-cdrs.ts';
import { createStageCli } from './stage-cli.ts';
import { createStage, eventually, micros, type Stage } from './stage.ts';

const SINCE = ['--from', '2000-01-01', '--to', '2100-01-01'];

let stage: Stage;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-corrected-'));
  await freshRedis();
  stage = await createStage(redisUrl());
  await furnish(stage, { balance: '10.00' });
});

afterEach(async () => {
  await stage.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A call of whose end nobody told, settled by what was last known of it; and what FreeSWITCH wrote of it. */
async function playUnheardEnd(): Promise<{ readonly uuid: string; readonly microseconds: number }> {
  const service = await stage.startController({ TOLLGATE_CONTROLLER_RESYNC_MS: '500' });
  useGates(stage.sim, 'socket', [service]);
  stage.sim.faults.onEvent((event) =>
    event.name.startsWith('CHANNEL_HANGUP') || event.name === 'CHANNEL_DESTROY' ? 'drop' : undefined,
  );
  await allEnded(placeCalls(stage, 1, () => ({ hangsUpAfterAnswerMs: 3_300 })));
  const [cdr] = await settled(stage, 1);
  expect(cdr).toMatchObject({ estimated: true, account: 'acme' });
  stage.sim.faults.clear();
  writeCdrs(stage.sim, folder);
  const uuid = cdr?.legUuid ?? '';
  return { uuid, microseconds: Number(stage.sim.leg(uuid)?.variable('billusec')) };
}

async function charged(): Promise<readonly [bigint, bigint | undefined]> {
  const wallet = await (await stage.live()).wallet('acme' as AccountPath);
  return [await stage.balance('acme'), wallet?.balance];
}

describe('a leg that was settled by a guess', () => {
  it.each([
    ['cdr import --apply', () => ['cdr', 'import', folder, '--apply']],
    ['reconcile --fix', () => ['reconcile', ...SINCE, '--cdr', folder, '--fix']],
  ])("is charged for what FreeSWITCH's own CDR says, once, by %s", async (_, command) => {
    const { uuid, microseconds } = await playUnheardEnd();
    const { run, ask } = createStageCli(stage);
    const [guess] = await stage.cdrs('acme');
    expect(guess?.billMicroseconds).not.toBe(microseconds);
    expect(await ask('cdr', 'import', folder)).toMatchObject({ json: { remaining: { estimated: 1 } } });

    expect((await ask(...command())).code).toBe(0);
    const seconds = Math.ceil(microseconds / 1_000_000);
    expect(await stage.cdrs('acme')).toMatchObject([
      { legUuid: uuid, billMicroseconds: microseconds, billedSeconds: seconds, estimated: false },
    ]);
    const due = (BigInt(seconds) * 1_000_000n + 59n) / 60n;
    const left = micros('10.00') - due;
    expect(await charged()).toEqual([left, left]);
    expect(await stage.findings()).toEqual([]);
    // Its charge is the one of before where the guess was right to the second, and else a further version.
    const versions = (await stage.database.records.chargesOf(uuid as never)).map(({ version }) => version);
    expect(versions).toEqual(guess?.billedSeconds === seconds ? [1] : [1, 2]);
    expect((await run('explain', uuid)).out).toContain(`corrected to ${seconds} s by ${folder}`);

    expect((await ask(...command())).code).toBe(0);
    expect(await charged()).toEqual([left, left]);
    expect(await ask('reconcile', ...SINCE)).toMatchObject({ code: 0, json: { amounts: [] } });
  });
});

describe("a customer's leg that was settled for no second", () => {
  const BROUGHT = {
    customer: 'john',
    max_credit: '5.00',
    cps: '0.10',
    connect: '0.05',
    ipulse: '1',
    fpulse: '1',
  };

  /** Its controller went with its answer, and the next one finds it gone. */
  async function playUnheardCall(variables: Readonly<Record<string, string>>): Promise<Cdr> {
    const first = await stage.startController();
    useGates(stage.sim, 'socket', [first]);
    const named = Object.entries({ ...BROUGHT, ...variables });
    const all = Object.fromEntries(named.map(([name, value]) => [`tollgate_${name}`, value]));
    const calls = placeCalls(stage, 1, () => ({ variables: all, hangsUpAfterAnswerMs: 3_300 }));
    await eventually(
      async () => await (await stage.live()).calls(undefined),
      (live) => live.some(({ state }) => state === 'answered'),
    );
    await first.stop();
    await allEnded(calls);
    await stage.startController({ TOLLGATE_CONTROLLER_RESYNC_MS: '500' });
    const [cdr] = await settled(stage, 1, variables['account'] ?? 'adhoc');
    if (cdr === undefined) throw new Error('one was settled');
    expect(cdr).toMatchObject({ estimated: true, billedSeconds: 0 });
    writeCdrs(stage.sim, folder);
    return cdr;
  }

  it.each([
    ['cdr import --apply', () => ['cdr', 'import', folder, '--apply']],
    ['reconcile --fix', () => ['reconcile', ...SINCE, '--cdr', folder, '--fix']],
  ])('is charged by the price that the call brought, once, by %s', async (_, command) => {
    const { legUuid } = await playUnheardCall({});
    const { run, ask } = createStageCli(stage);
    for (let time = 0; time < 2; time += 1) {
      expect((await ask(...command())).code).toBe(0);
      const [cdr] = await stage.cdrs('adhoc');
      expect(cdr).toMatchObject({ legUuid, billedSeconds: 4, estimated: false });
      const charges = await stage.database.records.chargesOf(legUuid);
      expect(charges.filter(({ version }) => version === 2)).toMatchObject([
        { payer: 'adhoc/john', tariff: 'adhoc', tariffVersion: 0, price: micros('0.45') },
      ]);
      expect(await stage.balance('adhoc/john')).toBe(0n);
      expect(await stage.findings()).toEqual([]);
    }
    expect(await ask('reconcile', ...SINCE)).toMatchObject({ code: 0, json: { amounts: [] } });
    expect((await run('explain', legUuid)).out).toContain('corrected to 4 s by');
  });

  it('is charged so beside the accounts that it is below', async () => {
    const { legUuid } = await playUnheardCall({ account: 'acme' });
    expect((await createStageCli(stage).ask('cdr', 'import', folder, '--apply')).code).toBe(0);
    const charges = chargesInForce(await stage.database.records.chargesOf(legUuid));
    expect(charges.map(({ payer, price }) => [payer, price])).toEqual([
      ['acme', micros('0.066667')],
      ['acme/adhoc.john', micros('0.45')],
    ]);
    expect(await stage.balance('acme')).toBe(micros('10.00') - micros('0.066667'));
    expect(await stage.balance('acme/adhoc.john')).toBe(0n);
    expect(await stage.findings()).toEqual([]);
  });
});
