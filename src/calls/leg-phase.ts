import type { SwitchEvent } from './switch-event.ts';

/**
 * Where a leg stands for us. Events may come twice, late, in any order or never:
 *
 *   unknown → ringing → answered → going → gone
 *
 * `going` has hung up and may still tell its durations; `gone` is kept a while so that stragglers change nothing.
 */
export type LegPhase = 'unknown' | 'ringing' | 'answered' | 'going' | 'gone';

export type LegEventKind = Extract<
  SwitchEvent['kind'],
  | 'created'
  | 'answered'
  | 'bridged'
  | 'unbridged'
  | 'hung-up'
  | 'completed'
  | 'destroyed'
  | 'parked'
  | 'renamed'
>;

/** What the controller does about an event, in this order. */
export type LegStep =
  /** The leg is new to us: tie it to its admission, or treat it as one that came by no gate (ruling 12). */
  | 'appear'
  /** Metering begins. */
  | 'answer'
  /** Its counters are freed (ruling 24). */
  | 'release'
  /** Its money is settled, with FreeSWITCH's durations. */
  | 'settle'
  /** Nothing more will come: what was not settled is left to the next look at FreeSWITCH's channels. */
  | 'forget';

export type LegTransition = { readonly next: LegPhase; readonly steps: readonly LegStep[] };

const stay = (next: LegPhase): LegTransition => ({ next, steps: [] });

/** Every phase × every event. A leg that hung up before its CREATE came never appears. */
const TRANSITIONS: Readonly<Record<LegPhase, Readonly<Record<LegEventKind, LegTransition>>>> = {
  unknown: {
    created: { next: 'ringing', steps: ['appear'] },
    answered: { next: 'answered', steps: ['appear', 'answer'] },
    bridged: stay('unknown'),
    unbridged: stay('unknown'),
    'hung-up': { next: 'going', steps: ['release'] },
    completed: { next: 'gone', steps: ['settle'] },
    destroyed: { next: 'gone', steps: ['forget'] },
    parked: { next: 'ringing', steps: ['appear'] },
    renamed: { next: 'ringing', steps: ['appear'] },
  },
  ringing: {
    created: stay('ringing'),
    answered: { next: 'answered', steps: ['answer'] },
    bridged: stay('ringing'),
    unbridged: stay('ringing'),
    'hung-up': { next: 'going', steps: ['release'] },
    completed: { next: 'gone', steps: ['settle'] },
    destroyed: { next: 'gone', steps: ['forget'] },
    parked: stay('ringing'),
    renamed: stay('ringing'),
  },
  answered: {
    created: stay('answered'),
    answered: stay('answered'),
    bridged: stay('answered'),
    unbridged: stay('answered'),
    'hung-up': { next: 'going', steps: ['release'] },
    completed: { next: 'gone', steps: ['settle'] },
    destroyed: { next: 'gone', steps: ['forget'] },
    parked: stay('answered'),
    renamed: stay('answered'),
  },
  going: {
    created: stay('going'),
    answered: stay('going'),
    bridged: stay('going'),
    unbridged: stay('going'),
    'hung-up': stay('going'),
    completed: { next: 'gone', steps: ['settle'] },
    // Its durations may still be on their way: a DESTROY sometimes overtakes them.
    destroyed: stay('going'),
    parked: stay('going'),
    renamed: stay('going'),
  },
  gone: {
    created: stay('gone'),
    answered: stay('gone'),
    bridged: stay('gone'),
    unbridged: stay('gone'),
    'hung-up': stay('gone'),
    // Twice the same end: settlement is idempotent, and the first may have failed for want of a store.
    completed: { next: 'gone', steps: ['settle'] },
    destroyed: stay('gone'),
    parked: stay('gone'),
    renamed: stay('gone'),
  },
};

export function transition(phase: LegPhase, event: LegEventKind): LegTransition {
  return TRANSITIONS[phase][event];
}
