import type { LegRecord } from '../admission/leg-record.ts';
import { StoreUnavailableError } from '../admission/live-store.ts';
import type { Question } from '../admission/question.ts';
import { refuse, type Refusal } from '../admission/refusal.ts';
import { branchName, parseBranches, type Branch } from '../calls/branches.ts';
import type { GateKeeper, GateRequest } from '../calls/gate.ts';
import type { LegFacts } from '../calls/switch-event.ts';
import type { ControllerContext } from '../state/context.ts';
import { siblingText } from '../state/held.ts';
import { assert } from '../units/assert.ts';
import { legKeyOf, parseAccountPath, type AccountPath, type AdmissionId } from '../units/ids.ts';
import { admitLeg, type AdmissionWhy } from './admit-leg.ts';
import type { AnsweredQuestion } from './admit-leg.ts';
import { admissionDecision, passedDecision, refusalDecision } from './decisions.ts';
import { DESTINATION, refusedAnswer, toGateAnswer, type BranchAnswer } from './gate-answer.ts';
import type { LookAgain } from './look-again.ts';
import { findParties, type Claims } from './parties.ts';
import { nextPass, type Pass } from './pass.ts';

/** Answers both gates: decides every branch of a call before anything is dialled. */
export function createGatekeeper(
  context: ControllerContext,
  parts: {
    readonly onAdmitted: (record: LegRecord) => Promise<void>;
    /** Told of every branch that was asked for, once the call has its answer. */
    readonly onAnswered: (answered: readonly AnsweredQuestion[]) => void;
    /** For an account that is not known: it may have been saved just now. */
    readonly lookAgain: LookAgain;
  },
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
    const answered: AnsweredQuestion[] = [];
    let looked: Promise<void> | undefined;
    const lookAgain = (): Promise<void> => (looked ??= parts.lookAgain());
    for (const branch of branches) {
      const siblings = branches.map((each) => siblingText(each.name, homeOf(claimsOf(leg, each))));
      const answer = await answerBranch(context, request, { pass, branch, siblings, answered, lookAgain });
      if (answer.kind === 'admitted') await parts.onAdmitted(answer.record);
      answers.push({ branch, answer });
    }
    parts.onAnswered(answered);
    return toGateAnswer(context, leg, pass, answers);
  };
}

async function answerBranch(
  context: ControllerContext,
  request: GateRequest,
  asked: {
    readonly pass: Pass;
    readonly branch: Branch;
    readonly siblings: readonly string[];
    readonly answered: AnsweredQuestion[];
    readonly lookAgain: LookAgain;
  },
): Promise<BranchAnswer> {
  const { leg, via } = request;
  const { pass, branch, siblings } = asked;
  const { admission } = pass;
  const { policy, directory, store } = context;
  const claims = claimsOf(leg, branch);
  const find = (): ReturnType<typeof findParties> =>
    findParties(claims, directory.accounts(), policy.emergencyNumbers);
  let parties = find();
  if (parties.kind === 'refused' && parties.refusal.reason === 'unknown_account') {
    await asked.lookAgain();
    parties = find();
  }
  if (parties.kind === 'refused') {
    record(context, request, admission, branch.name, parties.refusal, { claims });
    return parties;
  }
  const letPass = (decision: 'emergency' | 'store_down'): BranchAnswer => {
    const asked = { aLeg: leg.uuid, admission, branch: branch.name, at: store.now() };
    context.record(passedDecision(asked, claims, decision, via));
    return { kind: 'passed', decision };
  };
  if (parties.emergency && parties.caller === undefined && parties.callee === undefined) {
    return letPass('emergency');
  }
  const legKey = legKeyOf(admission, branch.name);
  assert(legKey !== undefined, 'branch names are ours');
  try {
    const question: Question = {
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
    };
    const answer = await admitLeg(context, question);
    asked.answered.push({ question, answer });
    if (answer.kind === 'refused') {
      const { caller } = parties;
      const customer = caller?.customer && caller.path;
      record(context, request, admission, branch.name, answer.refusal, { claims, why: answer.why, customer });
    } else if (!answer.replayed)
      context.record(admissionDecision(answer.record, answer.time, via, answer.why));
    return answer;
  } catch (err) {
    if (!(err instanceof StoreUnavailableError)) throw err;
    context.log.error({ err, callUuid: leg.uuid }, 'store down at admission');
    const word = (parties.caller ?? parties.callee)?.limits.onStoreDown ?? policy.onStoreDown;
    if (word === 'allow' || parties.emergency) return letPass('store_down');
    const words = 'the live store does not answer, and calls are then refused';
    const refusal = refuse('store_down', 'storeDown', '', words);
    record(context, request, admission, branch.name, refusal, { claims });
    return { kind: 'refused', refusal };
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
  known?: {
    readonly claims: Claims;
    readonly why?: AdmissionWhy | undefined;
    readonly customer?: AccountPath | undefined;
  },
): void {
  const { callee, routes, destination } = leg.gate;
  const claims =
    known?.claims ?? claimsOf(leg, { name: branch, dial: undefined, callee, routes, destination });
  const { why, customer } = known ?? {};
  const asked = { aLeg: leg.uuid, admission, branch, at: context.store.now(), customer };
  context.record(refusalDecision(asked, claims, refusal, { via, why }));
  const { reason, limit, holder, words } = refusal;
  context.log.info(
    { callUuid: leg.uuid, accountId: claims.account, reason, limit, holder, words },
    'call refused',
  );
}
