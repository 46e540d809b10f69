import { StoreUnavailableError } from '../admission/live-store.ts';
import type { FundedTime } from '../admission/decide.ts';
import type { LegRecord } from '../admission/leg-record.ts';
import { refuse, type Refusal } from '../admission/refusal.ts';
import type { GateAnswer, GateKeeper, GateRequest } from '../calls/gate.ts';
import type { LegFacts } from '../calls/switch-event.ts';
import type { DecisionKind } from '../records/records.ts';
import { assert } from '../units/assert.ts';
import { legKeyOf, parseAccountPath, rootOf, type AccountPath, type AdmissionId } from '../units/ids.ts';
import { admitLeg, type Admitted } from './admit-leg.ts';
import { branchName, dialStringOf, parseBranches, type Branch } from './branches.ts';
import type { ControllerContext } from './context.ts';
import { admissionDecision, refusalDecision } from './decisions.ts';
import { heldText, siblingText } from './held.ts';
import { findParties, type Claims } from './parties.ts';
import { nextPass, type Pass } from './pass.ts';

/** FreeSWITCH executes every variable whose name begins so; a dialplan's own is left alone. */
const ON_ANSWER = 'execute_on_answer_tollgate';
/** The same for the legs that this one places, and not for itself. */
const ON_ANSWER_PLACED = `nolocal:${ON_ANSWER}`;

/** One branch's answer. `passed`: let through without a record, uncounted (a store that is down, an emergency of nobody's). */
type BranchAnswer = Admitted | { readonly kind: 'passed'; readonly decision: DecisionKind };

/**
 * A destination goes back to the dialplan in commands, which carry no other characters. It is looked at before
 * anything is taken: an answer that could not be sent would leave its takes behind.
 */
const DESTINATION = /^[A-Za-z0-9+*#_.][A-Za-z0-9+*#_.@-]{0,127}$/;

/** Answers both gates: decides every branch of a call before anything is dialled. */
export function createGatekeeper(
  context: ControllerContext,
  onAdmitted: (record: LegRecord) => Promise<void>,
): GateKeeper {
  return async (request) => {
    const { leg } = request;
    const pass = await nextPass(context, leg);
    const { admission } = pass;
    const { gate } = leg;
    if (!DESTINATION.test(leg.destination)) {
      const words = 'the destination is neither a number nor a name that can be dialled';
      const refusal = refuse('bad_destination', 'barred', '', words);
      record(context, request, admission, branchName(0), refusal);
      return refusedAnswer(context, leg, pass, refusal);
    }
    const branches = parseBranches(gate.bridge, {
      callee: gate.callee,
      routes: gate.routes,
      destination: gate.destination,
    });
    if (branches === undefined) {
      const words = 'tollgate_bridge is neither a dial string nor a list of branches';
      const refusal = refuse('bad_destination', 'barred', '', words);
      record(context, request, admission, branchName(0), refusal);
      return refusedAnswer(context, leg, pass, refusal);
    }
    const answers: { readonly branch: Branch; readonly answer: BranchAnswer }[] = [];
    for (const branch of branches) {
      const siblings = branches.map((each) => siblingText(each.name, homeOf(claimsOf(leg, each))));
      const answer = await answerBranch(context, request, { pass, branch, siblings });
      if (answer.kind === 'admitted') await onAdmitted(answer.record);
      answers.push({ branch, answer });
    }
    return toGateAnswer(context, leg, pass, answers);
  };
}

async function answerBranch(
  context: ControllerContext,
  request: GateRequest,
  asked: { readonly pass: Pass; readonly branch: Branch; readonly siblings: readonly string[] },
): Promise<BranchAnswer> {
  const { leg, via } = request;
  const { pass, branch, siblings } = asked;
  const { admission } = pass;
  const { policy, directory, store } = context;
  const claims = claimsOf(leg, branch);
  const parties = findParties(claims, directory.accounts(), policy.emergencyNumbers);
  if (parties.kind === 'refused') {
    record(context, request, admission, branch.name, parties.refusal, { claims });
    return parties;
  }
  if (parties.emergency && parties.caller === undefined && parties.callee === undefined) {
    return { kind: 'passed', decision: 'emergency' };
  }
  const legKey = legKeyOf(admission, branch.name);
  assert(legKey !== undefined, 'branch names are ours');
  try {
    const answer = await admitLeg(context, {
      ...parties,
      forwarded: parties.forwarded && pass.cameByRoute,
      legKey,
      admission,
      aLeg: leg.uuid,
      node: leg.node,
      coreUuid: leg.coreUuid,
      callerNumber: leg.callerNumber,
      dialled: claims.dialled,
      siblings,
      at: store.now(),
    });
    if (answer.kind === 'refused') {
      const { classification, caller } = parties;
      const customer = caller?.customer && caller.path;
      const known = { claims, classification, ...(customer && { customer }) };
      record(context, request, admission, branch.name, answer.refusal, known);
    } else if (!answer.replayed)
      context.record(admissionDecision(answer.record, answer.time, via, answer.why));
    return answer;
  } catch (err) {
    if (!(err instanceof StoreUnavailableError)) throw err;
    context.log.error({ err, callUuid: leg.uuid }, 'store down at admission');
    const word = (parties.caller ?? parties.callee)?.limits.onStoreDown ?? policy.onStoreDown;
    if (word === 'allow' || parties.emergency) return { kind: 'passed', decision: 'store_down' };
    const words = 'the live store does not answer, and calls are then refused';
    return { kind: 'refused', refusal: refuse('store_down', 'storeDown', '', words) };
  }
}

/** The account whose call it is, if it is admitted. */
function homeOf({ forwarder, account, callee }: Claims): AccountPath | undefined {
  return parseAccountPath(forwarder ?? account ?? callee ?? '');
}

function claimsOf(leg: LegFacts, branch: Branch): Claims {
  return {
    account: leg.gate.account,
    callee: branch.callee,
    forwarder: leg.gate.forwarder,
    routes: branch.routes,
    options: leg.gate.options,
    customer: leg.gate.customer,
    dialled: branch.destination ?? leg.destination,
  };
}

function record(
  context: ControllerContext,
  { leg, via }: GateRequest,
  admission: AdmissionId,
  branch: string,
  refusal: Refusal,
  known?: { readonly claims: Claims; readonly classification?: string; readonly customer?: AccountPath },
): void {
  const { callee, routes, destination } = leg.gate;
  const claims =
    known?.claims ?? claimsOf(leg, { name: branch, dial: undefined, callee, routes, destination });
  const at = context.store.now();
  const { classification, customer } = known ?? {};
  const asked = { aLeg: leg.uuid, admission, branch, at, classification, customer };
  context.record(refusalDecision(asked, claims, refusal, via));
  const { reason, limit, holder, words } = refusal;
  context.log.info(
    { callUuid: leg.uuid, accountId: claims.account, reason, limit, holder, words },
    'call refused',
  );
}

function toGateAnswer(
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

function refusedAnswer(
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
