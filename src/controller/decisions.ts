import { CAP_LIMITS } from '../admission/cap.ts';
import type { AllotmentRecord, LegCap, LegRecord, PayerRecord } from '../admission/leg-record.ts';
import { holderName } from '../admission/plan.ts';
import type { Refusal } from '../admission/refusal.ts';
import type { FundedTime } from '../admission/decide.ts';
import { formatTerms } from '../rating/terms-text.ts';
import { admissionDecisionId, type Decision } from '../records/records.ts';
import type { AccountPath, AdmissionId, LegUuid } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';
import type { AdmissionWhy } from './admit-leg.ts';
import type { Claims } from './parties.ts';

/** The stored answers to "why": made here, so that all of them read alike. */

export function admissionDecision(
  record: LegRecord,
  time: FundedTime,
  via: string,
  why: AdmissionWhy,
): Decision {
  return {
    id: admissionDecisionId(record.legKey),
    at: record.admittedAt,
    kind: 'admission',
    verdict: record.decision,
    aLeg: record.aLeg,
    legUuid: record.uuid,
    account: record.account,
    reason: record.funding,
    inputs: {
      via,
      direction: record.direction,
      dialled: record.dialled,
      destination: record.destination,
      classification: why.classification,
      routes: record.routes,
      options: record.options,
      fundedSeconds: time.funded,
      longest: record.cap && capInputs(record.cap),
      countedIn: record.taken.flatMap(({ counted }) =>
        counted.map(({ holder, counters }) => ({
          holder: holderName(holder),
          counters,
        })),
      ),
      softened: why.softened.map(({ words, limit, holder, reason }) => ({ words, limit, holder, reason })),
      passedOver: why.passedOver,
      words: wordsOf(why),
      trunks: record.trunks,
      time: record.time?.pool,
      payers: record.payers.map(payerInputs),
      allotments: record.allotments.map(({ account, name, groups, terms, goesOn }) => ({
        account,
        name,
        groups,
        terms: formatTerms(terms),
        goesOn: goesOn && payerInputs(goesOn.payer),
      })),
    },
  };
}

export function refusalDecision(
  asked: {
    readonly aLeg: LegUuid;
    readonly admission: AdmissionId;
    readonly branch: string;
    readonly at: EpochMs;
    /** What the number is called, where its account is known. */
    readonly classification?: string | undefined;
    /** Of a customer that is stored nowhere, whose refusals nobody else's record would show. */
    readonly customer?: AccountPath | undefined;
  },
  claims: Claims,
  refusal: Refusal,
  via: string,
): Decision {
  return {
    id: `${asked.admission}:${asked.branch}:refusal`,
    at: asked.at,
    kind: 'refusal',
    verdict: 'refused',
    aLeg: asked.aLeg,
    legUuid: undefined,
    account: asked.customer,
    reason: refusal.reason,
    inputs: {
      via,
      words: refusal.words,
      limit: refusal.limit,
      holder: refusal.holder,
      ...refusal.figures,
      account: claims.account,
      customer: claims.customer,
      callee: claims.callee,
      forwarder: claims.forwarder,
      routes: claims.routes,
      options: claims.options,
      dialled: claims.dialled,
      classification: asked.classification,
    },
  };
}

/** What the leg drew on was empty. */
type EmptyReason = 'no_credit' | 'no_allotment' | 'spend_limit' | 'no_time';

function isEmpty(reason: EmptyReason | LegCap['reason']): reason is EmptyReason {
  return reason !== 'max_seconds' && reason !== 'max_cost';
}

/** The leg's allotment has run dry, and it goes on per minute. */
export function segmentDecision(
  record: LegRecord,
  { account, name, goesOn }: AllotmentRecord,
  { at, from }: { readonly at: EpochMs; readonly from: EpochMs },
): Decision {
  const words = `the allotment ${name} of ${account} ran dry, and the call goes on per minute`;
  return {
    id: `${record.legKey}:segment:${account}`,
    at,
    kind: 'segment',
    verdict: 'continued',
    aLeg: record.aLeg,
    legUuid: record.uuid,
    account,
    reason: 'no_allotment',
    inputs: { words, allotment: name, from, payer: goesOn && payerInputs(goesOn.payer) },
  };
}

export function cutDecision(
  record: LegRecord,
  at: EpochMs,
  cut: {
    readonly endsAt: EpochMs;
    readonly sentAt: EpochMs;
    readonly reason: EmptyReason | LegCap['reason'];
  },
): Decision {
  const { endsAt, sentAt, reason } = cut;
  return {
    id: `${record.legKey}:cutoff`,
    at,
    kind: 'cutoff',
    verdict: 'cut',
    aLeg: record.aLeg,
    legUuid: record.uuid,
    account: record.account,
    reason,
    inputs: {
      ...(isEmpty(reason) ? { paidUntil: endsAt } : { endsAt, ...capInputs(record.cap) }),
      killSentAt: sentAt,
      lateMs: sentAt - endsAt,
    },
  };
}

function payerInputs(payer: PayerRecord): Readonly<Record<string, unknown>> {
  const { account, tariff, tariffVersion, rateId, prefix, terms, currency, soft } = payer;
  return { account, soft, tariff, tariffVersion, rateId, prefix, currency, terms: formatTerms(terms) };
}

/** What is worth saying of an admission; undefined: nothing, it went the usual way. */
function wordsOf({ softened, passedOver }: AdmissionWhy): string | undefined {
  const words = [...softened.map((refusal) => `goes on although ${refusal.words}`), ...passedOver];
  return words.length === 0 ? undefined : words.join('; ');
}

function capInputs(cap: LegCap | undefined): Readonly<Record<string, unknown>> {
  if (cap === undefined) return {};
  const limit = CAP_LIMITS[cap.reason];
  const words = `${limit} of ${cap.account} lets this call last ${cap.seconds} s`;
  return { limit, holder: cap.account, seconds: cap.seconds, words };
}
