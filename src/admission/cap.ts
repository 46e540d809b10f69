import type { AccountLookup, AccountNode } from '../accounts/account-tree.ts';
import type { MoneyBound } from '../accounts/limits.ts';
import { fundedSeconds } from '../rating/quote.ts';
import type { PriceTerms } from '../rating/price.ts';
import type { AccountPath } from '../units/ids.ts';
import { formatMicros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';
import type { Continuation, LegCap, LegRecord, PayerRecord } from './leg-record.ts';
import type { PlannedQuestion } from './question.ts';
import { refuse, type Refusal } from './refusal.ts';
import { isBound, isEnforced, type Bindings } from './takes.ts';

/** The limit's name as in the account document. */
export const CAP_LIMITS = { max_seconds: 'maxCallSeconds', max_cost: 'maxCallCost' } as const;

/** The longest that every account of both chains lets one call last; undefined: none of them says. */
export function secondsCap(question: PlannedQuestion): LegCap | undefined {
  const { caller, callee } = question;
  return leastSeconds([...(caller?.chain ?? []), ...(callee?.chain ?? [])], question);
}

/**
 * The same of a leg that was admitted before, by the limits as they are now, its cost included. Where nobody has
 * changed a limit since, it is what its record says.
 */
export function capByNow(
  { taken, decision, soft, payers }: LegRecord,
  accounts: AccountLookup,
): LegCap | undefined {
  const paths = taken.flatMap(({ counted }) =>
    counted.flatMap(({ holder }) => (holder.kind === 'account' ? [holder.path] : [])),
  );
  const nodes = paths.flatMap((path) => accounts.node(path) ?? []);
  let least = leastSeconds(nodes, { emergency: decision === 'emergency', soft: new Set(soft) });
  for (const payer of payers) {
    const node = accounts.node(payer.account);
    if (payer.soft === true || node === undefined || !isEnforced(node)) continue;
    least = tighterCap(least, costCap(node.path, payer.terms, node.limits.maxCallCost));
  }
  return least;
}

/** What one account's limits say of the length of a leg, and of its cost where the account pays for it by the minute. */
export function capUnder(
  { path, limits }: Pick<AccountNode, 'path' | 'limits'>,
  payer: PayerRecord | undefined,
): LegCap | undefined {
  const longest = leastSeconds([{ path, limits }], { emergency: false });
  return tighterCap(longest, payer && costCap(path, payer.terms, limits.maxCallCost));
}

function leastSeconds(
  nodes: readonly Pick<AccountNode, 'path' | 'limits'>[],
  bindings: Bindings,
): LegCap | undefined {
  let least: LegCap | undefined;
  for (const { path, limits } of nodes) {
    if (!isBound({ path, limits }, bindings) || limits.maxCallSeconds === 'unlimited') continue;
    const seconds = limits.maxCallSeconds;
    least = tighterCap(least, { seconds, reason: 'max_seconds', account: path });
  }
  return least;
}

/**
 * What holds for a leg that has talked for so long already. Seconds that were spoken stay spoken and are charged: a
 * limit that is tightened below them ends the leg now, and no earlier.
 */
export function capFrom(
  before: LegCap | undefined,
  now: LegCap | undefined,
  talkedSeconds: number,
): LegCap | undefined {
  if (now === undefined || now.seconds >= talkedSeconds) return now;
  // It is being ended already.
  if (before !== undefined && before.seconds <= talkedSeconds) return before;
  return { ...now, seconds: talkedSeconds };
}

/** How long one call may last at this price before it costs more than its payer allows one to cost. */
export function costCap(account: AccountPath, terms: PriceTerms, bound: MoneyBound): LegCap | undefined {
  if (bound === 'unlimited') return undefined;
  const seconds = fundedSeconds(terms, bound);
  return seconds === 'unlimited' ? undefined : { seconds, reason: 'max_cost', account };
}

/** How long a call may go on per minute for what it may cost so. */
export function continuationCap({ payer, costMax }: Continuation): LegCap | undefined {
  return costMax === undefined ? undefined : costCap(payer.account, payer.terms, costMax);
}

/** The cap that held in the end: that of one call's cost counts from where its allotment had run dry. */
export function capInTheEnd(
  { cap }: Pick<LegRecord, 'cap'>,
  {
    allotmentSeconds,
    goneOn,
  }: {
    readonly allotmentSeconds: ReadonlyMap<AccountPath, number>;
    readonly goneOn: ReadonlyMap<AccountPath, Continuation>;
  },
): LegCap | undefined {
  let least = cap;
  for (const [account, goesOn] of goneOn) {
    const own = continuationCap(goesOn);
    if (own === undefined) continue;
    const paidSeconds = allotmentSeconds.get(account) ?? 0;
    least = tighterCap(least, { ...own, seconds: paidSeconds + own.seconds });
  }
  return least;
}

/** Which limit ends an answered leg at that moment: its own, or what it may cost since it has gone on per minute. */
export function capAt(
  { cap, allotments, answeredAt }: Pick<LegRecord, 'cap' | 'allotments' | 'answeredAt'>,
  endsAt: EpochMs,
): LegCap | undefined {
  const ended = allotments.find(({ goesOn }) => goesOn?.until === endsAt)?.goesOn;
  if (ended === undefined || answeredAt === undefined) return cap;
  const seconds = Math.ceil((endsAt - answeredAt) / 1000);
  return { seconds, reason: 'max_cost', account: ended.payer.account };
}

/** The shorter of two; of equals the first. */
export function tighterCap(one: LegCap | undefined, other: LegCap | undefined): LegCap | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return other.seconds < one.seconds ? other : one;
}

/** A call that may not last a second is no call. */
export function refusedByCap(cap: LegCap | undefined, bound: MoneyBound | undefined): Refusal | undefined {
  if (cap === undefined || cap.seconds > 0) return undefined;
  const limit = CAP_LIMITS[cap.reason];
  const words =
    cap.reason === 'max_seconds'
      ? `${cap.account} allows calls of 0 seconds`
      : `the first pulse costs more than ${typeof bound === 'bigint' ? formatMicros(bound) : '0'}, the most that ${cap.account} allows one call to cost`;
  return refuse('limit_reached', 'barred', cap.account, words, limit);
}
