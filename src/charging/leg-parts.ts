import type { AllotmentRecord, LegRecord } from '../admission/leg-record.ts';
import type { AccountPath } from '../units/ids.ts';
import type { PaidPart } from './charges.ts';

/** How many seconds of a leg are charged, and how many of them each payer's allotment paid for. */
export type ChargedTalk = {
  readonly billedSeconds: number;
  /** Of a payer that is not in it, all. */
  readonly allotmentSeconds: ReadonlyMap<AccountPath, number>;
};

/** Who paid for what of an answered leg's talk, each payer's parts in their order. */
export function paidParts(
  record: Pick<LegRecord, 'payers' | 'trunks' | 'allotments'>,
  talk: ChargedTalk,
): readonly PaidPart[] {
  const { billedSeconds } = talk;
  return [
    ...record.trunks.map(({ account, way }): PaidPart => ({ account, way, billedSeconds })),
    ...record.allotments.flatMap((allotment) => allotmentParts(allotment, talk)),
    ...record.payers.map((payer): PaidPart => ({ way: 'per_minute', payer, billedSeconds })),
  ];
}

function allotmentParts(
  { account, name, terms, goesOn }: AllotmentRecord,
  { billedSeconds, allotmentSeconds }: ChargedTalk,
): readonly PaidPart[] {
  const { minimumSeconds, incrementSeconds, graceSeconds } = terms;
  const seconds = Math.min(billedSeconds, allotmentSeconds.get(account) ?? billedSeconds);
  const restSeconds = billedSeconds - seconds;
  const first: PaidPart = {
    way: 'allotment',
    account,
    allotment: name,
    pulses: { minimumSeconds, incrementSeconds, graceSeconds },
    billedSeconds: seconds,
  };
  if (restSeconds <= 0 || goesOn === undefined) return [first];
  const { payer } = goesOn;
  const rest: PaidPart = { way: 'per_minute', payer, goesOn: true, billedSeconds: restSeconds };
  // What the allotment paid nothing of has no part of it.
  return seconds === 0 ? [rest] : [first, rest];
}
