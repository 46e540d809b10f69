import { CAP_LIMITS } from '../admission/cap.ts';
import type { LegCap, LegRecord, PayerRecord } from '../admission/leg-record.ts';
import type { LevelUse } from '../admission/level-uses.ts';
import { holderName } from '../admission/plan.ts';
import { directionOf, type Question } from '../admission/question.ts';
import { chargedSeconds, priceOf } from '../rating/price.ts';
import type { Decision } from '../records/records.ts';
import type { AccountPath, LegUuid } from '../units/ids.ts';
import { formatMicros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';
import type { Admitted } from './admit-leg.ts';
import { payerInputs } from './decisions.ts';
import type { Rehearsal } from './rehearsal.ts';

/** One question to a gate and its answer. */
export type AnsweredQuestion = { readonly question: Question; readonly answer: Admitted };

export type EndedLeg = { readonly legUuid: LegUuid; readonly billedSeconds: number; readonly at: EpochMs };

type Judged = { readonly kind: 'shadow' | 'dry_run'; readonly path: AccountPath };

/** What limits that were not asked would have said of a call. */
export function verdictDecision(
  { kind, path }: Judged,
  { question, answer }: AnsweredQuestion,
  rehearsal: Pick<Rehearsal, 'answer' | 'limits'>,
): Decision {
  const said = rehearsal.answer;
  const record = answer.kind === 'admitted' ? answer.record : undefined;
  const base = {
    id: `${question.legKey}:${kind}:${path}`,
    at: question.at,
    kind,
    aLeg: question.aLeg,
    legUuid: record?.uuid,
    account: path,
  };
  const inputs = {
    really: record?.decision ?? 'refused',
    direction: directionOf(question),
    dialled: question.dialled,
    destination: question.destination,
    classification: question.classification,
    routes: question.routes.map(({ name }) => name),
    limits: usesOf(path, rehearsal.limits),
  };
  if (said.kind === 'refused') {
    const { reason, words, limit, holder, figures } = said.refusal;
    return { ...base, verdict: 'refused', reason, inputs: { words, limit, holder, ...figures, ...inputs } };
  }
  if (said.kind === 'passed') return { ...base, verdict: said.decision, reason: 'none', inputs };
  const { funding, payers, cap } = said.record;
  const longest = cap && { seconds: cap.seconds, limit: CAP_LIMITS[cap.reason] };
  return {
    ...base,
    verdict: 'admitted',
    reason: funding,
    inputs: { ...inputs, longest, payers: payers.map(payerInputs) },
  };
}

/** A leg that has lasted longer than limits that were not asked would have let it. */
export function cutByDecision(
  { kind, path }: Judged,
  record: LegRecord,
  { legUuid, billedSeconds, at }: EndedLeg,
  { seconds, reason }: LegCap,
): Decision {
  const limit = CAP_LIMITS[reason];
  return {
    id: `${record.legKey}:${kind}_cut:${path}`,
    at,
    kind,
    verdict: 'cut',
    aLeg: record.aLeg,
    legUuid,
    account: path,
    reason,
    inputs: {
      words: `${limit} of ${path} would have ended this call of ${billedSeconds} s after ${seconds} s`,
      limit,
      seconds,
      billedSeconds,
    },
  };
}

/** What an account in a dry run would have been charged (ruling 16). */
export function wouldCostDecision(
  record: LegRecord,
  payer: PayerRecord,
  { legUuid, billedSeconds, at }: EndedLeg,
): Decision {
  const price = formatMicros(priceOf(payer.terms, billedSeconds));
  const words = `${payer.account} would have been charged ${price} ${payer.currency} for ${billedSeconds} s`;
  return {
    id: `${record.legKey}:dry_run_charge:${payer.account}`,
    at,
    kind: 'dry_run',
    verdict: 'dry_run',
    aLeg: record.aLeg,
    legUuid,
    account: payer.account,
    reason: 'would_charge',
    inputs: {
      words,
      price,
      billedSeconds,
      chargedSeconds: chargedSeconds(payer.terms, billedSeconds),
      payers: [payerInputs(payer)],
    },
  };
}

/** Of the account's own levels, as an admission keeps them. */
function usesOf(path: AccountPath, limits: Rehearsal['limits']): readonly LevelUse[] {
  const own = limits.filter(({ holder }) => holder.kind !== 'route' && holder.path === path);
  const holders = [...new Set(own.map(({ holder }) => holderName(holder)))];
  return holders.map((holder) => ({
    holder,
    uses: Object.fromEntries(
      own
        .filter((step) => holderName(step.holder) === holder)
        .map(({ limit, inUse, bound }) => [limit, bound === undefined ? [inUse] : [inUse, bound]] as const),
    ),
  }));
}
