import { poolsAtAnswer } from '../admission/leg-pools.ts';
import type { AllotmentRecord, Continuation, LegRecord, PayerRecord } from '../admission/leg-record.ts';
import type { HoldTake, SlotPlan } from '../admission/plan.ts';
import { shadowPoolOf } from '../credit/pools.ts';
import type { Admitted } from '../gate/admit-leg.ts';
import { rootOf, shadowLegKey, type AccountPath, type PoolId } from '../units/ids.ts';

/** A leg as shadow limits that count would have it: what it draws on of theirs, and nothing else. */
export type ShadowLeg = { readonly plan: SlotPlan; readonly record: LegRecord };

/** Whose counts it is drawn on from. */
export type Counting = { readonly path: AccountPath; readonly countedAs: string };

/** Undefined: it would have been paid for by nothing that they count. */
export function shadowLegOf(
  { path, countedAs }: Counting,
  { record, why }: Extract<Admitted, { readonly kind: 'admitted' }>,
): ShadowLeg | undefined {
  const counted = (pool: PoolId): PoolId => shadowPoolOf(pool, countedAs);
  const payers = record.payers
    .filter(({ account }) => account === path)
    .flatMap((each) => drawn(each, counted));
  const allotments = record.allotments
    .filter(({ account }) => account === path)
    .map((allotment): AllotmentRecord => ({
      ...allotment,
      pool: counted(allotment.pool),
      groups: allotment.groups.map(counted),
      goesOn: allotment.goesOn && goingOn(allotment.goesOn, counted),
    }));
  if (payers.length + allotments.length === 0) return undefined;
  const { dryRun: _dryRun, time: _time, soft: _soft, callee: _callee, ...kept } = record;
  const slot = { kind: 'root', root: rootOf(path) } as const;
  const shadow: LegRecord = {
    ...kept,
    legKey: shadowLegKey(record.legKey, path),
    account: path,
    siblings: [],
    uuid: undefined,
    answeredAt: undefined,
    trunks: [],
    payers,
    allotments,
    taken: [{ slot, counted: [] }],
  };
  const needed = new Map(why.pools.map((each) => [counted(each.pool), each.needed]));
  const holds = poolsAtAnswer(shadow).map(({ pool, terms, isForced }): HoldTake => {
    const amount = needed.get(pool);
    if (isForced === true) return { wallet: pool, terms, isForced };
    return { wallet: pool, terms, ...(amount === undefined ? {} : { amount }) };
  });
  return { plan: { slot, legKey: shadow.legKey, takes: [], holds, firstOf: [] }, record: shadow };
}

/** Its money is what really pays, and stays out of it: only the windows in which it is spent are counted. */
function drawn(payer: PayerRecord, counted: (pool: PoolId) => PoolId): readonly PayerRecord[] {
  const { windows = [], ...kept } = payer;
  const [wallet, ...others] = windows.map(counted);
  if (wallet === undefined) return [];
  return [{ ...kept, wallet, ...(others.length > 0 ? { windows: others } : {}) }];
}

function goingOn(goesOn: Continuation, counted: (pool: PoolId) => PoolId): Continuation {
  const [payer] = drawn(goesOn.payer, counted);
  return payer === undefined || goesOn.isFree === true ? { ...goesOn, isFree: true } : { ...goesOn, payer };
}
