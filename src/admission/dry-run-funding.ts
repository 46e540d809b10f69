import type { Payer } from '../accounts/account-tree.ts';
import { dryPoolOf } from '../credit/pools.ts';
import type { Ways } from './funding.ts';
import type { PoolId } from '../units/ids.ts';
import type { FundedPart, PayerRecord } from './leg-record.ts';
import type { FirstOf, FundingOption, HoldTake } from './plan.ts';

/** How a payer in a dry run would pay (ruling 16): known at once, or only to the script that counts its trunks, allotments and spend windows. */
export type WouldPay =
  | { readonly kind: 'known'; readonly part: FundedPart }
  | { readonly kind: 'asked'; readonly first: FirstOf };

/**
 * Its trunks are counted, and allotments and spend windows in the dry run's own places are drawn on, as if it paid. Its
 * money is not asked: it would lose none. Undefined: it would have no way, or would pay nothing.
 */
export function wouldPay({ path, limits }: Payer, ways: Ways): WouldPay | undefined {
  if (!limits.enabled) return undefined;
  if (ways.kind === 'refused') return undefined;
  const options = ways.options.map(dryRunOption);
  const unasked = options.findIndex(({ take }) => take === undefined);
  // Whoever could not pay otherwise would be refused, and lets the call pass.
  const asks = unasked < 0 ? [...options, NOT_AT_ALL] : options.slice(0, unasked + 1);
  const [first] = asks;
  if (asks.length > 1) {
    return { kind: 'asked', first: { payer: path, options: asks, others: [], isDryRun: true } };
  }
  return first?.part === undefined ? undefined : { kind: 'known', part: first.part };
}

const NOT_AT_ALL: FundingOption = { take: undefined, part: undefined };

function dryRunOption({ take, part }: FundingOption): FundingOption {
  const holds = take?.kind === 'holds' ? take.holds : [];
  if (part?.way === 'per_minute') {
    const payer = withDryWindows(part.payer);
    const windows = inDryPools(holds, part.payer.windows ?? []);
    return {
      take: windows.length === 0 ? undefined : { kind: 'holds', holds: windows },
      part: { ...part, payer, isDryRun: true },
    };
  }
  if (part?.way !== 'allotment') {
    const wouldTake =
      take?.kind === 'trunk' ? { ...take, trunk: { ...take.trunk, isDryRun: true as const } } : take;
    return { take: wouldTake, part: part && { ...part, isDryRun: true } };
  }
  const { allotment } = part;
  const { pool, groups, goesOn } = allotment;
  const drawn = {
    ...allotment,
    pool: dryPoolOf(pool),
    groups: groups.map(dryPoolOf),
    goesOn: goesOn && { ...goesOn, payer: withDryWindows(goesOn.payer) },
  };
  const dryHolds = inDryPools(holds, [pool, ...groups]);
  return {
    take: { kind: 'holds', holds: dryHolds },
    part: { way: 'allotment', allotment: drawn, isDryRun: true },
  };
}

function withDryWindows(payer: PayerRecord): PayerRecord {
  const { windows } = payer;
  return windows === undefined ? payer : { ...payer, windows: windows.map(dryPoolOf) };
}

/** Of all that would be held, what is held of these pools, in the places of the dry run. */
function inDryPools(holds: readonly HoldTake[], pools: readonly PoolId[]): readonly HoldTake[] {
  return holds
    .filter(({ wallet }) => pools.includes(wallet))
    .map((hold) => ({ ...hold, wallet: dryPoolOf(hold.wallet) }));
}
