import type { FundedTime } from '../admission/decide.ts';
import type { Refusal } from '../admission/refusal.ts';
import { dialStringOf, type Branch } from '../calls/branches.ts';
import type { GateAnswer } from '../calls/gate.ts';
import type { LegFacts } from '../calls/switch-event.ts';
import type { DecisionKind } from '../records/records.ts';
import type { ControllerContext } from '../state/context.ts';
import { heldText } from '../state/held.ts';
import { rootOf } from '../units/ids.ts';
import type { Admitted } from './admit-leg.ts';
import type { Pass } from './pass.ts';

/** FreeSWITCH executes every variable whose name begins so; a dialplan's own is left alone. */
const ON_ANSWER = 'execute_on_answer_tollgate';
/** The same for the legs that this one places, and not for itself. */
const ON_ANSWER_PLACED = `nolocal:${ON_ANSWER}`;

/** One branch's answer. `passed`: let through without a record, uncounted (a store that is down, an emergency of nobody's). */
export type BranchAnswer = Admitted | { readonly kind: 'passed'; readonly decision: DecisionKind };

/**
 * A destination goes back to the dialplan in commands, which carry no other characters. It is looked at before
 * anything is taken: an answer that could not be sent would leave its takes behind.
 */
export const DESTINATION = /^[A-Za-z0-9+*#_.][A-Za-z0-9+*#_.@-]{0,127}$/;

/** What the dialplan is told of a call whose branches are decided, and what becomes of it. */
export function toGateAnswer(
  context: ControllerContext,
  leg: LegFacts,
  pass: Pass,
  answers: readonly { readonly branch: Branch; readonly answer: BranchAnswer }[],
): GateAnswer {
  const passing = answers.filter(({ answer }) => answer.kind !== 'refused');
  const first = answers[0]?.answer;
  if (passing.length === 0 && first?.kind === 'refused')
    return refusedAnswer(context, leg, pass, first.refusal);
  const dialString = dialStringOf(
    passing.map(({ branch }) => branch),
    answers.length,
  );
  const variables = passedVariables(context, leg, pass, passing);
  return {
    variables,
    verb: dialString === undefined ? { kind: 'continue' } : { kind: 'bridge', dialString },
  };
}

function passedVariables(
  context: ControllerContext,
  leg: LegFacts,
  { number, admission, kept }: Pass,
  passing: readonly { readonly branch: Branch; readonly answer: BranchAnswer }[],
): ReadonlyMap<string, string> {
  const decisions = passing.map(({ answer }) =>
    answer.kind === 'passed' ? answer.decision : decisionOf(answer),
  );
  const variables = new Map([
    ['tollgate_decision', decisions[0] ?? 'admitted'],
    ['tollgate_reason', ''],
    ['tollgate_limit', ''],
    ['tollgate_account_limited', ''],
    ['tollgate_cause', ''],
    ['tollgate_admission', admission],
    // As FreeSWITCH has it, whatever number it is rated as: a transfer changes this one.
    ['tollgate_admitted_destination', leg.destination],
  ]);
  const exported = ['tollgate_admission'];
  const records = passing.flatMap(({ answer }) => (answer.kind === 'admitted' ? [answer] : []));
  const home = records[0];
  if (home !== undefined) {
    variables.set('tollgate_home', rootOf(home.record.account));
    exported.push('tollgate_home');
  }
  const held = passing.flatMap(({ branch, answer }) =>
    answer.kind === 'admitted' ? [heldText(number, branch.name, answer.record.account)] : [],
  );
  variables.set('tollgate_branches', [...kept.map(({ text }) => text), ...held].join(','));
  const onALeg = home?.record.uuid === leg.uuid;
  if (onALeg) variables.set('tollgate_metered', held[0] ?? '');
  const funded = longest(records.map(({ time }) => time.funded));
  variables.set('tollgate_funded_seconds', funded === 'unlimited' ? 'unlimited' : `${funded}`);
  const ever = longest(records.map(({ time }) => time.ever));
  // The metered leg carries the timer: the A-leg of a call from a route, else the leg that will be placed.
  const onAnswer = ever === 'unlimited' || ever === 0 ? '' : deadmanApplication(context, ever);
  variables.set(onALeg ? ON_ANSWER : ON_ANSWER_PLACED, onAnswer);
  if (!onALeg && onAnswer !== '') exported.push(ON_ANSWER_PLACED);
  const before = (leg.gate.exportVars ?? '')
    .split(',')
    .filter((name) => name !== '' && name !== ON_ANSWER_PLACED && !exported.includes(name));
  variables.set('export_vars', [...before, ...exported].join(','));
  return variables;
}

function deadmanApplication({ policy }: ControllerContext, ever: number): string {
  const seconds = Math.min(ever + policy.deadmanSlackSeconds, policy.deadmanSecondsMax);
  return `sched_hangup +${seconds} allotted_timeout`;
}

function decisionOf(answer: Admitted): DecisionKind {
  return answer.kind === 'admitted' ? answer.record.decision : 'refused';
}

function longest(times: readonly FundedTime['ever'][]): FundedTime['ever'] {
  if (times.length === 0 || times.includes('unlimited')) return 'unlimited';
  return Math.max(...times.map((time) => (time === 'unlimited' ? 0 : time)));
}

/** What a refused call is told, and how it ends. */
export function refusedAnswer(
  context: ControllerContext,
  leg: LegFacts,
  { admission, kept }: Pass,
  refusal: Refusal,
): GateAnswer {
  const { sipCode, reason, cause } = context.policy.causes[refusal.cause];
  const variables = new Map([
    ['tollgate_decision', 'refused'],
    ['tollgate_reason', refusal.reason],
    ['tollgate_limit', refusal.limit],
    ['tollgate_account_limited', refusal.holder.replace(/^route /, '')],
    ['tollgate_cause', cause],
    // The pass is used up: an announcement that answers is no call that came by no gate.
    ['tollgate_admission', admission],
    ['tollgate_branches', kept.map(({ text }) => text).join(',')],
  ]);
  if (DESTINATION.test(leg.destination)) variables.set('tollgate_admitted_destination', leg.destination);
  if (context.policy.refusal === 'continue') return { variables, verb: { kind: 'continue' } };
  return { variables, verb: { kind: 'refuse', sipCode, sipReason: reason, cause } };
}
