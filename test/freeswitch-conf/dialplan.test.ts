import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { VARIABLES_READ } from '../../src/calls/channel-variables.ts';
import { CUSTOMER_VARIABLES } from '../../src/calls/switch-event.ts';
import type { DecisionKind } from '../../src/records/records.ts';
import { loadContexts, passVariables, walk, type Arrival, type FakeGate } from './dialplan.ts';

const example = fileURLToPath(
  new URL('../../freeswitch-conf/dialplan/tollgate_example.xml', import.meta.url),
);
const customers = fileURLToPath(
  new URL('../../freeswitch-conf/dialplan/tollgate_customers.xml', import.meta.url),
);
const MOBILE = '+491511112222';

/** Complete by type: a new decision that the dialplan does not know does not compile here. */
const GOES_ON: Readonly<Record<DecisionKind, boolean>> = {
  admitted: true,
  dry_run: true,
  unrestricted: true,
  soft: true,
  emergency: true,
  store_down: true,
  refused: false,
};

const admits: FakeGate = (variables) => ({
  set: passVariables('admitted', variables.get('tollgate_destination') ?? ''),
  next: 'on',
});
const silent: FakeGate = () => ({ set: {}, next: 'on' });

describe.each(['socket', 'park'] as const)('the dialplan of the gate %s', (gate) => {
  const contexts = loadContexts(example, gate);
  const call = (destination: string, answer: FakeGate, more: Partial<Arrival> = {}) =>
    walk(
      contexts,
      { destination, context: 'tollgate_phones', variables: { user_name: '1001' }, ...more },
      answer,
    );

  it.each(Object.entries(GOES_ON))('goes on after the decision %s: %s', (decision, goesOn) => {
    const { did } = call(MOBILE, () => ({
      set: { ...passVariables(decision, MOBILE), tollgate_cause: 'CALL_REJECTED' },
      next: 'on',
    }));
    expect(did.slice(0, 2)).toEqual([
      gate,
      goesOn ? `bridge sofia/gateway/carrier/${MOBILE}` : 'hangup CALL_REJECTED',
    ]);
  });

  it.each([
    ['nobody decides', {}],
    ['the decision is an unknown word', passVariables('perhaps', MOBILE)],
    ['the decision is for another destination', passVariables('admitted', '+491510000000')],
    ['the decision is for a part of the destination', passVariables('admitted', MOBILE.slice(0, -1))],
    ['the decision is for no destination', passVariables('admitted', '')],
    [
      "the decision is another channel's",
      { ...passVariables('admitted', MOBILE), tollgate_admission: 'aaaa.1' },
    ],
    ['there is no admission', { ...passVariables('admitted', MOBILE), tollgate_admission: '' }],
  ])('fails closed with 503 when %s', (_, set) => {
    expect(call(MOBILE, () => ({ set, next: 'on' })).did).toEqual([gate, 'respond 503 Service Unavailable']);
  });

  it('leaves a call that the gate has ended alone', () => {
    expect(call(MOBILE, () => ({ set: {}, next: 'hang-up' })).did).toEqual([gate, 'ended by the gate']);
  });

  it.each(['112', '911'])('lets %s through without asking anybody', (number) => {
    const { did } = call(number, silent);
    expect(did).toEqual([`bridge sofia/gateway/carrier/${number}|sofia/gateway/fallback/${number}`]);
  });

  it('lets an emergency call through that comes from a call nobody decided', () => {
    const variables = { user_name: '1001', tollgate_ask: gate === 'park' ? 'true' : 'asked' };
    expect(call('112', silent, { variables }).did).toHaveLength(1);
  });

  it('says who calls whom', () => {
    const asked: Record<string, string | undefined>[] = [];
    const note: FakeGate = (variables) => {
      asked.push(Object.fromEntries(variables));
      return { set: {}, next: 'hang-up' };
    };
    call('1002', note);
    call(MOBILE, note);
    call('2000', note);
    call('+49305551002', note, { context: 'tollgate_trunk', variables: { accountcode: 'acme' } });
    expect(asked).toMatchObject([
      {
        tollgate_account: 'acme/retail/1001',
        tollgate_callee: 'acme/retail/1002',
        tollgate_destination: '1002',
      },
      { tollgate_account: 'acme/retail/1001', tollgate_route: 'carrier', tollgate_destination: MOBILE },
      { tollgate_account: 'acme/retail/1001', tollgate_destination: '2000' },
      { tollgate_route: 'carrier', tollgate_callee: 'acme/retail/1002' },
    ]);
    expect(JSON.parse(asked[2]?.['tollgate_bridge'] ?? '')).toHaveLength(2);
    expect(asked[3]).not.toHaveProperty('tollgate_account');
    expect(asked[3]).not.toHaveProperty('accountcode');
  });

  it('asks for the forwarded call in the name of the account that forwards', () => {
    const asked: (string | undefined)[] = [];
    const { did } = walk(
      contexts,
      { destination: '+49305551009', context: 'tollgate_trunk' },
      (variables) => {
        asked.push(variables.get('tollgate_forwarder') ?? variables.get('tollgate_callee'));
        return admits(variables);
      },
    );
    expect(asked).toEqual(['acme/retail/1009', 'acme/retail/1009']);
    expect(did).toEqual([gate, gate, 'bridge sofia/gateway/carrier/+491517654321']);
  });

  it('dials nothing more where Tollgate has bridged the branches itself', () => {
    const { did } = call('2000', (variables) => ({
      set: { ...admits(variables).set, originate_disposition: 'USER_BUSY' },
      next: 'on',
    }));
    expect(did).toEqual([gate, 'hangup USER_BUSY']);
  });

  it('uses a pass up: the same number asks again', () => {
    const { variables } = call(MOBILE, admits);
    const { did } = call(MOBILE, silent, { variables: Object.fromEntries(variables) });
    expect(did).toEqual([gate, 'respond 503 Service Unavailable']);
  });

  it('does not believe what a call brings along', () => {
    const brought = { tollgate_decision: 'admitted', tollgate_admitted_destination: MOBILE };
    const variables = { user_name: '1001', ...brought, tollgate_admission: 'from.elsewhere.1' };
    expect(call(MOBILE, silent, { variables }).did).toEqual([gate, 'respond 503 Service Unavailable']);
  });
});

const PREPAID = { user_name: '2001', prepaid_credit: '5.00', prepaid_cps: '0.01' };
const BROUGHT = { tollgate_account: 'acme', tollgate_callee: 'acme/1', tollgate_forwarder: 'acme/2' };

describe.each(['socket', 'park'] as const)('the dialplan for customers, by the gate %s', (gate) => {
  const contexts = loadContexts(customers, gate);
  const call = (
    destination: string,
    answer: FakeGate,
    variables: Readonly<Record<string, string>> = PREPAID,
  ) => walk(contexts, { destination, context: 'tollgate_customers', variables }, answer);

  it('says what the customer may spend, and nothing that the call brought along', () => {
    const asked: Record<string, string | undefined>[] = [];
    const { did } = call(
      MOBILE,
      (variables) => {
        asked.push(Object.fromEntries(variables));
        return admits(variables);
      },
      { ...PREPAID, ...BROUGHT, tollgate_max_credit: '1000000', tollgate_max_time: '9' },
    );
    expect(did).toEqual([gate, `bridge sofia/gateway/carrier/${MOBILE}`]);
    expect(asked).toMatchObject([
      {
        tollgate_customer: '2001',
        tollgate_max_credit: '5.00',
        tollgate_max_time: '',
        tollgate_connect: '0.05',
        tollgate_cps: '0.01',
        tollgate_ipulse: '60',
        tollgate_fpulse: '1',
        tollgate_max_channels: '2',
        tollgate_route: 'carrier',
        tollgate_destination: MOBILE,
      },
    ]);
    for (const name of Object.keys(BROUGHT)) expect(asked[0]).not.toHaveProperty(name);
  });

  it('fails closed when nobody decides, and asks nobody about 112', () => {
    expect(call(MOBILE, silent).did).toEqual([gate, 'respond 503 Service Unavailable']);
    expect(call('112', silent).did).toHaveLength(1);
  });
});

describe.each(['socket', 'park'] as const)('the other contexts, by the gate %s', (gate) => {
  it.each(['tollgate_phones', 'tollgate_trunk', 'tollgate_forwarded'])(
    'know no customer, whatever the call went through before: %s',
    (context) => {
      let asked: ReadonlyMap<string, string> = new Map();
      const brought = Object.fromEntries(CUSTOMER_VARIABLES.map((each) => [VARIABLES_READ[each].name, '1']));
      const destination = context === 'tollgate_trunk' ? '+49305551002' : MOBILE;
      const variables = { user_name: '1001', ...brought };
      walk(loadContexts(example, gate), { destination, context, variables }, (said) => {
        asked = new Map(said);
        return { set: {}, next: 'hang-up' };
      });
      expect(asked.get('tollgate_route')).toBe('carrier');
      expect([...asked.keys()].filter((name) => name in brought)).toEqual([]);
    },
  );
});
