import { CAP_LIMITS } from '../admission/cap.ts';
import type { FundedTime } from '../admission/decide.ts';
import type {
  AllotmentRecord,
  Continuation,
  LegCap,
  LegRecord,
  PayerRecord,
} from '../admission/leg-record.ts';
import type { WalletView } from '../admission/live-store.ts';
import type { Refusal } from '../admission/refusal.ts';
import { meaningOf, microsToSeconds } from '../credit/pools.ts';
import { availableAt } from '../credit/wallet.ts';
import { formatTerms } from '../rating/terms-text.ts';
import { admissionDecisionId, type Decision } from '../records/records.ts';
import { accountOf, type AccountPath, type AdmissionId, type LegUuid } from '../units/ids.ts';
import { formatMicros, ZERO_MICROS } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';
import type { AdmissionWhy, PoolFigures } from './admit-leg.ts';
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
      callee: record.callee,
      forwarded: record.forwarded,
      direction: record.direction,
      dialled: record.dialled,
      destination: record.destination,
      classification: why.classification,
      routes: record.routes,
      options: record.options,
      fundedSeconds: time.funded,
      longest: record.cap && capInputs(record.cap),
      limits: why.limits,
      softened: why.softened.map(refusalInputs),
      passedOver: why.passedOver,
      words: wordsOf(why),
      trunks: why.trunks.map((trunks) => ({
        ...trunks,
        way: record.trunks.find(({ account }) => account === trunks.account)?.way,
      })),
      time: record.time?.pool,
      payers: record.payers.map(payerInputs),
      allotments: record.allotments.map(({ account, name, groups, terms, goesOn }) => ({
        account,
        name,
        groups,
        terms: formatTerms(terms),
        goesOn: goesOn && payerInputs(goesOn.payer),
      })),
      pools: why.pools.map(poolInputs),
    },
  };
}

/** One branch of a call that asked, where there is no record of it. */
type Asked = {
  readonly aLeg: LegUuid;
  readonly admission: AdmissionId;
  readonly branch: string;
  readonly at: EpochMs;
  /** One that is stored nowhere, whose refusals nobody else's record would show. */
  readonly customer?: AccountPath | undefined;
};

export function refusalDecision(
  asked: Asked,
  claims: Claims,
  refusal: Refusal,
  { via, why }: { readonly via: string; readonly why?: AdmissionWhy | undefined },
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
      limits: why?.limits ?? [],
      softened: why?.softened.map(refusalInputs) ?? [],
      payers: why?.payers.map(payerInputs) ?? [],
      ...claimInputs(claims),
      classification: why?.classification,
    },
  };
}

/** Let through without being counted: an emergency of nobody's, or a store that is down. */
export function passedDecision(
  asked: Asked,
  claims: Claims,
  verdict: 'emergency' | 'store_down',
  via: string,
): Decision {
  const words =
    verdict === 'emergency'
      ? 'an emergency call of nobody that is known here'
      : 'the live store did not answer, and calls are then let through';
  return {
    id: `${asked.admission}:${asked.branch}:admission`,
    at: asked.at,
    kind: 'admission',
    verdict,
    aLeg: asked.aLeg,
    legUuid: undefined,
    account: undefined,
    reason: 'none',
    inputs: { via, words, ...claimInputs(claims) },
  };
}

function claimInputs(claims: Claims): Readonly<Record<string, unknown>> {
  const { account, customer, callee, forwarder, routes, options, dialled } = claims;
  return { account, customer, callee, forwarder, routes, options, dialled };
}

/** What the leg drew on was empty. */
type EmptyReason = 'no_credit' | 'no_allotment' | 'spend_limit' | 'no_time';

function isEmpty(reason: EmptyReason | LegCap['reason']): reason is EmptyReason {
  return reason !== 'max_seconds' && reason !== 'max_cost';
}

/** The leg's allotment has run dry, and it goes on per minute. */
export function segmentDecision(
  record: LegRecord,
  { account, name }: AllotmentRecord,
  {
    at,
    from,
    goesOn,
  }: { readonly at: EpochMs; readonly from: EpochMs; readonly goesOn: Continuation | undefined },
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
    /** What the wallet has that could not pay, a moment after. */
    readonly left?: WalletView | undefined;
  },
): Decision {
  const { endsAt, sentAt, reason, left } = cut;
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
      left: left && leftInputs(left),
    },
  };
}

export function payerInputs(payer: PayerRecord): Readonly<Record<string, unknown>> {
  const { account, tariff, tariffVersion, rateId, prefix, terms, currency, soft } = payer;
  return { account, soft, tariff, tariffVersion, rateId, prefix, currency, terms: formatTerms(terms) };
}

function refusalInputs({ words, limit, holder, reason }: Refusal): Readonly<Record<string, unknown>> {
  return { words, limit, holder, reason };
}

/** Money as text; an allotment, and a customer's time, in the seconds that they count. */
export function poolInputs({
  pool,
  needed,
  available,
  balance,
}: PoolFigures): Readonly<Record<string, unknown>> {
  const meaning = meaningOf(pool);
  const account = accountOf(pool);
  if (meaning.kind === 'allotment') {
    const seconds = { needed: microsToSeconds(needed), available: microsToSeconds(available) };
    return { account, allotment: meaning.name, seconds };
  }
  if (meaning.kind === 'time') {
    const time = { needed: microsToSeconds(needed), available: microsToSeconds(available) };
    return { account, time };
  }
  const money = { needed: formatMicros(needed), available: formatMicros(available) };
  if (meaning.kind === 'spend') return { account, window: meaning.window, ...money };
  return { account, ...money, balance: formatMicros(balance) };
}

function leftInputs(view: WalletView): Readonly<Record<string, unknown>> {
  const available = availableAt(view, view.at);
  const pool = { pool: view.account, available, balance: view.balance, needed: ZERO_MICROS };
  const { needed: _, ...left } = poolInputs(pool);
  return { ...left, legs: view.legs.length };
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
