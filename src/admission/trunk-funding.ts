import type { Payer } from '../accounts/account-tree.ts';
import type { Bound } from '../accounts/limits.ts';
import { isFlatRateNumber, trunksBeyond, type TrunkUse } from '../accounts/trunks.ts';
import type { Asked } from './funding.ts';
import type { TrunkRecord } from './leg-record.ts';
import type { FundingOption, TrunkTake } from './plan.ts';
import { e164Of } from './question.ts';
import { refuse, type Refusal } from './refusal.ts';
import { toLimit } from './takes.ts';

export type Trunks =
  | { readonly kind: 'options'; readonly options: readonly FundingOption[] }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly rents: boolean };

/** Over a trunk that is rented, and then over one that is lent (DESIGN 4); only for numbers that are flat-rate. */
export function trunkOptions(
  { path, limits }: Payer,
  { question, direction }: Pick<Asked, 'question' | 'direction'>,
): Trunks {
  const { inbound, outbound, twoway, burst } = limits.trunks;
  const own = direction === 'inbound' ? inbound : outbound;
  const rents = own !== 0 || twoway !== 0 || burst !== 0;
  const refused = (words: string): Trunks => ({
    kind: 'refused',
    rents,
    refusal: refuse('no_trunk', 'credit', path, words, 'trunks'),
  });
  if (!rents) return refused(`${path} has no trunks for ${direction} calls`);
  const number = e164Of(question);
  if (number === undefined || !isFlatRateNumber(limits.flatRate, number)) {
    return refused(`${question.destination} is no flat-rate number of ${path}`);
  }
  const counter = direction === 'inbound' ? 'inboundCalls' : 'outboundCalls';
  const option = (way: TrunkRecord['way'], shared: Bound): FundingOption => ({
    take: {
      kind: 'trunk',
      trunk: {
        account: path,
        counter,
        inbound: toLimit(inbound),
        outbound: toLimit(outbound),
        shared: toLimit(shared),
      },
    },
    part: { way, account: path, counter },
  });
  const options = [option('flat_rate', twoway)];
  if (burst !== 0) {
    const both = twoway === 'unlimited' || burst === 'unlimited' ? 'unlimited' : twoway + burst;
    options.push(option('flat_rate_burst', both));
  }
  return { kind: 'options', options };
}

/** Whether a call more finds none of the trunks that it asks for, with so many on them already. */
export function isTrunkFull({ counter, ...trunk }: TrunkTake, { inbound, outbound }: TrunkUse): boolean {
  const after = {
    inbound: inbound + (counter === 'inboundCalls' ? 1 : 0),
    outbound: outbound + (counter === 'outboundCalls' ? 1 : 0),
  };
  const trunks = {
    inbound: trunk.inbound ?? 'unlimited',
    outbound: trunk.outbound ?? 'unlimited',
    twoway: trunk.shared ?? 'unlimited',
    burst: 0,
  } as const;
  return trunksBeyond(trunks, after) > 0;
}
