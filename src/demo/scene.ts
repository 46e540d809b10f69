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

/**
 * How late a hang-up may reach FreeSWITCH here. On a machine to itself it is a few milliseconds; this allows for
 * one with two busy cores, on which all parts share the work, and for a Redis written in JavaScript.
 */
export function lateMsMax(redisKind: Stage['redis']['kind']): number {
  return redisKind === 'embedded' ? 1_000 : 250;
}

/** Clocks of three processes are read: a hang-up may seem early by so much. */
export const EARLY_MS_MAX = 5;

export const SAMPLE_MS = 80;
