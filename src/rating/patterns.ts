import { assert, assertNever } from '../units/assert.ts';
import {
  parsePatternSyntax,
  type BadPattern,
  type CharacterSet,
  type PatternNode,
} from './pattern-syntax.ts';

/** A regular expression for numbers that was checked. Made only by `parsePattern`. */
export type NumberPattern = {
  readonly kind: 'pattern';
  /** As its author wrote it. */
  readonly text: string;
  readonly program: PatternProgram;
};

/** The states of an automaton, each naming those that follow it. */
type PatternProgram = { readonly states: readonly State[]; readonly first: number };

type State =
  | { readonly kind: 'read'; readonly set: CharacterSet; readonly next: number }
  | { readonly kind: 'either'; readonly next: readonly number[] }
  | { readonly kind: 'start' | 'end'; readonly next: number }
  | { readonly kind: 'match' };

/** Matching costs at most this many steps for each character of the number. */
const STATES_MAX = 1000;
/** Patterns are read again whenever an account changes; there are few different ones. */
const REMEMBERED_MAX = 1000;

const remembered = new Map<string, NumberPattern>();

/** What is wrong with it is the end of the sentence "expected …". */
export function parsePattern(text: string): NumberPattern | BadPattern {
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const node = parsePatternSyntax(text);
  if (node.kind === 'bad') return node;
  const program = compile(node);
  if (program === undefined) {
    return { kind: 'bad', expected: `a pattern with fewer repeats: at most ${STATES_MAX} steps` };
  }
  if (remembered.size >= REMEMBERED_MAX) remembered.clear();
  const pattern: NumberPattern = { kind: 'pattern', text, program };
  remembered.set(text, pattern);
  return pattern;
}

/** A pattern that was checked before it was stored. */
export function storedPattern(text: string): NumberPattern {
  const pattern = parsePattern(text);
  assert(pattern.kind === 'pattern', `the stored pattern ${JSON.stringify(text)} was checked`);
  return pattern;
}

/** Matching one character of a number costs at most so much. */
export function stepsOf({ program }: NumberPattern): number {
  return program.states.length;
}

/**
 * Whether the pattern is found anywhere in the number, as `RegExp.test` would; anchors say where. All ways through
 * the pattern are followed at once, so that the time grows with the number's length and never faster, whoever
 * wrote the pattern and whoever dialled.
 */
export function matches({ program }: NumberPattern, number: string): boolean {
  let states = new Set<number>();
  for (let at = 0; at <= number.length; at++) {
    const isLast = at === number.length;
    enter(program, program.first, { states, isFirst: at === 0, isLast });
    const next = new Set<number>();
    for (const index of states) {
      const state = program.states[index];
      if (state?.kind === 'match') return true;
      if (state?.kind === 'read' && !isLast && reads(state.set, number[at] ?? '')) {
        enter(program, state.next, { states: next, isFirst: false, isLast: at + 1 === number.length });
      }
    }
    states = next;
  }
  return false;
}

/** How much of an international number was read: nothing, its plus, digits behind it, or all of it. */
const NOTHING = 0;
const PLUS = 1;
const DIGITS = 2;
const ALL = 3;

/** Whether there is a number in its international form, a plus and digits, that the pattern is found in. */
export function canMatchInternational({ program }: NumberPattern): boolean {
  const waiting = [NOTHING, PLUS, DIGITS].map((read) => ({ index: program.first, read }));
  const seen = new Set<string>();
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const { index, read } = at;
    const state = program.states[index];
    if (state?.kind === 'match') return true;
    if (state === undefined || seen.has(`${index} ${read}`)) continue;
    seen.add(`${index} ${read}`);
    if (state.kind === 'either') waiting.push(...state.next.map((next) => ({ index: next, read })));
    else if (state.kind === 'start' && read === NOTHING) waiting.push({ index: state.next, read });
    else if (state.kind === 'end' && read >= DIGITS) waiting.push({ index: state.next, read: ALL });
    else if (state.kind === 'read' && read === NOTHING && reads(state.set, '+')) {
      waiting.push({ index: state.next, read: PLUS });
    } else if (state.kind === 'read' && (read === PLUS || read === DIGITS) && readsDigit(state.set)) {
      waiting.push({ index: state.next, read: DIGITS });
    }
  }
  return false;
}

function readsDigit(set: CharacterSet): boolean {
  return Array.from({ length: 10 }, (_, digit) => `${digit}`).some((digit) => reads(set, digit));
}

function reads({ characters, negated }: CharacterSet, character: string): boolean {
  return characters.has(character) !== negated;
}

type Place = { readonly states: Set<number>; readonly isFirst: boolean; readonly isLast: boolean };

/** Adds a state and all that are reached from it without reading. */
function enter(program: PatternProgram, first: number, place: Place): void {
  const waiting = [first];
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    if (place.states.has(index)) continue;
    place.states.add(index);
    const state = program.states[index];
    if (state?.kind === 'either') waiting.push(...state.next);
    else if (state?.kind === 'start' && place.isFirst) waiting.push(state.next);
    else if (state?.kind === 'end' && place.isLast) waiting.push(state.next);
  }
}

/** Undefined: it would have too many states. */
function compile(node: PatternNode): PatternProgram | undefined {
  if (stateCount(node) >= STATES_MAX) return undefined;
  // From the end to the beginning, for a state must know what follows it.
  const states: State[] = [{ kind: 'match' }];
  const add = (state: State): number => states.push(state) - 1;

  const build = (part: PatternNode, next: number): number => {
    switch (part.kind) {
      case 'character':
        return add({ kind: 'read', set: part.set, next });
      case 'start':
      case 'end':
        return add({ kind: part.kind, next });
      case 'sequence':
        return part.parts.reduceRight((following, each) => build(each, following), next);
      case 'choice':
        return add({ kind: 'either', next: part.parts.map((each) => build(each, next)) });
      case 'repeat':
        return buildRepeat(part, next);
      default:
        return assertNever(part, 'part of a pattern');
    }
  };

  const buildRepeat = (
    { part, min, max }: Extract<PatternNode, { kind: 'repeat' }>,
    next: number,
  ): number => {
    let following = next;
    if (max === Infinity) {
      const loop: number[] = [next];
      following = add({ kind: 'either', next: loop });
      loop.push(build(part, following));
    } else {
      for (let count = min; count < max; count++) {
        following = add({ kind: 'either', next: [next, build(part, following)] });
      }
    }
    for (let count = 0; count < min; count++) following = build(part, following);
    return following;
  };

  const first = build(node, 0);
  return { states, first };
}

/** At least as many as compiling makes; counted first, so that `(…{64}){64}` is never unrolled. */
function stateCount(node: PatternNode): number {
  switch (node.kind) {
    case 'character':
    case 'start':
    case 'end':
      return 1;
    case 'sequence':
    case 'choice':
      return node.parts.reduce((sum, part) => sum + stateCount(part), 1);
    case 'repeat':
      return (stateCount(node.part) + 1) * (node.max === Infinity ? node.min + 1 : Math.max(1, node.max));
    default:
      return assertNever(node, 'part of a pattern');
  }
}
