import { describe } from 'vitest';
import { times, type Case, type Limits, type Step } from './cases.ts';
import { runCases } from './run-cases.ts';

/** Every limit, and a call that it counts. */
const OF_ACCOUNTS: readonly (readonly [limit: string, call: string])[] = [
  ['calls', 'acme/alice → carrier'],
  ['resourceConsumingCalls', 'acme/alice → carrier'],
  ['inboundCalls', 'trunk → acme/alice'],
  ['outboundCalls', 'acme/alice → carrier'],
  ['publicCalls', 'acme/alice → carrier'],
  ['internalCalls', 'acme/alice → acme/bob'],
];
const OF_ROUTES: readonly (readonly [limit: string, call: string])[] = [
  ['calls', 'acme/alice → carrier'],
  ['inboundCalls', 'carrier → acme/bob'],
  ['outboundCalls', 'acme/alice → carrier'],
];

function caseOf(title: string, limits: { account?: Limits; route?: Limits }, steps: readonly Step[]): Case {
  return {
    title,
    accounts: { acme: {}, 'acme/alice': limits.account ?? {}, 'acme/bob': {} },
    routes: { carrier: limits.route ?? {}, trunk: {} },
    steps,
  };
}

/** An account that is called is busy; one that calls, and a route, have no capacity. */
const refusalOf = (call: string, limit: string, holder: string): string =>
  `${call.endsWith(`→ ${holder}`) && holder !== 'carrier' ? 486 : 503} ${limit} of ${holder}`;

const countedLimits = [
  ...OF_ACCOUNTS.map(([limit, call]) => ({ limit, call, on: 'account', holder: 'acme/alice' }) as const),
  ...OF_ROUTES.map(([limit, call]) => ({ limit, call, on: 'route', holder: 'carrier' }) as const),
];

const bounds = countedLimits.flatMap(({ limit, call, on, holder }): readonly Case[] => {
  const refused = refusalOf(call, limit, holder);
  const of = `${limit} of ${on === 'route' ? 'a route' : 'an account'}`;
  return [
    caseOf(`${of} at 0 refuses the first call`, { [on]: { [limit]: 0 } }, [[call, refused]]),
    caseOf(
      `${of} at 2 admits two, refuses the third, and admits again when one has ended`,
      { [on]: { [limit]: 2 } },
      [...times(2, [call, 'rings']), [call, refused], { hangUp: 1 }, [call, 'rings'], [call, refused]],
    ),
    caseOf(
      `${of} unlimited admits as many as come`,
      { [on]: { [limit]: 'unlimited' } },
      times(4, [call, 'rings']),
    ),
  ];
});

const together = (verdicts: Readonly<Record<string, number>>): Step => ({
  together: Array.from({ length: 4 }, () => 'acme/alice → carrier'),
  verdicts,
});

const perSecond = (['account', 'route'] as const).flatMap((on): readonly Case[] => {
  const of = `callsPerSecond of ${on === 'route' ? 'a route' : 'an account'}`;
  const refused = `503 callsPerSecond of ${on === 'route' ? 'carrier' : 'acme/alice'}`;
  return [
    caseOf(`${of} at 0 refuses every call`, { [on]: { callsPerSecond: 0 } }, [together({ [refused]: 4 })]),
    caseOf(`${of} at 3 admits three of four at once`, { [on]: { callsPerSecond: 3 } }, [
      together({ rings: 3, [refused]: 1 }),
    ]),
    caseOf(`${of} at 4 admits four at once`, { [on]: { callsPerSecond: 4 } }, [together({ rings: 4 })]),
    caseOf(`${of} unlimited admits all`, { [on]: { callsPerSecond: 'unlimited' } }, [together({ rings: 4 })]),
  ];
});

const TO_ALICE = 'trunk → acme/alice at 4930111';
const perNumber = (calls: number | 'unlimited'): Limits => ({
  perNumber: [
    { pattern: '^\\+49301', calls },
    { pattern: '^\\+4930', calls: 0 },
  ],
});
const FULL_NUMBER = '486 perNumber of acme/alice';

/** The first rule that matches holds, for each called number by itself, and for calls from outside only. */
const numbers: readonly Case[] = [
  caseOf('perNumber at 0 refuses the first call to a number', { account: perNumber(0) }, [
    [TO_ALICE, FULL_NUMBER],
    ['trunk → acme/alice at 33123', 'rings'],
  ]),
  caseOf('perNumber at 2 admits two to each number, and refuses its third', { account: perNumber(2) }, [
    ...times(2, [TO_ALICE, 'rings']),
    [TO_ALICE, FULL_NUMBER],
    ...times(2, ['trunk → acme/alice at 4930112', 'rings']),
    ['trunk → acme/alice at 4930112', FULL_NUMBER],
    { hangUp: 1 },
    [TO_ALICE, 'rings'],
    [TO_ALICE, FULL_NUMBER],
    ['trunk → acme/alice at 4930999', FULL_NUMBER],
    ['acme/bob → acme/alice at 4930111', 'rings'],
    ['acme/alice → carrier at 4930111', 'rings'],
  ]),
  caseOf('perNumber unlimited admits as many as come', { account: perNumber('unlimited') }, [
    ...times(4, [TO_ALICE, 'rings']),
  ]),
];

const lengths: readonly Case[] = [
  caseOf('maxCallSeconds at 0 refuses the first call', { account: { maxCallSeconds: 0 } }, [
    ['acme/alice → carrier', '403 maxCallSeconds of acme/alice'],
    ['trunk → acme/alice', '403 maxCallSeconds of acme/alice'],
  ]),
  caseOf('maxCallSeconds of a second, and unlimited, admit', { account: { maxCallSeconds: 1 } }, [
    ['acme/alice → carrier', 'rings'],
    { set: 'acme/alice', to: { maxCallSeconds: 'unlimited' } },
    ['acme/alice → carrier', 'rings'],
  ]),
];

const changes: readonly Case[] = [
  caseOf('a lowered limit holds for the next call, and ends none that runs', { account: { calls: 3 } }, [
    ...times(2, ['acme/alice → carrier', 'rings']),
    { set: 'acme/alice', to: { calls: 1 } },
    ['acme/alice → carrier', '503 calls of acme/alice'],
    { use: 'acme/alice', is: { calls: 2, resourceConsumingCalls: 2, outboundCalls: 2, publicCalls: 2 } },
    { hangUp: 1 },
    ['acme/alice → carrier', '503 calls of acme/alice'],
    { hangUp: 2 },
    ['acme/alice → carrier', 'rings'],
  ]),
  caseOf('a raised limit lets the next call through', { account: { calls: 1 } }, [
    ['acme/alice → carrier', 'rings'],
    ['acme/alice → carrier', '503 calls of acme/alice'],
    { set: 'acme/alice', to: { calls: 2 } },
    ['acme/alice → carrier', 'rings'],
    ['acme/alice → carrier', '503 calls of acme/alice'],
  ]),
  caseOf('a limit set for the first time counts the calls that run already', {}, [
    ...times(2, ['acme/alice → carrier', 'rings']),
    { set: 'acme', to: { publicCalls: 2 } },
    ['acme/alice → carrier', '503 publicCalls of acme'],
    ['acme/alice → acme/bob', 'rings'],
  ]),
  caseOf('a limit of a route changes with calls on it', { route: { calls: 2 } }, [
    ['acme/alice → carrier', 'rings'],
    { setRoute: 'carrier', to: { calls: 1 } },
    ['acme/alice → carrier', '503 calls of carrier'],
    { setRoute: 'carrier', to: {} },
    ['acme/alice → carrier', 'rings'],
  ]),
];

describe('the bounds of every limit', () => {
  runCases([...bounds, ...perSecond, ...numbers, ...lengths, ...changes]);
});
