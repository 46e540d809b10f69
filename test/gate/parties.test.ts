import { describe, expect, it } from 'vitest';
import { findParties, type Claims } from '../../src/gate/parties.ts';
import { accountsOf } from '../controller/world.ts';

const ACCOUNTS = accountsOf(
  [
    { account: 'acme', numbering: { country: '49', internationalPrefix: '00', trunkPrefix: '0' } },
    { account: 'acme/alice' },
    { account: 'umbrella' },
    { account: 'us', numbering: { country: '1', internationalPrefix: '011', trunkPrefix: '1' } },
    {
      account: 'own',
      numbering: {
        country: '49',
        internationalPrefix: '00',
        trunkPrefix: '0',
        classifiers: [
          { name: 'german', pattern: String.raw`^\+49` },
          { name: 'police', pattern: '^110$', emergency: true },
          { name: 'freecall', pattern: String.raw`^\+49800` },
          { name: 'freephone', pattern: String.raw`^\+800`, tollFree: true },
        ],
      },
    },
  ],
  [{ route: 'carrier' }],
);

function parties(claims: Partial<Claims>): object {
  const found = findParties(
    {
      account: undefined,
      callee: undefined,
      forwarder: undefined,
      routes: [],
      options: [],
      dialled: '4930123',
      ...claims,
    },
    ACCOUNTS,
    ['112'],
  );
  if (found.kind === 'refused') return { refused: found.refusal.reason, cause: found.refusal.cause };
  const { caller, callee, routes, forwarded, destination, emergency } = found;
  return {
    caller: caller?.path,
    callee: callee?.path,
    routes: routes.map(({ name, node }) => `${name}${node === undefined ? '?' : ''}`),
    forwarded,
    destination,
    emergency,
  };
}

const NOBODY = {
  caller: undefined,
  callee: undefined,
  routes: [],
  forwarded: false,
  destination: '4930123',
  emergency: false,
};

describe('what the dialplan says of a call', () => {
  it.each([
    ['a caller of ours', { account: 'acme/alice' }, { caller: 'acme/alice' }],
    ['a caller in capitals (ruling 25)', { account: 'ACME/Alice' }, { caller: 'acme/alice' }],
    ['a callee of ours', { callee: 'umbrella' }, { callee: 'umbrella' }],
    ['an empty name', { account: '', callee: '' }, {}],
    [
      'a forwarder, who stands for the caller (ruling 13)',
      { account: 'umbrella', forwarder: 'acme/alice' },
      { caller: 'acme/alice', forwarded: true },
    ],
    [
      'a route of ours and one without limits',
      { routes: ['Carrier', 'elsewhere'] },
      { routes: ['carrier', 'elsewhere?'] },
    ],
    [
      'a number as its tenant dials it (ruling 17)',
      { account: 'acme/alice', dialled: '030123' },
      { caller: 'acme/alice', destination: '4930123' },
    ],
    [
      'a number as the callee would dial it',
      { callee: 'acme/alice', dialled: '0030123' },
      { callee: 'acme/alice', destination: '30123' },
    ],
    [
      'a name, between two accounts',
      { account: 'acme/alice', callee: 'umbrella', dialled: 'reception' },
      { caller: 'acme/alice', callee: 'umbrella', destination: 'reception' },
    ],
    [
      'a name, from outside',
      { callee: 'umbrella', dialled: 'reception' },
      { callee: 'umbrella', destination: 'reception' },
    ],
    [
      'an emergency, tested as dialled (ruling 17)',
      { account: 'acme/alice', dialled: '112' },
      { caller: 'acme/alice', destination: '49112', emergency: true },
    ],
    [
      'an emergency of somebody unknown',
      { account: 'who', dialled: '112' },
      { destination: '112', emergency: true },
    ],
    [
      'an emergency by a route of no possible name',
      { routes: ['Carrier 1'], dialled: '112' },
      { routes: ['Carrier 1?'], destination: '112', emergency: true },
    ],
  ])('may be %s', (_, claims, expected) => {
    const said = parties(claims);
    expect({ ...said, destination: undefined }).toEqual({ ...NOBODY, ...expected, destination: undefined });
    expect(said).toMatchObject(expected);
  });

  it.each([
    ['unknown_account', { account: 'who' }],
    ['unknown_account', { account: 'acme/alice/phone' }],
    ['unknown_account', { account: 'acme//alice' }],
    ['unknown_account', { callee: 'who' }],
    ['unknown_account', { account: 'acme', forwarder: 'who' }],
    ['bad_route', { account: 'acme', routes: ['carrier', 'Carrier 1'] }],
    ['bad_destination', { account: 'acme', dialled: 'reception' }],
    ['bad_destination', { account: 'acme', callee: 'umbrella', routes: ['carrier'], dialled: 'reception' }],
    ['bad_destination', { account: 'acme', dialled: '4'.repeat(40) }],
  ])('is refused as %s: %j', (refused, claims) => {
    expect(parties(claims)).toEqual({ refused, cause: 'barred' });
  });
});

describe('what a number is called by the account whose call it is', () => {
  const called = (claims: Partial<Claims>) => {
    const found = findParties(
      {
        account: 'own',
        callee: undefined,
        forwarder: undefined,
        routes: ['carrier'],
        options: [],
        dialled: '',
        ...claims,
      },
      ACCOUNTS,
      ['112'],
    );
    if (found.kind === 'refused') throw new Error(found.refusal.words);
    const { classification, emergency, tollFree } = found;
    return [classification, ...(emergency ? ['emergency'] : []), ...(tollFree ? ['toll-free'] : [])].join();
  };

  it.each([
    // The dialled form first: as a number of the country it would be german.
    [{ dialled: '110' }, 'police,emergency'],
    [{ dialled: '+110' }, 'unknown'],
    [{ dialled: '112' }, 'emergency,emergency'],
    [{ dialled: '0800123' }, 'german'],
    [{ dialled: '00800123' }, 'freephone,toll-free'],
    // Only who calls such a number calls for nothing.
    [{ dialled: '00800123', account: undefined, callee: 'own' }, 'freephone'],
    [{ dialled: '00800123', callee: 'own', routes: [] }, 'freephone'],
    [{ dialled: '00800123', forwarder: 'own' }, 'freephone,toll-free'],
    // Another tree has other numbers.
    [{ dialled: '110', account: 'umbrella' }, 'unknown'],
    [{ dialled: '999', account: 'acme/alice' }, 'international'],
    [{ dialled: '999', account: 'us' }, 'emergency,emergency'],
    [{ dialled: '18005551234', account: 'us' }, 'tollfree_us,toll-free'],
    [{ dialled: '0018005551234', account: 'acme' }, 'tollfree_us'],
  ])('%j is %s', (claims, expected) => {
    expect(called(claims)).toBe(expected);
  });
});
