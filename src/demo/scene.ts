import type { Claim } from './claims.ts';
import type { Screen } from './screen.ts';
import type { Stage } from './stage.ts';

export type Scene = {
  readonly title: string;
  /** Said before it is played, in a sentence or two. */
  readonly tells: string;
  /** Plays it on the screen; what it claims is judged from what was seen. */
  play(stage: Stage, screen: Screen): Promise<readonly Claim[]>;
};

/** How late hang-ups may reach FreeSWITCH, in ms: a single one; of many that come together the middle and the last. */
export type LatenessBounds = { readonly one: number; readonly median: number; readonly worst: number };

/**
 * On a machine to itself all are a few milliseconds. This allows for two busy cores, on which every part shares the
 * work, for a slow disk, whose writes the hang-ups wait for, and for a Redis written in JavaScript.
 */
export function latenessBounds(redisKind: Stage['redis']['kind']): LatenessBounds {
  if (redisKind === 'embedded') return { one: 1_000, median: 250, worst: 1_000 };
  return { one: 250, median: 100, worst: 500 };
}

/** Clocks of three processes are read: a hang-up may seem early by so much. */
export const EARLY_MS_MAX = 5;

export const SAMPLE_MS = 80;
