import { StoreUnavailableError } from '../admission/live-store.ts';
import type { FundedTime } from '../admission/decide.ts';
import type { LegRecord } from '../admission/leg-record.ts';
import { refuse, type Refusal } from '../admission/refusal.ts';
import type { GateAnswer, GateKeeper, GateRequest } from '../calls/gate.ts';
import type { LegFacts } from '../calls/switch-event.ts';
import type { DecisionKind } from '../records/records.ts';
import { assert } from '../units/assert.ts';
import { admissionIdOf, legKeyOf, parseAccountPath, rootOf, type AdmissionId } from '../units/ids.ts';
import { admitLeg, giveBackLeg, type Admitted } from './admit-leg.ts';
import { branchName, dialStringOf, parseBranches, type Branch } from './branches.ts';
import type { ControllerContext } from './context.ts';
import { admissionDecision, refusalDecision } from './decisions.ts';
import { findParties, type Claims } from './parties.ts';

/** One branch's answer. `passed`: let through without a record, uncounted (a store that is down, an emergency of nobody's). */
type BranchAnswer = Admitted | { readonly kind: 'passed'; readonly decision: DecisionKind };

/** Answers both gates: decides every branch of a call before anything is dialled. */
export function createGatekeeper(
  context: ControllerContext,
  onAdmitted: (record: LegRecord) => void,
): GateKeeper {
  return async (request) => {
    const { leg } = request;
    const admission = await nextPass(context, leg);
    const { gate } = leg;
    const branches = parseBranches(gate.bridge, {
      callee: gate.callee,
      routes: gate.routes,
      destination: gate.destination,
    });
    if (branches === undefined) {
      const words = 'tollgate_bridge is neither a dial string nor a list of branches';
      const refusal = refuse('bad_destination', 'barred', '', words);
      record(context, request, admission, branchName(0), refusal);
      return refusedAnswer(context, leg, refusal);
    }
    const answers: { readonly branch: Branch; readonly answer: BranchAnswer }[] = [];
    for (const branch of branches) {
      const siblings = branches.map(({ name }) => name);
      const answer = await answerBranch(context, request, { admission, branch, siblings });
      if (answer.kind === 'admitted') onAdmitted(answer.record);
      answers.push({ branch, answer });
    }
    return toGateAnswer(context, leg, admission, answers);
  };
}

/**
 * The number of this pass (ruling 3). A call that comes again, transferred or forwarded, is decided anew: what its
 * last pass admitted and nobody answered is given back first.
 */
async function nextPass(context: ControllerContext, leg: LegFacts): Promise<AdmissionId> {
  const { admission, branches, home } = leg.gate;
  const [, pass] = /^(.*)\.(\d+)$/.exec(admission ?? '')?.slice(1) ?? [];
  if (admission === undefined || !admission.startsWith(`${leg.uuid}.`)) return admissionIdOf(leg.uuid, 1);
  const root = parseAccountPath(home ?? '');
  if (root !== undefined) {
    try {
      for (const branch of branches) {
        const legKey = legKeyOf(admission, branch);
        const live = legKey === undefined ? undefined : await context.store.find(rootOf(root), legKey);
        if (live !== undefined && live.record.answeredAt === undefined)
          await giveBackLeg(context, live.record);
      }
    } catch (err) {
      // The store is down: this pass will say so itself, and the resync gives back what the last one left.
      context.log.warn({ err, callUuid: leg.uuid }, 'could not give back the last pass');
    }
  }
  return admissionIdOf(leg.uuid, Number.parseInt(pass ?? '0', 10) + 1);
}

async function answerBranch(
  context: ControllerContext,
  request: GateRequest,
  asked: { readonly admission: AdmissionId; readonly branch: Branch; readonly siblings: readonly string[] },
): Promise<BranchAnswer> {
  const { leg, via } = request;
  const { admission, branch, siblings } = asked;
  const { policy, directory, store } = context;
  const claims = claimsOf(leg, branch);
  const parties = findParties(claims, directory.accounts(), policy.emergencyNumbers);
  if (parties.kind === 'refused') {
    record(context, request, admission, branch.name, parties.refusal, claims);
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
    if (answer.kind === 'refused') record(context, request, admission, branch.name, answer.refusal, claims);
    else if (!answer.replayed) context.record(admissionDecision(answer.record, answer.time, via));
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

function claimsOf(leg: LegFacts, branch: Branch): Claims {
  return {
    account: leg.gate.account,
    callee: branch.callee,
    forwarder: leg.gate.forwarder,
    routes: branch.routes,
    dialled: branch.destination ?? leg.destination,
  };
}

function record(
  context: ControllerContext,
  { leg, via }: GateRequest,
  admission: AdmissionId,
  branch: string,
  refusal: Refusal,
  claims: Claims = claimsOf(leg, {
    name: branch,
    dial: undefined,
    callee: leg.gate.callee,
    routes: leg.gate.routes,
    destination: leg.gate.destination,
  }),
): void {
  const at = context.store.now();
  context.record(refusalDecision({ aLeg: leg.uuid, admission, branch, at }, claims, refusal, via));
  const { reason, limit, holder, words } = refusal;
  context.log.info(
    { callUuid: leg.uuid, accountId: claims.account, reason, limit, holder, words },
    'call refused',
  );
}

function toGateAnswer(
  context: ControllerContext,
  leg: LegFacts,
  admission: AdmissionId,
  answers: readonly { readonly branch: Branch; readonly answer: BranchAnswer }[],
): GateAnswer {
  const passing = answers.filter(({ answer }) => answer.kind !== 'refused');
  const first = answers[0]?.answer;
  if (passing.length === 0 && first?.kind === 'refused') return refusedAnswer(context, leg, first.refusal);
  const dialString = dialStringOf(
    passing.map(({ branch }) => branch),
    answers.length,
  );
  const variables = passedVariables(context, leg, admission, passing);
  return {
    variables,
    verb: dialString === undefined ? { kind: 'continue' } : { kind: 'bridge', dialString },
  };
}

function passedVariables(
  context: ControllerContext,
  leg: LegFacts,
  admission: AdmissionId,
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
    ['tollgate_branches', passing.map(({ branch }) => branch.name).join(',')],
    ['tollgate_admitted_destination', leg.gate.destination ?? leg.destination],
  ]);
  const exported = ['tollgate_admission'];
  const records = passing.flatMap(({ answer }) => (answer.kind === 'admitted' ? [answer] : []));
  const home = records[0];
  if (home !== undefined) {
    variables.set('tollgate_home', rootOf(home.record.account));
    exported.push('tollgate_home');
  }
  const onALeg = home?.record.uuid === leg.uuid;
  // Only a leg that is metered itself has a branch; the ones it places inherit the name of theirs from the dial.
  if (onALeg) variables.set('tollgate_branch', branchName(0));
  const funded = longest(records.map(({ time }) => time.funded));
  variables.set('tollgate_funded_seconds', funded === 'unlimited' ? 'unlimited' : `${funded}`);
  const ever = longest(
    records.filter(({ record }) => record.funding === 'per_minute').map(({ time }) => time.ever),
  );
  if (ever !== 'unlimited' && ever > 0) {
    const { deadmanSlackSeconds, deadmanSecondsMax } = context.policy;
    const seconds = Math.min(ever + deadmanSlackSeconds, deadmanSecondsMax);
    const onAnswer = `sched_hangup +${seconds} allotted_timeout`;
    // The metered leg carries the timer: the A-leg of a call from a route, else the leg that will be placed.
    if (onALeg) variables.set('execute_on_answer', onAnswer);
    else {
      variables.set('nolocal:execute_on_answer', onAnswer);
      exported.push('nolocal:execute_on_answer');
    }
  }
  const before = (leg.gate.exportVars ?? '')
    .split(',')
    .filter((name) => name !== '' && !exported.includes(name));
  variables.set('export_vars', [...before, ...exported].join(','));
  return variables;
}

function decisionOf(answer: Admitted): DecisionKind {
  return answer.kind === 'admitted' ? answer.record.decision : 'refused';
}

function longest(times: readonly FundedTime['ever'][]): FundedTime['ever'] {
  if (times.length === 0 || times.includes('unlimited')) return 'unlimited';
  return Math.max(...times.map((time) => (time === 'unlimited' ? 0 : time)));
}

function refusedAnswer(context: ControllerContext, leg: LegFacts, refusal: Refusal): GateAnswer {
  const { sipCode, reason, cause } = context.policy.causes[refusal.cause];
  const variables = new Map([
    ['tollgate_decision', 'refused'],
    ['tollgate_reason', refusal.reason],
    ['tollgate_limit', refusal.limit],
    ['tollgate_account_limited', refusal.holder.replace(/^route /, '')],
    ['tollgate_cause', cause],
    ['tollgate_admitted_destination', leg.gate.destination ?? leg.destination],
  ]);
  if (context.policy.refusal === 'continue') return { variables, verb: { kind: 'continue' } };
  return { variables, verb: { kind: 'refuse', sipCode, sipReason: reason, cause } };
}
