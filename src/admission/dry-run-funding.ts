import type { Payer } from '../accounts/account-tree.ts';
import { dryPoolOf } from '../credit/pools.ts';
import type { Ways } from './funding.ts';
import type { FundedPart } from './leg-record.ts';
import type { FirstOf, FundingOption } from './plan.ts';

/** How a payer in a dry run would pay (ruling 16): known at once, or only to the script that counts its trunks and allotments. */
export type WouldPay =
  | { readonly kind: 'known'; readonly part: FundedPart }
  | { readonly kind: 'asked'; readonly first: FirstOf };

/**
 * Its trunks are counted, and an allotment in the dry run's own place is drawn on, as if it paid. Its money is not
 * asked: it would lose none. Undefined: it would have no way, or would pay nothing.
 */
export function wouldPay({ path, limits }: Payer, ways: Ways): WouldPay | undefined {
  if (!limits.enabled) return undefined;
  if (ways.kind === 'refused') return undefined;
  const options = ways.options.map(dryRunOption);
  const money = options.findIndex(({ take }) => take === undefined);
  // Whoever could not pay otherwise would be refused, and lets the call pass.
  const asks = money < 0 ? [...options, NOT_AT_ALL] : options.slice(0, money + 1);
  const [first] = asks;
  if (asks.length > 1) {
    return { kind: 'asked', first: { payer: path, options: asks, others: [], isDryRun: true } };
  }
  return first?.part === undefined ? undefined : { kind: 'known', part: first.part };
}

const NOT_AT_ALL: FundingOption = { take: undefined, part: undefined };

function dryRunOption({ take, part }: FundingOption): FundingOption {
  if (part?.way === 'per_minute') return { take: undefined, part: { ...part, isDryRun: true } };
  if (part?.way !== 'allotment' || take?.kind !== 'holds') {
    const wouldTake =
      take?.kind === 'trunk' ? { ...take, trunk: { ...take.trunk, isDryRun: true as const } } : take;
    return { take: wouldTake, part: part && { ...part, isDryRun: true } };
  }
  const { allotment } = part;
  const { pool, groups } = allotment;
  const drawn = { ...allotment, pool: dryPoolOf(pool), groups: groups.map(dryPoolOf) };
  const holds = take.holds.map((hold) => ({ ...hold, wallet: dryPoolOf(hold.wallet) }));
  return { take: { kind: 'holds', holds }, part: { way: 'allotment', allotment: drawn, isDryRun: true } };
}
