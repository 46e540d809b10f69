import type { AllotmentRecord, Continuation, LegRecord, PayerRecord } from '../admission/leg-record.ts';
import { secondsBeforeNext, type PriceTerms } from '../rating/price.ts';
import type { AccountPath } from '../units/ids.ts';
import type { PaidPart } from './charges.ts';

/** How many seconds of a leg are charged, and how many of them each payer's allotment paid for. */
export type ChargedTalk = {
  readonly billedSeconds: number;
  /** Of a payer that is not in it, all. */
  readonly allotmentSeconds: ReadonlyMap<AccountPath, number>;
  /** What a payer's wallet was charged by, where that is not what the record says. */
  readonly payerTerms?: ReadonlyMap<AccountPath, PriceTerms>;
  /** How a payer paid for what was talked after its allotment, where that is not what the record says. */
  readonly goneOn?: ReadonlyMap<AccountPath, Continuation>;
};

type MoneyPart = Extract<PaidPart, { readonly way: 'per_minute' }>;

/** Who paid for what of an answered leg's talk, each payer's parts in their order. */
export function paidParts(
  record: Pick<LegRecord, 'payers' | 'trunks' | 'allotments'>,
  talk: ChargedTalk,
): readonly PaidPart[] {
  const { billedSeconds, payerTerms } = talk;
  const payers = record.payers.map((payer) => ({
    ...payer,
    terms: payerTerms?.get(payer.account) ?? payer.terms,
  }));
  return [
    ...record.trunks.map(({ account, way }): PaidPart => ({ account, way, billedSeconds })),
    ...record.allotments.flatMap((allotment) => allotmentParts(allotment, talk)),
    ...payers.flatMap((payer) => moneyParts(payer, billedSeconds)),
  ];
}

/**
 * One part for each rate that the talk has reached. Within the grace it is free whole; a part that another follows is
 * charged however short it is.
 */
export function moneyParts(payer: PayerRecord, billedSeconds: number): readonly MoneyPart[] {
  const { terms, later = [], ...rest } = payer;
  const parts: MoneyPart[] = [];
  let left = billedSeconds;
  let rate = { rateId: payer.rateId, prefix: payer.prefix };
  for (let part: PriceTerms | undefined = terms; part !== undefined;) {
    const { next, ...own }: PriceTerms = part;
    const isLast: boolean = left <= secondsBeforeNext(part) || left <= part.graceSeconds;
    const seconds = isLast ? left : secondsBeforeNext(part);
    const charged = isLast ? own : { ...own, graceSeconds: 0 };
    parts.push({ way: 'per_minute', payer: { ...rest, ...rate, terms: charged }, billedSeconds: seconds });
    left -= seconds;
    rate = later[parts.length - 1] ?? rate;
    part = isLast ? undefined : next?.terms;
  }
  return parts;
}

function allotmentParts(
  { account, name, terms, goesOn }: AllotmentRecord,
  { billedSeconds, allotmentSeconds, goneOn }: ChargedTalk,
): readonly PaidPart[] {
  const { minimumSeconds, incrementSeconds, graceSeconds } = terms;
  const seconds = Math.min(billedSeconds, allotmentSeconds.get(account) ?? billedSeconds);
  const restSeconds = billedSeconds - seconds;
  const wentOn = restSeconds > 0 && goesOn !== undefined;
  const first: PaidPart = {
    way: 'allotment',
    account,
    allotment: name,
    pulses: { minimumSeconds, incrementSeconds, graceSeconds: wentOn ? 0 : graceSeconds },
    billedSeconds: seconds,
  };
  if (!wentOn) return [first];
  const { payer } = goneOn?.get(account) ?? goesOn;
  const rest = continuationParts(payer, restSeconds);
  // What the allotment paid nothing of has no part of it.
  return seconds === 0 ? rest : [first, ...rest];
}

/** The same of what is talked after an allotment has run dry. */
export function continuationParts(payer: PayerRecord, billedSeconds: number): readonly MoneyPart[] {
  return moneyParts(payer, billedSeconds).map((part) => ({ ...part, goesOn: true }));
}
