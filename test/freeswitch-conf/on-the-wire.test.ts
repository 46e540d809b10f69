import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { createStage, eventually, type Stage } from '../service/stage.ts';
import type { LegUuid } from '../../src/units/ids.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { expand, huntActions, loadContexts, type Action } from './dialplan.ts';

const example = fileURLToPath(
  new URL('../../freeswitch-conf/dialplan/tollgate_example.xml', import.meta.url),
);
const customers = fileURLToPath(
  new URL('../../freeswitch-conf/dialplan/tollgate_customers.xml', import.meta.url),
);
const MOBILE = '+491511112222';

let stage: Stage;

beforeEach(async () => {
  await freshRedis();
  stage = await createStage(redisUrl());
  stage.sim.endpoint(/./, { kind: 'answers', afterMs: 20 });
  await stage.tariff('standard', 'prefix,rate\n49,0.60\n');
  await stage.account({ account: 'acme' });
  await stage.account({ account: 'acme/retail', wallet: 'EUR', tariff: 'standard' });
  for (const phone of ['1001', '1002', '1009']) await stage.account({ account: `acme/retail/${phone}` });
  await stage.account({ account: 'acme/retail/1003', operator: { calls: 0 } });
  await stage.route({ route: 'carrier' });
});

afterEach(() => stage.close());

/** The files themselves, hunted through whenever a leg of the simulator enters its dialplan. */
function useFiles(sim: Simulator, gate: 'socket' | 'park', hosts: string): void {
  const globals = { tollgate_gate_hosts: hosts, domain: 'example' };
  const contexts = [example, customers].flatMap((file) => loadContexts(file, gate, globals));
  sim.dialplan((call) => {
    const inline: Action[] = [];
    const now = new Map<string, string | undefined>();
    const fields = new Map([
      ['destination_number', call.destination],
      ['context', call.context],
      ['uuid', call.uuid],
    ]);
    const read = (name: string): string =>
      (now.has(name) ? now.get(name) : (call.variable(name) ?? fields.get(name))) ?? '';
    const actions = huntActions(contexts, call.context, read, (application, data) => {
      const argument = expand(data, read);
      const [name = '', ...value] = argument.split('=');
      now.set(name, application === 'set' ? value.join('=') : undefined);
      inline.push([application, argument]);
    });
    // The simulator knows variables; the fields of the profile are put in here.
    const outlined = actions.map(([application, data]): Action => [
      application,
      data.replace(/\$\{(destination_number|context|uuid)\}/g, (_, name: string) => fields.get(name) ?? ''),
    ]);
    return [...inline, ...outlined].filter(([application]) => application !== 'log');
  });
}

describe.each(['socket', 'park'] as const)('the dialplan files and Tollgate, by the gate %s', (gate) => {
  const start = async (): Promise<void> => {
    const { socketPort } = await stage.startController();
    useFiles(stage.sim, gate, `127.0.0.1:${socketPort}`);
    await eventually(
      () => stage.sim.commands(),
      (commands) => commands.some(({ text }) => text === 'api show channels as json'),
    );
  };
  const customersCall = (to: string, variables: Readonly<Record<string, string>>) =>
    stage.sim.placeCall({ from: '2001', to, context: 'tollgate_customers', variables });
  const call = (to: string, from = '1001', context = 'tollgate_phones') =>
    stage.sim.placeCall({
      from,
      to,
      context,
      variables: context === 'tollgate_phones' ? { user_name: from } : {},
    });
  const dialled = (): readonly string[] =>
    stage.sim
      .legs()
      .filter(({ direction }) => direction === 'outbound')
      .map(({ destination }) => destination);

  it('dial what is admitted, and the call is charged', async () => {
    await start();
    await stage.topUp('acme/retail', '10');
    const placed = call(MOBILE);
    await eventually(
      () => placed.truth?.answeredMicros,
      (at) => at !== undefined,
    );
    placed.hangup();
    const [cdr] = await eventually(
      () => stage.cdrs('acme'),
      (cdrs) => cdrs.length === 1,
    );
    expect(cdr).toMatchObject({ account: 'acme/retail/1001', decision: 'admitted' });
    expect(await stage.balance('acme/retail')).toBe(9_400_000n);
  });

  it('let a customer talk who is stored in the directory alone, charge him, and close his pool', async () => {
    await start();
    const placed = customersCall(MOBILE, { user_name: '2001', prepaid_credit: '1.00', prepaid_cps: '0.01' });
    await eventually(
      () => placed.truth?.answeredMicros,
      (at) => at !== undefined,
    );
    placed.hangup();
    const [cdr] = await eventually(
      () => stage.cdrs('adhoc'),
      (cdrs) => cdrs.length === 1,
    );
    expect(cdr).toMatchObject({ account: 'adhoc/2001', decision: 'admitted', funding: 'per_minute' });
    const charges = await stage.database.records.chargesOf(cdr?.legUuid ?? ('' as LegUuid));
    expect(charges).toMatchObject([{ payer: 'adhoc/2001', price: 650_000n }]);
    await eventually(
      () => stage.balance('adhoc/2001'),
      (balance) => balance === 0n,
    );
  });

  it('refuse a customer of whom the directory says no amount', async () => {
    await start();
    const placed = customersCall(MOBILE, { user_name: '2001', prepaid_cps: '0.01' });
    await eventually(
      () => placed.truth?.variable('tollgate_reason'),
      (reason) => reason === 'bad_variable',
    );
    expect(dialled()).toEqual([]);
  });

  it('dial nothing without credit, and the caller hears 402', async () => {
    await start();
    const placed = call(MOBILE);
    await eventually(
      () => placed.truth?.sipStatus,
      (status) => status === 402,
    );
    expect(dialled()).toEqual([]);
  });

  it('dial nothing when nobody decides, and the caller hears 503', async () => {
    useFiles(stage.sim, gate, '127.0.0.1:1');
    const placed = call(MOBILE);
    await eventually(
      () => placed.truth?.sipStatus,
      (status) => status === 503,
    );
    expect(dialled()).toEqual([]);
  });

  it('dial 112 when nobody decides', async () => {
    useFiles(stage.sim, gate, '127.0.0.1:1');
    call('112');
    const numbers = await eventually(dialled, (so) => so.length > 0);
    expect(numbers).toEqual(['112']);
  });

  it('admit a call from the trunk, and the call that is sent on in the name of the phone', async () => {
    await start();
    await stage.topUp('acme/retail', '10');
    const placed = call('+49305551009', '+4930999', 'tollgate_trunk');
    await eventually(
      () => placed.truth?.answeredMicros,
      (at) => at !== undefined,
    );
    expect(dialled()).toEqual(['+491517654321']);
    placed.hangup();
    const cdrs = await eventually(
      () => stage.cdrs('acme'),
      (rows) => rows.length > 0,
    );
    expect(cdrs.map(({ account }) => account)).toContain('acme/retail/1009');
  });

  it('ring a group without the branch that is refused', async () => {
    await start();
    const placed = call('2000', '1002');
    await eventually(
      () => placed.truth?.answeredMicros,
      (at) => at !== undefined,
    );
    expect(stage.sim.legs().filter(({ direction }) => direction === 'outbound')).toHaveLength(1);
  });
});
