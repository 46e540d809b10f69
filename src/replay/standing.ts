import type { AccountLookup } from '../accounts/account-tree.ts';
import { usedUpBy } from '../accounts/allotment-use.ts';
import type { HolderTakes } from '../admission/plan.ts';
import { allotmentPool, allotmentTerms, spendPoolsOf } from '../credit/pools.ts';
import type { PriceTerms } from '../rating/price.ts';
import type { Charge } from '../records/records.ts';
import type { AccountPath, LegKey, PoolId } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';
import type { ReplayedCall } from './replayed-call.ts';
import { takesOf } from '../admission/takes.ts';
import { questionOfCall } from '../charging/call-question.ts';
import { talkedUntil } from './talk.ts';
import { trunkTakes } from './take-plan.ts';

/** What a call that stands as it was charged draws on, from when, and for how many of its seconds. */
export type Stretch = {
  /** Of this stretch alone. */
  readonly legKey: LegKey;
  readonly pool: PoolId;
  readonly terms: PriceTerms;
  readonly from: EpochMs;
  readonly until: EpochMs;
  readonly billedSeconds: number;
};

/** By the charges in force, from the pools that its payers have now. */
export function stretchesOf(
  call: ReplayedCall,
  charges: readonly Charge[],
  accounts: Pick<AccountLookup, 'node'>,
): readonly Stretch[] {
  const { answeredAt } = call;
  if (answeredAt === undefined) return [];
  return charges.flatMap((charge) => {
    const { billedSeconds, payer, segment } = charge;
    // What a soft limit let go on draws on nothing but money.
    const drawn = call.soft?.includes(payer) === true ? undefined : drawnBy(charge, accounts);
    if (drawn === undefined || billedSeconds === 0) return [];
    const later = charges.filter((other) => other.payer === payer && other.segment > segment);
    const secondsLater = later.reduce((sum, other) => sum + other.billedSeconds, 0);
    const talkedSeconds = call.billedSeconds - secondsLater;
    const from = talkedUntil(answeredAt, Math.max(0, talkedSeconds - billedSeconds));
    const until = talkedUntil(answeredAt, talkedSeconds);
    const legKey = `${call.legKey}/${payer}/${segment}` as LegKey;
    return drawn.pools.map((pool) => ({ legKey, pool, terms: drawn.terms, from, until, billedSeconds }));
  });
}

function drawnBy(
  charge: Charge,
  accounts: Pick<AccountLookup, 'node'>,
): { readonly pools: readonly PoolId[]; readonly terms: PriceTerms } | undefined {
  const limits = accounts.node(charge.payer)?.limits;
  if (limits === undefined) return undefined;
  if (charge.way === 'per_minute') return { pools: spendPoolsOf(charge.payer, limits), terms: charge.terms };
  if (charge.way !== 'allotment') return undefined;
  const names = usedUpBy(limits.allotments, charge.allotment);
  const pools = names.map((name) => allotmentPool(charge.payer, name));
  return { pools, terms: allotmentTerms(charge.pulses) };
}

/** Who counts it, and on whose trunks it is; whatever the bounds are. */
export function standingTakes(
  call: ReplayedCall,
  charges: readonly Charge[],
  accounts: Pick<AccountLookup, 'node' | 'route'>,
): readonly HolderTakes[] {
  const question = questionOfCall(call, accounts);
  const counted = question === undefined ? [] : takesOf(question).flatMap(({ takes }) => takes);
  const counter = call.direction === 'inbound' ? 'inboundCalls' : 'outboundCalls';
  const onTrunks = charges.filter(({ way }) => way === 'flat_rate' || way === 'flat_rate_burst');
  const payers = new Set<AccountPath>(onTrunks.map(({ payer }) => payer));
  return [...counted, ...[...payers].map((account) => trunkTakes({ account, counter }))];
}
