import { describe, expect, it } from 'vitest';
import { meteringOf } from '../../src/reconcile/metering.ts';
import { surroundingsOf } from '../../src/reconcile/surroundings.ts';
import type { SwitchCdr } from '../../src/reconcile/switch-cdr.ts';
import type { AdmissionId, LegUuid } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { switchLeg, uuid } from './samples.ts';

type Known = { readonly charged?: readonly string[]; readonly ungated?: 'admit' | 'kill' | 'ignore' };

/** What becomes of each of these legs, in one word, and the number it is charged for. */
function verdicts(legs: readonly SwitchCdr[], { charged = [], ungated = 'admit' }: Known = {}) {
  const relatives = {
    leg: (wanted: LegUuid) => legs.find((leg) => leg.uuid === wanted),
    placedBy: (placer: LegUuid) => legs.filter(({ originator }) => originator === placer),
    bridgedFrom: (bLeg: LegUuid) => legs.find((leg) => leg.bLeg === bLeg),
    isCharged: (wanted: LegUuid) => charged.includes(wanted),
  };
  const entries = legs.map((leg) => {
    const metering = meteringOf(leg, surroundingsOf(leg, relatives), ungated);
    switch (metering.kind) {
      case 'metered':
        return [leg.uuid, `${metering.claims.account} ${metering.claims.dialled} as ${metering.legKey}`];
      case 'not_metered':
        return [leg.uuid, metering.why];
      case 'undetermined':
        return [leg.uuid, 'undetermined'];
    }
  });
  return Object.fromEntries(entries) as Readonly<Record<string, string>>;
}

const admission = 'a.1' as AdmissionId;
const START = switchLeg('a').startedAt;
const later = (ms: number) => toEpochMs(START + ms);

/** The caller's leg, answered when the called one is. */
const inbound = (changes: Parameters<typeof switchLeg>[1] = {}) =>
  switchLeg('a', { direction: 'inbound', answeredAt: later(2_020), ...changes });
const placedLeg = (changes: Parameters<typeof switchLeg>[1] = {}, name = 'b') =>
  switchLeg(name, { originator: uuid('a'), ...changes });

const CASES: readonly (readonly [
  title: string,
  legs: readonly SwitchCdr[],
  expected: object,
  known?: Known,
])[] = [
  [
    'the placed one, by the number that the gate decided for',
    [
      inbound({ gate: { admission, admittedDestination: '4930555', decision: 'admitted' } }),
      placedLeg({ gate: { admission, account: undefined, routes: [] }, destination: '0114930555' }),
    ],
    { a: 'placed_a_leg', b: 'acme/alice 4930555 as a.1:b1' },
  ],
  [
    'each answered branch of a dial, by its own number',
    [
      inbound({
        gate: {
          admission,
          bridge: '[{"dial":"user/1","destination":"4911"},{"dial":"user/2","destination":"4922"}]',
        },
      }),
      placedLeg({ gate: { admission, branch: 'b2' } }),
    ],
    { a: 'placed_a_leg', b: 'acme/alice 4922 as a.1:b2' },
  ],
  [
    "the caller's own, where the call came from a route",
    [
      inbound({ gate: { admission, metered: '1:b1:acme', decision: 'admitted' } }),
      placedLeg({ gate: { admission } }),
    ],
    { a: 'acme/alice 4930123 as a.1:b1', b: 'caller_is_metered' },
  ],
  [
    "the caller's own, where the call came from a route while the store was down",
    [
      inbound({ gate: { admission, decision: 'store_down', account: undefined, callee: 'acme/alice' } }),
      placedLeg({ gate: { admission } }),
    ],
    { a: 'undefined 4930123 as a.0:ungated', b: 'caller_is_metered' },
  ],
  [
    'the placed one, where the store was down for an outbound call',
    [inbound({ gate: { admission, decision: 'store_down' } }), placedLeg({ gate: { admission } })],
    { a: 'placed_a_leg', b: 'acme/alice 4930123 as a.1:b1' },
  ],
  [
    'nobody in an emergency, and nobody who was refused',
    [inbound({ gate: { admission, decision: 'emergency' } }), placedLeg({ gate: { admission } })],
    { a: 'emergency', b: 'emergency' },
  ],
  [
    'one that was placed by an earlier pass than the one that was refused',
    [
      inbound({ gate: { admission: 'a.2' as AdmissionId, decision: 'refused' } }),
      placedLeg({ gate: { admission } }),
    ],
    { a: 'refused', b: 'acme/alice 4930123 as a.1:b1' },
  ],
  [
    'without a gate the placed one, and each of several',
    [inbound(), placedLeg(), placedLeg({ startedAt: later(5_000) }, 'c')],
    { a: 'placed_a_leg', b: 'acme/alice 4930123 as b.0:ungated', c: 'acme/alice 4930123 as c.0:ungated' },
  ],
  [
    'without a gate the caller, where he was answered before anything was dialled',
    [inbound({ answeredAt: later(10) }), placedLeg({ startedAt: later(1_000) })],
    { a: 'acme/alice 4930123 as a.0:ungated', b: 'caller_is_metered' },
  ],
  [
    'nobody by no gate, where that is to be ignored',
    [inbound(), placedLeg(), switchLeg('c', { direction: 'inbound' })],
    { a: 'placed_a_leg', b: 'ungated', c: 'ungated' },
    { ungated: 'ignore' },
  ],
  [
    'never a loopback pair, and the leg behind it',
    [
      inbound(),
      placedLeg({ loopback: true }, 'la'),
      placedLeg({ loopback: true, direction: 'inbound' }, 'lb'),
      switchLeg('b', { originator: uuid('lb') }),
    ],
    { a: 'placed_a_leg', la: 'loopback', lb: 'loopback', b: 'acme/alice 4930123 as b.0:ungated' },
  ],
  [
    'not the caller, where the leg that it placed was charged and has no CDR here',
    [inbound({ answeredAt: later(10), placedLegs: [uuid('b')] })],
    { a: 'placed_a_leg' },
    { charged: ['b'] },
  ],
  [
    'not for certain the caller, where nothing is known of the leg that it placed',
    [inbound({ placedLegs: [uuid('b')] })],
    { a: 'undetermined' },
  ],
  [
    'not the placed one, where its caller was charged and has no CDR here',
    [placedLeg()],
    { b: 'caller_is_metered' },
    { charged: ['a'] },
  ],
  [
    'by a file that tells no direction, the leg that another names as its own',
    [
      switchLeg('a', { direction: undefined, bLeg: uuid('b') }),
      switchLeg('b', { direction: undefined }),
      switchLeg('c', { direction: undefined }),
    ],
    { a: 'placed_a_leg', b: 'acme/alice 4930123 as b.0:ungated', c: 'undetermined' },
  ],
  ['never one that nobody answered', [switchLeg('a', { answeredAt: undefined })], { a: 'unanswered' }],
];

describe('which leg of a call is charged', () => {
  it.each(CASES.map(([title, legs, expected, known]) => ({ title, legs, expected, known })))(
    'is $title',
    ({ legs, expected, known }) => {
      expect(verdicts(legs, known)).toEqual(expected);
    },
  );
});
