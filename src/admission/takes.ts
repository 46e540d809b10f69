import type { AccountNode, RouteNode } from '../accounts/account-tree.ts';
import { boundForNumber } from '../accounts/effective-limits.ts';
import type { Bound, EffectiveLimits } from '../accounts/limits.ts';
import {
  COUNTERS,
  slotName,
  slotOf,
  type Counter,
  type CountTake,
  type Holder,
  type HolderTakes,
  type Slot,
} from './plan.ts';
import { directionOf, e164Of, type PlannedQuestion, type Question } from './question.ts';

/** What a leg takes in one slot. */
export type SlotTakes = { readonly slot: Slot; readonly takes: readonly HolderTakes[] };

/**
 * Who is counted (DESIGN 3, rulings 2 and 19): the caller's chain, the routes, the callee's chain; root first in
 * each. An account on both sides counts once in calls, public and internal, and once each in inbound and outbound.
 */
export function takesOf(question: PlannedQuestion): readonly SlotTakes[] {
  const { caller, callee, routes, emergency } = question;
  const shared = sharedCounters(question);
  const slots: { slot: Slot; takes: HolderTakes[] }[] = [];
  const add = (takes: HolderTakes): void => {
    const slot = slotOf(takes.holder);
    const known = slots.find((candidate) => slotName(candidate.slot) === slotName(slot));
    if (known === undefined) slots.push({ slot, takes: [takes] });
    else known.takes.push(takes);
  };
  const calleeOnly = new Set(callee?.chain.map((node) => node.path));
  for (const node of caller?.chain ?? []) {
    const counters: Counter[] = [...shared, 'outboundCalls'];
    if (calleeOnly.delete(node.path)) counters.push('inboundCalls');
    add(accountTakes(question, node, counters));
  }
  for (const { node } of routes) {
    if (node === undefined) continue;
    // Towards a route the call goes out, from a route it comes in; wholesale does both with one route each.
    const side: Counter = caller === undefined ? 'inboundCalls' : 'outboundCalls';
    add(routeTakes(node, ['calls', side], emergency));
  }
  for (const node of callee?.chain ?? []) {
    if (!calleeOnly.has(node.path)) continue;
    add(accountTakes(question, node, [...shared, 'inboundCalls']));
    const numberTakes = takesOfNumber(question, node);
    if (numberTakes !== undefined) add(numberTakes);
  }
  return slots;
}

function sharedCounters(question: PlannedQuestion): readonly Counter[] {
  if (directionOf(question) === 'internal') return ['calls', 'internalCalls'];
  return question.forwarded ? ['calls', 'publicCalls'] : ['calls', 'resourceConsumingCalls', 'publicCalls'];
}

/** An account that is unrestricted or in dry run is counted and never refuses (ruling 16). */
export function isEnforced(node: Pick<AccountNode, 'limits'>): boolean {
  return node.limits.enabled && node.limits.enforcement === 'enforce';
}

/** For what bounds do not hold at all, and for whom. */
export type Bindings = Pick<Question, 'emergency' | 'soft'>;

/** Whether the account's bounds hold for this leg. */
export function isBound(node: Pick<AccountNode, 'path' | 'limits'>, { emergency, soft }: Bindings): boolean {
  return isEnforced(node) && !emergency && soft?.has(node.path) !== true;
}

function accountTakes(
  question: PlannedQuestion,
  node: AccountNode,
  counters: readonly Counter[],
): HolderTakes {
  const holder: Holder = { kind: 'account', path: node.path };
  const takes = holderTakes(holder, node.limits, counters, isBound(node, question));
  const isCounted = takes.perSecond === undefined && isJudged(node, ({ callsPerSecond }) => callsPerSecond);
  return isCounted ? { ...takes, perSecond: 'counted' } : takes;
}

/** Whether a limit that refuses nobody tells whom it would have refused: a shadow's, or one in a dry run. */
function isJudged(
  { limits, shadow }: Pick<AccountNode, 'limits' | 'shadow'>,
  boundOf: (limits: EffectiveLimits) => Bound,
): boolean {
  const judged = [...(limits.enforcement === 'dry_run' ? [limits] : []), ...(shadow ? [shadow.limits] : [])];
  return judged.some((each) => boundOf(each) !== 'unlimited');
}

/** What a call from outside takes of the number that it is for, where the account has a rule for it (ruling 22). */
function takesOfNumber(question: PlannedQuestion, node: AccountNode): HolderTakes | undefined {
  const { path, limits } = node;
  const number = e164Of(question);
  if (number === undefined || directionOf(question) !== 'inbound') return undefined;
  const calls = boundForNumber(limits.perNumber, number);
  const isCounted = isJudged(node, ({ perNumber }) => boundForNumber(perNumber, number));
  if (calls === 'unlimited' && !isCounted) return undefined;
  const holder: Holder = { kind: 'number', path, number };
  const enforced = isBound({ path, limits }, question);
  return holderTakes(holder, { calls, callsPerSecond: 'unlimited' }, ['calls'], enforced);
}

function routeTakes(node: RouteNode, counters: readonly Counter[], emergency: boolean): HolderTakes {
  return holderTakes({ kind: 'route', route: node.name }, node.limits, counters, !emergency);
}

function holderTakes(
  holder: Holder,
  limits: Readonly<Partial<Record<Counter, Bound>>> & { readonly callsPerSecond: Bound },
  counters: readonly Counter[],
  enforced: boolean,
): HolderTakes {
  const counts = inOrder(counters).map((counter): CountTake => ({
    counter,
    bound: enforced ? toLimit(limits[counter]) : undefined,
  }));
  return { holder, counts, perSecond: enforced ? toLimit(limits.callsPerSecond) : undefined };
}

function inOrder(counters: readonly Counter[]): readonly Counter[] {
  return COUNTERS.filter((counter) => counters.includes(counter));
}

export function toLimit(bound: Bound | undefined): number | undefined {
  return bound === undefined || bound === 'unlimited' ? undefined : bound;
}
