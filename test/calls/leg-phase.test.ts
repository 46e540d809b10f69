import { describe, expect, it } from 'vitest';
import { transition, type LegEventKind, type LegPhase, type LegStep } from '../../src/calls/leg-phase.ts';

/** What becomes of a leg, and what is done: every phase × every event, so that leaving one out does not compile. */
type Expected = readonly [next: LegPhase, ...steps: LegStep[]];

const STAYS_UNKNOWN: Expected = ['unknown'];
const RINGS: Expected = ['ringing'];
const TALKS: Expected = ['answered'];
const GOES: Expected = ['going'];
const IS_GONE: Expected = ['gone'];

const TABLE: Readonly<Record<LegPhase, Readonly<Record<LegEventKind, Expected>>>> = {
  unknown: {
    created: ['ringing', 'appear'],
    answered: ['answered', 'appear', 'answer'],
    bridged: STAYS_UNKNOWN,
    unbridged: STAYS_UNKNOWN,
    'hung-up': ['going', 'release'],
    completed: ['gone', 'settle'],
    destroyed: ['gone', 'forget'],
    parked: ['ringing', 'appear'],
    renamed: ['ringing', 'appear'],
  },
  ringing: {
    created: RINGS,
    answered: ['answered', 'answer'],
    bridged: RINGS,
    unbridged: RINGS,
    'hung-up': ['going', 'release'],
    completed: ['gone', 'settle'],
    destroyed: ['gone', 'forget'],
    parked: RINGS,
    renamed: RINGS,
  },
  answered: {
    created: TALKS,
    answered: TALKS,
    bridged: TALKS,
    unbridged: TALKS,
    'hung-up': ['going', 'release'],
    completed: ['gone', 'settle'],
    destroyed: ['gone', 'forget'],
    parked: TALKS,
    renamed: TALKS,
  },
  going: {
    created: GOES,
    answered: GOES,
    bridged: GOES,
    unbridged: GOES,
    'hung-up': GOES,
    completed: ['gone', 'settle'],
    destroyed: GOES,
    parked: GOES,
    renamed: GOES,
  },
  gone: {
    created: IS_GONE,
    answered: IS_GONE,
    bridged: IS_GONE,
    unbridged: IS_GONE,
    'hung-up': IS_GONE,
    completed: ['gone', 'settle'],
    destroyed: IS_GONE,
    parked: IS_GONE,
    renamed: IS_GONE,
  },
};

const PHASES = Object.keys(TABLE) as LegPhase[];
const EVENTS = Object.keys(TABLE.unknown) as LegEventKind[];
const CASES = PHASES.flatMap((phase) =>
  EVENTS.map((event) => ({ phase, event, expected: TABLE[phase][event] })),
);

describe('a leg', () => {
  it.each(CASES)('that is $phase and hears $event', ({ phase, event, expected }) => {
    const [next, ...steps] = expected;
    expect(transition(phase, event)).toEqual({ next, steps });
  });

  it('never goes back, whatever order its events come in', () => {
    const back = CASES.filter(({ phase, event }) => rank(transition(phase, event).next) < rank(phase));
    expect(back).toEqual([]);
  });

  it('begins to be metered at most once, in any run of events', () => {
    // Steps that take or meter belong to the entry into a phase, which happens once.
    const again = CASES.filter(({ phase, event }) => {
      const { next, steps } = transition(phase, event);
      return (
        next === phase && steps.some((step) => step === 'appear' || step === 'answer' || step === 'release')
      );
    });
    expect(again).toEqual([]);
  });

  it('is settled by its durations in every phase, the last one included', () => {
    expect(PHASES.map((phase) => transition(phase, 'completed'))).toEqual(
      PHASES.map(() => ({ next: 'gone', steps: ['settle'] })),
    );
  });
});

function rank(phase: LegPhase): number {
  return PHASES.indexOf(phase);
}
