import { beforeEach, describe, expect, it } from 'vitest';
import type { LegRecord } from '../../src/admission/leg-record.ts';
import { StoreUnavailableError, type LiveStore, type TakeOutcome } from '../../src/admission/live-store.ts';
import { slotName, type SlotPlan } from '../../src/admission/plan.ts';
import type { GateAnswer } from '../../src/calls/gate.ts';
import type { GateVariables, LegFacts } from '../../src/calls/switch-event.ts';
import { createGatekeeper } from '../../src/gate/gatekeeper.ts';
import type { Decision } from '../../src/records/records.ts';
import type { ControllerContext } from '../../src/state/context.ts';
import type { ControllerPolicy } from '../../src/state/policy.ts';
import { assert } from '../../src/units/assert.ts';
import type { AccountPath, LegKey } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { factsOf } from '../controller/legs.ts';
import { A_LEG, accountsOf, money, tariffOf } from '../controller/world.ts';
import { createMemoryLog } from '../freeswitch/support/memory-log.ts';

const ACCOUNTS = accountsOf(
  [
    { account: 'acme', wallet: 'EUR', tariff: 'retail' },
    { account: 'acme/desk' },
    { account: 'acme/brave', operator: { onStoreDown: 'allow' } },
    { account: 'umbrella' },
  ],
  [{ route: 'carrier' }],
);
const TARIFFS = tariffOf('retail', [{ prefix: '49', rate: '0.60' }]);
const cause = (sipCode: number, reason: string) => ({ sipCode, reason, cause: 'CALL_REJECTED' });
const POLICY: ControllerPolicy = {
  unrated: 'refuse',
  unratedInbound: 'allow',
  unfunded: 'refuse',
  customerCurrency: 'EUR',
  emergencyNumbers: ['112'],
  refusal: 'end',
  causes: {
    concurrency: cause(503, 'Service Unavailable'),
    busy: cause(486, 'Busy Here'),
    rate: cause(503, 'Service Unavailable'),
    credit: cause(402, 'Payment Required'),
    barred: cause(403, 'Forbidden'),
    storeDown: cause(503, 'Service Unavailable'),
  },
  ungated: 'admit',
  onStoreDown: 'refuse',
  seconds: 'up',
  deadmanSlackSeconds: 2,
  deadmanSecondsMax: 86_400,
  warningSeconds: [],
  warningSound: '',
};

/** What the store is asked, one word each; and what it answers, by slot. */
let asked: string[];
let looks: number;
let accounts: typeof ACCOUNTS;
/** What the record has by now. */
let saved: typeof ACCOUNTS;
let answers: Map<string, (plan: SlotPlan) => TakeOutcome>;
let decisions: Decision[];
let live: Map<LegKey, LegRecord>;

beforeEach(() => {
  asked = [];
  looks = 0;
  accounts = ACCOUNTS;
  saved = ACCOUNTS;
  answers = new Map();
  decisions = [];
  live = new Map();
});

const NOW = toEpochMs(5_000_000);
const taken = (plan: SlotPlan): TakeOutcome => ({
  kind: 'taken',
  at: NOW,
  wallets: plan.holds.map(({ wallet }) => ({
    wallet,
    funds: money('1.00'),
    availableAtLeast: money('0.50'),
    balance: money('1.00'),
  })),
  uses: [],
});
const away = (): TakeOutcome => {
  throw new StoreUnavailableError('Redis is away');
};
const full = (): TakeOutcome => ({
  kind: 'refused',
  refusal: {
    kind: 'count',
    holder: { kind: 'account', path: 'acme/desk' as AccountPath },
    counter: 'calls',
    bound: 1,
    inUse: 1,
  },
});

function contextOf(policy: Partial<ControllerPolicy>): ControllerContext {
  const store: Partial<LiveStore> = {
    now: () => NOW,
    take: (plan, record) => {
      asked.push(`take ${slotName(plan.slot)} ${plan.legKey.slice(A_LEG.length)}`);
      const outcome = (answers.get(slotName(plan.slot)) ?? taken)(plan);
      if (outcome.kind === 'taken') live.set(plan.legKey, record);
      return Promise.resolve(outcome);
    },
    count: (plan) => {
      asked.push(`take ${slotName(plan.slot)} ${plan.legKey.slice(A_LEG.length)}`);
      const outcome = (answers.get(slotName(plan.slot)) ?? taken)(plan);
      return Promise.resolve(outcome.kind === 'taken' ? { kind: 'counted', uses: [] } : outcome);
    },
    giveBack: (slot, legKey) => {
      asked.push(`give back ${slotName(slot)} ${legKey.slice(A_LEG.length)}`);
      live.delete(legKey);
      return Promise.resolve();
    },
    find: (_, legKey) => {
      const record = live.get(legKey);
      return Promise.resolve(record === undefined ? undefined : { record, payers: [] });
    },
  };
  return {
    store: store as LiveStore,
    directory: { accounts: () => accounts, tariffs: () => TARIFFS, refresh: () => Promise.resolve(false) },
    policy: { ...POLICY, ...policy },
    controlOf: () => undefined,
    record: (decision) => void decisions.push(decision),
    announce: () => undefined,
    formatSettlement: () => '',
    log: createMemoryLog(),
  };
}

async function ask(
  gate: Partial<GateVariables>,
  options: { readonly policy?: Partial<ControllerPolicy>; readonly leg?: Partial<LegFacts> } = {},
): Promise<GateAnswer> {
  const leg = factsOf({ destination: '4930123', ...options.leg });
  const keeper = createGatekeeper(contextOf(options.policy ?? {}), {
    onAdmitted: () => Promise.resolve(),
    onAnswered: () => undefined,
    lookAgain: () => {
      looks += 1;
      accounts = saved;
      return Promise.resolve();
    },
  });
  return await keeper({ via: 'socket', leg: { ...leg, gate: { ...leg.gate, ...gate } } });
}

/** The decision and its reason, and what is done. */
function briefly({ variables, verb }: GateAnswer): object {
  const code = verb.kind === 'refuse' ? verb.sipCode : undefined;
  return {
    decision: variables.get('tollgate_decision'),
    reason: variables.get('tollgate_reason'),
    verb: verb.kind,
    code,
  };
}

describe('the keeper of the gates', () => {
  it('lets an admitted call go on, with all that the dialplan and the placed leg need', async () => {
    const { variables, verb } = await ask({ account: 'acme', routes: ['carrier'], exportVars: 'a,b' });
    expect(verb).toEqual({ kind: 'continue' });
    expect(Object.fromEntries(variables)).toMatchObject({
      tollgate_decision: 'admitted',
      tollgate_admission: `${A_LEG}.1`,
      tollgate_home: 'acme',
      tollgate_funded_seconds: '50',
      tollgate_admitted_destination: '4930123',
    });
    expect(variables.get('export_vars')?.split(',')).toEqual(
      expect.arrayContaining(['a', 'b', 'tollgate_admission', 'tollgate_home']),
    );
    expect(asked).toEqual(['take acme .1:b1', 'take route:carrier .1:b1']);
    expect(decisions).toMatchObject([{ kind: 'admission', verdict: 'admitted' }]);
  });

  it('asks a route once that is named twice, however it is spelt', async () => {
    await ask({ account: 'acme', routes: ['carrier', 'CARRIER', 'carrier'] });
    expect(asked).toEqual(['take acme .1:b1', 'take route:carrier .1:b1']);
  });

  it('gives back the home when a later slot refuses, home last (ruling 5)', async () => {
    answers.set('umbrella', full);
    const answer = await ask({ account: 'acme', callee: 'umbrella', routes: ['carrier'] });
    expect(briefly(answer)).toEqual({
      decision: 'refused',
      reason: 'limit_reached',
      verb: 'refuse',
      code: 503,
    });
    expect(asked).toEqual([
      'take acme .1:b1',
      'take route:carrier .1:b1',
      'take umbrella .1:b1',
      'give back route:carrier .1:b1',
      'give back acme .1:b1',
    ]);
    expect(decisions).toMatchObject([{ kind: 'refusal', reason: 'limit_reached' }]);
  });

  it('leaves out a refused branch and bridges the others', async () => {
    let branch = 0;
    answers.set('acme', (plan) => ((branch += 1) === 2 ? full() : taken(plan)));
    const dial = (n: number) => ({ dial: `user/100${n}`, callee: 'acme/desk' });
    const answer = await ask({ bridge: JSON.stringify([dial(1), dial(2), dial(3)]), routes: [] });
    expect(answer.verb).toEqual({
      kind: 'bridge',
      dialString: '[tollgate_branch=b1]user/1001,[tollgate_branch=b3]user/1003',
    });
    expect(decisions.map(({ kind }) => kind)).toEqual(['admission', 'refusal', 'admission']);
  });

  it('refuses a call of which every branch is refused, by the reason of the first', async () => {
    answers.set('acme', full);
    const bridge = JSON.stringify([
      { dial: 'user/1001', callee: 'acme/desk' },
      { dial: 'user/1002', callee: 'who' },
    ]);
    expect(briefly(await ask({ bridge }))).toEqual({
      decision: 'refused',
      reason: 'limit_reached',
      verb: 'refuse',
      code: 486,
    });
  });

  it('looks again, once a call, for an account that it does not know', async () => {
    saved = accountsOf([{ account: 'acme', wallet: 'EUR', tariff: 'retail' }, { account: 'acme/new' }], []);
    expect(briefly(await ask({ account: 'acme/new' }))).toMatchObject({ decision: 'admitted' });
    const bridge = JSON.stringify([{ dial: 'user/1' }, { dial: 'user/2' }]);
    expect(briefly(await ask({ account: 'who', bridge }))).toMatchObject({ reason: 'unknown_account' });
    expect(looks).toBe(2);
    await ask({ account: 'acme' });
    expect(looks).toBe(2);
  });

  it('lets a refused call go on, told of it, where the dialplan plays an announcement', async () => {
    const answer = await ask({ account: 'who' }, { policy: { refusal: 'continue' } });
    expect(briefly(answer)).toEqual({
      decision: 'refused',
      reason: 'unknown_account',
      verb: 'continue',
      code: undefined,
    });
  });

  it('answers the same question again without taking or recording twice', async () => {
    await ask({ account: 'acme' });
    const [record] = live.values();
    assert(record !== undefined, 'the first question was admitted');
    answers.set('acme', () => ({ kind: 'already', record }));
    decisions.length = 0;
    const answer = await ask({ account: 'acme' });
    expect(answer.variables.get('tollgate_decision')).toBe('admitted');
    expect(decisions).toEqual([]);
  });

  it('gives back what its last pass holds and nobody answered', async () => {
    const first = await ask({ account: 'acme' });
    const variables = first.variables;
    asked.length = 0;
    const second = await ask({
      account: 'acme',
      admission: variables.get('tollgate_admission') as GateVariables['admission'],
      home: variables.get('tollgate_home'),
      branches: variables.get('tollgate_branches')?.split(',') ?? [],
    });
    expect(asked).toEqual(['give back acme .1:b1', 'take acme .2:b1']);
    expect(second.variables.get('tollgate_admission')).toBe(`${A_LEG}.2`);
  });

  it.each([
    ['a destination that no command may carry', {}, { destination: '49"30' }, 'bad_destination'],
    ['a bridge that cannot be dialled', { bridge: 'user/${x}' }, {}, 'bad_destination'],
    ['a list of branches that is none', { bridge: '[{}]' }, {}, 'bad_destination'],
    ['a route of no possible name', { routes: ['no route'] }, {}, 'bad_route'],
    ['two strangers', { account: undefined }, {}, 'no_account'],
  ])('refuses %s before anything is taken', async (_, gate, leg, reason) => {
    const answer = await ask({ account: 'acme', ...gate }, { leg });
    expect(briefly(answer)).toEqual({ decision: 'refused', reason, verb: 'refuse', code: 403 });
    expect(asked).toEqual([]);
    expect(decisions).toMatchObject([{ kind: 'refusal', reason }]);
  });
});

describe('while the store is away', () => {
  beforeEach(() => {
    for (const slot of ['acme', 'umbrella']) answers.set(slot, away);
  });

  it.each([
    ['refuses, where nobody says otherwise', { account: 'acme' }, 'refused', 'refuse'],
    ['lets pass, where the account says so', { account: 'acme/brave' }, 'store_down', 'continue'],
  ] as const)('%s', async (_, gate, decision, verb) => {
    expect(briefly(await ask(gate))).toMatchObject({ decision, verb });
  });

  it('lets an emergency pass in any case', async () => {
    const answer = await ask({ account: 'acme' }, { leg: { destination: '112' } });
    expect(answer.verb).toEqual({ kind: 'continue' });
  });
});

describe('an emergency', () => {
  it.each([{ account: 'acme' }, { account: 'who' }, {}])('passes whoever calls: %j', async (gate) => {
    const answer = await ask(gate, { leg: { destination: '112' } });
    expect(briefly(answer)).toMatchObject({ decision: 'emergency', verb: 'continue' });
  });

  it('is counted and not charged where its caller is known (ruling 16)', async () => {
    await ask({ account: 'acme' }, { leg: { destination: '112' } });
    expect([...live.values()]).toMatchObject([{ decision: 'emergency', funding: 'none', payers: [] }]);
  });
});
