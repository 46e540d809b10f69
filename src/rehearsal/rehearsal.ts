import type { LegRecord } from '../admission/leg-record.ts';
import type { CountOutcome, LiveStore, TakeOutcome, TakeRefusal } from '../admission/live-store.ts';
import {
  holderName,
  type Counter,
  type Holder,
  type HolderTakes,
  type HolderUse,
  type SlotPlan,
} from '../admission/plan.ts';
import type { Question } from '../admission/question.ts';
import { takesOf, type SlotTakes } from '../admission/takes.ts';
import { branchName } from '../calls/branches.ts';
import { admitLeg, type Admitted } from '../gate/admit-leg.ts';
import type { AnsweredQuestion } from '../gate/admit-leg.ts';
import { findParties, type Claims, type Parties } from '../gate/parties.ts';
import type { DecisionKind } from '../records/records.ts';
import type { ControllerContext } from '../state/context.ts';
import { assert } from '../units/assert.ts';
import { admissionIdOf, legKeyOf, parseLegUuid, parseNodeId } from '../units/ids.ts';
import { judgeFunding, type FundingFigures, type FundingStep } from './rehearsed-funding.ts';

/** One limit of one account or route, its use now, and whether one more would fit. No bound: counted and shown. */
export type LimitStep = {
  readonly holder: Holder;
  readonly limit: Counter | 'callsPerSecond';
  readonly bound: number | undefined;
  readonly inUse: number;
  readonly passes: boolean;
};

export type Rehearsal = {
  /** Undefined where one of the names is nobody's. */
  readonly parties: Parties | undefined;
  readonly limits: readonly LimitStep[];
  /** Empty where the call is refused before it is asked what it costs. */
  readonly funding: readonly FundingStep[];
  readonly answer:
    | Admitted
    /** Let through without being counted: an emergency call of nobody's. */
    | { readonly kind: 'passed'; readonly decision: DecisionKind };
};

/** What is said of a question. */
export type Judgement = Omit<Rehearsal, 'parties' | 'answer'> & { readonly answer: Admitted };

/** What a rehearsal reads besides the live store's own figures. */
export type RehearsalFigures = Omit<FundingFigures, 'store'>;

export type RehearsedQuestion = Rehearsal & {
  /** Undefined where it did not come so far that the limits were asked. */
  readonly asked: AnsweredQuestion | undefined;
};

export type RehearsedCall = { readonly claims: Claims; readonly callerNumber: string };

/**
 * What the gate would say of a call now. It goes the gate's own way, parties, plan, slot by slot; only the step that
 * takes is exchanged for one that reads and judges, so that no rule of admission stands in a second place.
 */
export async function rehearse(
  context: ControllerContext,
  figures: RehearsalFigures,
  { claims, callerNumber }: RehearsedCall,
): Promise<RehearsedQuestion> {
  const parties = findParties(claims, context.directory.accounts(), context.policy.emergencyNumbers);
  const nothing = { asked: undefined, limits: [], funding: [] };
  if (parties.kind === 'refused') return { ...nothing, parties: undefined, answer: parties };
  if (parties.emergency && parties.caller === undefined && parties.callee === undefined) {
    return { ...nothing, parties, answer: { kind: 'passed', decision: 'emergency' } };
  }
  const question = questionOf(context, parties, { claims, callerNumber });
  const rehearsed = await rehearseQuestion(context, figures, question);
  return { asked: { question, answer: rehearsed.answer }, parties, ...rehearsed };
}

/** The same where it is known who calls whom; `seen` is what is known already of what is in use. */
export async function rehearseQuestion(
  context: ControllerContext,
  figures: RehearsalFigures,
  question: Question,
  seen: readonly HolderUse[] = [],
): Promise<Judgement> {
  const slots = takesOf(question);
  const uses = await readUses(context.store, slots, seen);
  const judged: Judged = { uses, funding: [] };
  const store: LiveStore = {
    ...context.store,
    take: (plan, record) => judge(context.store, figures, judged, plan, record),
    count: (plan) => Promise.resolve(judgeCounts(judged, plan)),
    giveBack: () => Promise.resolve(),
  };
  const answer = await admitLeg({ ...context, store }, question);
  const limits = limitSteps(
    slots.flatMap(({ takes }) => takes),
    uses,
  );
  return { limits, funding: judged.funding, answer };
}

function questionOf(context: ControllerContext, parties: Parties, call: RehearsedCall): Question {
  const aLeg = parseLegUuid('rehearsal');
  const node = parseNodeId('rehearsal');
  assert(aLeg !== undefined && node !== undefined, 'a rehearsal has names of its own');
  const admission = admissionIdOf(aLeg, 1);
  const branch = branchName(0);
  const legKey = legKeyOf(admission, branch);
  assert(legKey !== undefined, 'branch names are ours');
  return {
    ...parties,
    legKey,
    admission,
    aLeg,
    node,
    coreUuid: '',
    callerNumber: call.callerNumber,
    dialled: call.claims.dialled,
    siblings: [branch],
    at: context.store.now(),
  };
}

type Use = { readonly counts: HolderUse['before']; readonly recent: number };
type Uses = ReadonlyMap<string, Use>;

async function readUses(
  store: LiveStore,
  slots: readonly SlotTakes[],
  seen: readonly HolderUse[],
): Promise<Uses> {
  const uses = new Map<string, Use>();
  for (const { holder, perSecond } of slots.flatMap(({ takes }) => takes)) {
    const known = seen.find((each) => holderName(each.holder) === holderName(holder));
    const counts = known?.before ?? store.usage(holder);
    const recent = known?.recent ?? (perSecond === undefined ? 0 : store.recentAdmissions(holder));
    uses.set(holderName(holder), { counts: await counts, recent: await recent });
  }
  return uses;
}

/** In the script's order. A holder that is named twice takes twice, and its own first take stands in its way. */
function limitSteps(takes: readonly HolderTakes[], uses: Uses): readonly LimitStep[] {
  const taken = new Map<string, number>();
  return takes.flatMap(({ holder, counts, perSecond }): readonly LimitStep[] => {
    const name = holderName(holder);
    const use = uses.get(name);
    assert(use !== undefined, 'the use of every holder was read');
    const steps = counts.map(({ counter, bound }): LimitStep => {
      const before = taken.get(`${name} ${counter}`) ?? 0;
      taken.set(`${name} ${counter}`, before + 1);
      return stepOf(holder, counter, bound, use.counts[counter] + before);
    });
    return perSecond === undefined || perSecond === 'counted'
      ? steps
      : [...steps, stepOf(holder, 'callsPerSecond', perSecond, use.recent)];
  });
}

function stepOf(
  holder: Holder,
  limit: LimitStep['limit'],
  bound: number | undefined,
  inUse: number,
): LimitStep {
  return { holder, limit, bound, inUse, passes: bound === undefined || inUse < bound };
}

/** What was read, and what the last plan that was asked for would be paid by. */
type Judged = { readonly uses: Uses; funding: readonly FundingStep[] };

/** The script's verdict on a slot in which nobody pays, read instead of taken. */
function judgeCounts({ uses }: Judged, { takes }: SlotPlan): CountOutcome {
  const full = limitSteps(takes, uses).find(({ passes }) => !passes);
  return full === undefined ? { kind: 'counted', uses: [] } : { kind: 'refused', refusal: refusalOf(full) };
}

/** The script's verdict on the home slot, read instead of taken. Who pays is looked at even where a limit refuses. */
async function judge(
  store: LiveStore,
  figures: RehearsalFigures,
  judged: Judged,
  plan: SlotPlan,
  record: LegRecord,
): Promise<TakeOutcome> {
  const full = limitSteps(plan.takes, judged.uses).find(({ passes }) => !passes);
  const paid = await judgeFunding({ ...figures, store }, plan, record);
  judged.funding = paid.steps;
  const refusal = full === undefined ? paid.refusal : refusalOf(full);
  if (refusal !== undefined) {
    return { kind: 'refused', refusal, besides: full === undefined ? paid.besides : [] };
  }
  return { kind: 'taken', at: store.now(), wallets: paid.wallets, chosen: paid.chosen, uses: [] };
}

function refusalOf({ holder, limit, bound, inUse }: LimitStep): TakeRefusal {
  assert(bound !== undefined, 'what has no bound refuses nobody');
  return limit === 'callsPerSecond'
    ? { kind: 'rate', holder, bound, inUse }
    : { kind: 'count', holder, counter: limit, bound, inUse };
}
