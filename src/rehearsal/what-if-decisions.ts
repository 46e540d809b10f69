import { CAP_LIMITS } from '../admission/cap.ts';
import { canCost } from '../admission/funded.ts';
import type { FundedPart, LegCap, LegRecord, PayerRecord } from '../admission/leg-record.ts';
import type { WouldEnd } from '../admission/live-store.ts';
import type { LevelUse } from '../admission/level-uses.ts';
import { holderName } from '../admission/plan.ts';
import { directionOf } from '../admission/question.ts';
import { chargesOf, type PaidPart } from '../charging/charges.ts';
import { paidParts, type ChargedTalk } from '../charging/leg-parts.ts';
import { meaningOf } from '../credit/pools.ts';
import type { AnsweredQuestion } from '../gate/admit-leg.ts';
import { payerInputs, poolInputs } from '../gate/decisions.ts';
import type { Charge, Decision, FundingKind } from '../records/records.ts';
import { assert } from '../units/assert.ts';
import type { AccountPath, LegUuid, PoolId } from '../units/ids.ts';
import { addMicros, formatMicros, ZERO_MICROS } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';
import type { Rehearsal } from './rehearsal.ts';
import type { ShadowEnd } from './shadow-counts.ts';

export type EndedLeg = {
  readonly legUuid: LegUuid;
  readonly billedSeconds: number;
  /** Of them, what each allotment paid for, or would have, what followed it, and where it would have ended. */
  readonly talked: Pick<ChargedTalk, 'allotmentSeconds' | 'goneOn'> & {
    readonly wouldEnd?: ReadonlyMap<AccountPath, WouldEnd>;
  };
  /** FreeSWITCH's measure of the talk. */
  readonly talkMs: number;
  readonly isAnswered: boolean;
  readonly at: EpochMs;
};

type Judged = {
  readonly kind: 'shadow' | 'dry_run';
  readonly path: AccountPath;
  readonly countedAs?: string | undefined;
};

/** What limits that were not asked would have said of a call. */
export function verdictDecision(
  { kind, path, countedAs }: Judged,
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
  const { payers, cap } = said.record;
  // What it was counted by, where it was: another call may have taken the last trunk since.
  const counted = kind === 'dry_run' ? record?.dryRun?.find((part) => payerOf(part) === path) : undefined;
  const funding = counted === undefined ? said.record.funding : wayOf(counted);
  const longest = cap && { seconds: cap.seconds, limit: CAP_LIMITS[cap.reason] };
  return {
    ...base,
    verdict: 'admitted',
    reason: funding,
    inputs: {
      ...inputs,
      longest,
      payers: payers.map(payerInputs),
      // What there was to begin with, where only these limits say how much.
      ...(countedAs === undefined ? {} : { pools: said.why.pools.map(poolInputs) }),
    },
  };
}

/** A leg that has lasted longer than limits that were not asked would have let it. */
export function cutByDecision(
  judged: Judged,
  record: LegRecord,
  ended: EndedLeg,
  { seconds, reason }: LegCap,
): Decision {
  const limit = CAP_LIMITS[reason];
  const words = `${limit} of ${judged.path} would have ended this call of ${ended.billedSeconds} s after ${seconds} s`;
  return endedDecision(judged, record, ended, {
    name: 'cut',
    verdict: 'cut',
    reason,
    inputs: { words, limit, seconds },
  });
}

/** The same by the allotment or the window that would have been used up. */
export function cutByCountDecision(
  judged: Judged,
  record: LegRecord,
  ended: EndedLeg,
  { pool, seconds }: WouldEnd,
): Decision {
  const { limit, name, reason, words } = countInWords(pool);
  const told = `${words} of ${judged.path} would have ended this call of ${ended.billedSeconds} s after ${seconds} s`;
  return endedDecision(judged, record, ended, {
    name: 'cut',
    verdict: 'cut',
    reason,
    inputs: { words: told, limit, ...name, seconds },
  });
}

function countInWords(pool: PoolId): {
  readonly limit: string;
  readonly name: Readonly<Record<string, string>>;
  readonly reason: string;
  readonly words: string;
} {
  const meaning = meaningOf(pool);
  if (meaning.kind === 'allotment') {
    const { name } = meaning;
    const words = `the allotment ${name}`;
    return { limit: 'allotments', name: { allotment: name }, reason: 'no_allotment', words };
  }
  assert(meaning.kind === 'spend', 'what is counted beside what holds are allotments and spend windows');
  const { window } = meaning;
  return { limit: 'maxSpend', name: { window }, reason: 'spend_limit', words: `maxSpend ${window}` };
}

/** A leg whose allotment would have run dry and that would have gone on per minute; undefined: it would have lasted. */
export function goneOnDecision(
  judged: Judged,
  record: LegRecord,
  ended: EndedLeg,
  would: Pick<ShadowEnd, 'record' | 'final'>,
): Decision | undefined {
  const { path } = judged;
  const { final } = would;
  const [allotment] = would.record.allotments;
  const seconds = final.allotmentSeconds.get(path);
  const goesOn = final.goneOn.get(path);
  if (allotment === undefined || goesOn === undefined) return undefined;
  if (seconds === undefined || final.billedSeconds <= seconds) return undefined;
  const words = `the allotment ${allotment.name} of ${path} would have lasted for ${seconds} s of this call of ${ended.billedSeconds} s, which would have gone on per minute`;
  return endedDecision(judged, record, ended, {
    name: 'allotment',
    verdict: 'continued',
    reason: 'no_allotment',
    inputs: {
      words,
      limit: 'allotments',
      allotment: allotment.name,
      seconds,
      payers: [payerInputs(goesOn.payer)],
    },
  });
}

/** What would have become of a leg that has ended. */
function endedDecision(
  { kind, path }: Judged,
  { legKey, aLeg }: LegRecord,
  { legUuid, billedSeconds, at }: EndedLeg,
  { name, inputs, ...said }: Pick<Decision, 'verdict' | 'reason' | 'inputs'> & { readonly name: string },
): Decision {
  const id = `${legKey}:${kind}_${name}:${path}`;
  return { id, at, kind, aLeg, legUuid, account: path, ...said, inputs: { ...inputs, billedSeconds } };
}

/** What an account in a dry run would have been charged, in whichever way it would have paid (ruling 16). */
export function wouldCostDecision(record: LegRecord, part: FundedPart, ended: EndedLeg): Decision {
  const { legUuid, billedSeconds, at } = ended;
  const account = payerOf(part);
  const parts = wouldBeParts(part, ended);
  const charges = chargesOf({ legUuid, version: 1 }, parts);
  const price = charges.reduce((sum, charge) => addMicros(sum, charge.price), ZERO_MICROS);
  const paidSeconds = charges.reduce((sum, charge) => sum + charge.billedSeconds, 0);
  // An allotment that ran dry and nothing to go on by, or a spend window that was full.
  const wouldEnd = paidSeconds < billedSeconds;
  const said = charges.map(chargeInWords).join(', then ');
  const words = `${account} would have been charged ${said}${wouldEnd ? `, and the call of ${billedSeconds} s would have ended then` : ''}`;
  return {
    id: `${record.legKey}:dry_run_charge:${account}`,
    at,
    kind: 'dry_run',
    verdict: 'dry_run',
    aLeg: record.aLeg,
    legUuid,
    account,
    reason: 'would_charge',
    inputs: {
      words,
      price: formatMicros(price),
      billedSeconds: paidSeconds,
      chargedSeconds: charges.reduce((sum, charge) => sum + charge.chargedSeconds, 0),
      ways: charges.map((charge) => ({
        way: charge.way,
        allotment: charge.way === 'allotment' ? charge.allotment : undefined,
        price: formatMicros(charge.price),
        billedSeconds: charge.billedSeconds,
        chargedSeconds: charge.chargedSeconds,
      })),
      payers: pricesOf(part).map(payerInputs),
    },
  };
}

function wayOf(part: FundedPart): FundingKind {
  if (part.way !== 'per_minute') return part.way;
  return canCost(part.payer.terms) ? 'per_minute' : 'free';
}

function pricesOf(part: FundedPart): readonly PayerRecord[] {
  if (part.way === 'per_minute') return [part.payer];
  return part.way === 'allotment' && part.allotment.goesOn !== undefined ? [part.allotment.goesOn.payer] : [];
}

function payerOf(part: FundedPart): AccountPath {
  if (part.way === 'per_minute') return part.payer.account;
  return part.way === 'allotment' ? part.allotment.account : part.account;
}

function wouldBeParts(part: FundedPart, { billedSeconds, talked }: EndedLeg): readonly PaidPart[] {
  const paid = {
    payers: part.way === 'per_minute' ? [part.payer] : [],
    allotments: part.way === 'allotment' ? [part.allotment] : [],
    trunks: part.way === 'flat_rate' || part.way === 'flat_rate_burst' ? [part] : [],
  };
  const { allotmentSeconds, goneOn, wouldEnd } = talked;
  const paidSeconds = wouldEnd?.get(payerOf(part))?.seconds ?? billedSeconds;
  return paidParts(paid, { billedSeconds: paidSeconds, allotmentSeconds, ...(goneOn && { goneOn }) });
}

function chargeInWords(charge: Charge): string {
  const { billedSeconds, chargedSeconds: used } = charge;
  switch (charge.way) {
    case 'per_minute':
      return `${formatMicros(charge.price)} ${charge.currency} for ${billedSeconds} s`;
    case 'allotment':
      return `${used} s of its allotment ${charge.allotment} for ${billedSeconds} s`;
    case 'flat_rate':
    case 'flat_rate_burst':
      return `nothing for ${billedSeconds} s by ${charge.way === 'flat_rate' ? 'a flat-rate' : 'a burst'} trunk`;
    case 'free':
      return `nothing for ${billedSeconds} s`;
  }
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
