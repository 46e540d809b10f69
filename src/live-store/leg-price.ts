import { continuationCap } from '../admission/cap.ts';
import { dryPoolsAfter, poolsAfter, type LegPool } from '../admission/leg-pools.ts';
import type { AllotmentRecord, Continuation, LegCap, LegRecord } from '../admission/leg-record.ts';
import type { CloseSettlement, Talk, WouldEnd } from '../admission/live-store.ts';
import { operate, type Operated } from '../credit/operations.ts';
import { inThisCycle, type PayerLeg } from '../credit/wallet.ts';
import { priceOf } from '../rating/price.ts';
import { assert } from '../units/assert.ts';
import type { AccountPath, PoolId } from '../units/ids.ts';
import { negateMicros, ZERO_MICROS, type Micros } from '../units/money.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';
import type { ExactBasis } from './exact-step.ts';
import { exactArguments } from '../live-text/exact-wallet.ts';
import { chainsOf, dryRunChains, type Chain } from '../live-text/leg-chains.ts';
import type { GoingOn } from './store-context.ts';
import { parsePart } from '../live-text/wallet-text.ts';

type Final = Omit<Parameters<CloseSettlement>[0], 'at'>;

/** What the end of a leg costs each pool that it has drawn on. */
export type LegPrice = {
  readonly final: Final;
  readonly debits: ReadonlyMap<PoolId, Debit>;
};

export type Debit = {
  readonly amount: Micros;
  /** Charged although the leg has no part there: a soft leg, or one that should go on there and had no time to. */
  readonly isWithoutPart: boolean;
  /** ARGV of the exact wallet; `ask`: only the exact wallet can tell. */
  readonly mode: readonly (string | number)[];
};

/** What a leg's end is worked out from. */
export type Closing = {
  readonly record: LegRecord;
  /** Undefined: it never ran. */
  readonly talk: Talk | undefined;
  /** Its parts as read, by pool. */
  readonly parts: ReadonlyMap<PoolId, string>;
  readonly basis: ExactBasis | undefined;
  readonly goingOn: GoingOn;
};

const BOUND = ['bound'] as const;
const ASK = ['ask'] as const;

/**
 * Every payer pays for the same seconds: the least that any of them could pay for (ruling 10), by its allotment first
 * and then, where it may, by its wallet.
 */
export function priceLeg(closing: Closing): LegPrice {
  const { record, parts } = closing;
  const talk = closing.talk && cappedTalk(closing.talk, record.cap);
  const asked = talk?.billedSeconds ?? 0;
  const talkMs = talk?.talkMs ?? 0;
  const chains = chainsOf(record, parts);
  let billedSeconds = asked;
  let endedBy: PoolId | undefined;
  for (const chain of chains) {
    const paid = payable(closing, chain, { billedSeconds, talkMs });
    billedSeconds = paid.billedSeconds;
    endedBy ??= paid.endedBy;
  }
  const debits = new Map<PoolId, Debit>();
  const allotmentSeconds = new Map<AccountPath, number>();
  const goneOn = new Map<AccountPath, Continuation>();
  const wouldEnd = new Map<AccountPath, WouldEnd>();
  for (const chain of [...chains, ...dryRunChains(record, parts)]) {
    const seconds = secondsOf(closing, chain, { billedSeconds, talkMs }, wouldEnd);
    const split = splitOf(closing, chain, seconds);
    for (const { pool } of chain.first) debit(closing, debits, pool, { ...split.first, joins: undefined });
    if (chain.allotment === undefined) continue;
    const { account } = chain.allotment;
    allotmentSeconds.set(account, split.first.billedSeconds);
    const goesOn = continuation(closing, chain.allotment, split.from);
    if (goesOn === undefined) continue;
    goneOn.set(account, goesOn);
    for (const each of after(chain, goesOn))
      debit(closing, debits, each.pool, { ...split.goesOn, joins: { ...each, from: split.from } });
  }
  for (const payer of record.payers)
    if (payer.soft === true) debitSoft(closing, debits, payer, priceOf(payer.terms, billedSeconds));
  return {
    final: {
      billedSeconds,
      allotmentSeconds,
      payerTerms: payerTerms(closing),
      goneOn,
      wouldEnd,
      endedBy: talk === undefined ? undefined : endedBy,
    },
    debits,
  };
}

/** What a payer pays for: all of the talk, or in a dry run what it could have. */
function secondsOf(
  closing: Closing,
  chain: Chain,
  talked: Seconds,
  wouldEnd: Map<AccountPath, WouldEnd>,
): Seconds {
  const { wouldPay } = chain;
  if (wouldPay === undefined) return talked;
  const { billedSeconds, endedBy } = payable(closing, chain, talked);
  if (endedBy === undefined || billedSeconds >= talked.billedSeconds) return talked;
  wouldEnd.set(wouldPay, { seconds: billedSeconds, pool: endedBy });
  return { ...talked, billedSeconds };
}

function after({ wouldPay }: Chain, goesOn: Continuation): readonly LegPool[] {
  return wouldPay === undefined ? poolsAfter({ goesOn }) : dryPoolsAfter({ goesOn });
}

/** By the terms that it was drawn on by since it went on, or would have been. */
function continuation(
  closing: Closing,
  { goesOn }: AllotmentRecord,
  from: EpochMs,
): Continuation | undefined {
  if (goesOn === undefined) return undefined;
  const found = closing.goingOn(closing.record, goesOn, from);
  const leg = partOf(closing, found.payer.wallet);
  return leg === undefined ? found : { ...found, payer: { ...found.payer, terms: leg.terms } };
}

function payerTerms(closing: Closing): Final['payerTerms'] {
  const drawn = closing.record.payers.flatMap(({ account, wallet }) => {
    const leg = partOf(closing, wallet);
    return leg === undefined ? [] : [[account, leg.terms] as const];
  });
  return new Map(drawn);
}

type Seconds = { readonly billedSeconds: number; readonly talkMs: number };

/** How many of the seconds this payer can pay for, and what could not pay for more. */
function payable(
  closing: Closing,
  chain: Chain,
  asked: Seconds,
): { readonly billedSeconds: number; readonly endedBy: PoolId | undefined } {
  const first = payableBy(closing, chain.first, asked);
  const from = answeredAt(closing, chain, first.billedSeconds);
  const goesOn = chain.allotment && continuation(closing, chain.allotment, from);
  if (goesOn === undefined) return first;
  const restSeconds = asked.billedSeconds - first.billedSeconds;
  if (restSeconds <= 0) return { billedSeconds: asked.billedSeconds, endedBy: undefined };
  const rest = restOf(goesOn, asked, first.billedSeconds);
  const next = payableBy(closing, after(chain, goesOn), rest, from);
  return { billedSeconds: first.billedSeconds + next.billedSeconds, endedBy: next.endedBy };
}

/** The seconds that are left to what follows the allotment, and no more than one call may cost. */
function restOf(goesOn: Continuation, asked: Seconds, paidBefore: number): Seconds {
  const restSeconds = asked.billedSeconds - paidBefore;
  const billedSeconds = Math.min(restSeconds, continuationCap(goesOn)?.seconds ?? restSeconds);
  return { billedSeconds, talkMs: Math.max(0, asked.talkMs - paidBefore * 1000) };
}

function splitOf(
  closing: Closing,
  chain: Chain,
  final: Seconds,
): { readonly first: Seconds; readonly goesOn: Seconds; readonly from: EpochMs } {
  const { billedSeconds } = payableBy(closing, chain.first, final);
  const rest = Math.max(0, final.billedSeconds - billedSeconds);
  return {
    first: { billedSeconds, talkMs: final.talkMs },
    goesOn: { billedSeconds: rest, talkMs: Math.max(0, final.talkMs - billedSeconds * 1000) },
    from: answeredAt(closing, chain, billedSeconds),
  };
}

function payableBy(
  closing: Closing,
  pools: readonly LegPool[],
  asked: Seconds,
  joinsFrom?: EpochMs,
): { readonly billedSeconds: number; readonly endedBy: PoolId | undefined } {
  let { billedSeconds } = asked;
  let endedBy: PoolId | undefined;
  for (const each of pools) {
    const leg = partOf(closing, each.pool);
    const joins = leg === undefined && joinsFrom !== undefined ? { ...each, from: joinsFrom } : undefined;
    const exact = settledExactly(closing, each.pool, { billedSeconds, talkMs: asked.talkMs, joins });
    let payableSeconds = billedSeconds;
    if (exact !== undefined) payableSeconds = exact.billedSeconds;
    else if (leg?.state.kind === 'ended' || leg?.state.kind === 'passed')
      payableSeconds = Math.min(billedSeconds, leg.state.paidSeconds);
    if (payableSeconds < billedSeconds || leg?.state.kind === 'ended') endedBy ??= each.pool;
    billedSeconds = payableSeconds;
  }
  return { billedSeconds, endedBy };
}

type Joins = (LegPool & { readonly from: EpochMs }) | undefined;

/** The price in one pool, and how its wallet is left. */
function debit(
  closing: Closing,
  debits: Map<PoolId, Debit>,
  pool: PoolId,
  { billedSeconds, talkMs, joins }: Seconds & { readonly joins: Joins },
): void {
  const leg = partOf(closing, pool);
  if (leg === undefined && (joins === undefined || billedSeconds === 0)) return;
  const terms = leg?.terms ?? joins?.terms;
  assert(terms !== undefined, 'what is charged has terms');
  const price = priceOf(terms, billedSeconds);
  const amount = leg === undefined ? price : inThisCycle(leg, price);
  const isWithoutPart = leg === undefined;
  const exact = settledExactly(closing, pool, {
    billedSeconds,
    talkMs,
    joins: isWithoutPart ? joins : undefined,
  });
  if (exact !== undefined) {
    assert(exact.billedSeconds === billedSeconds, 'the least seconds are payable by every payer');
    debits.set(pool, { amount: exact.price, isWithoutPart, mode: ['exact', ...exact.args] });
  } else debits.set(pool, { amount, isWithoutPart, mode: isWithoutPart ? ASK : BOUND });
}

/** A soft leg is charged when it ends, as money is taken away (ruling 16). */
function debitSoft(
  { basis }: Closing,
  debits: Map<PoolId, Debit>,
  { wallet }: { readonly wallet: PoolId },
  amount: Micros,
): void {
  const reading = basis?.readings.get(wallet);
  let mode: Debit['mode'] = BOUND;
  if (basis !== undefined && reading !== undefined) {
    const { credit, policy } = reading.wallet;
    const operation = { kind: 'fund', amount: negateMicros(amount), credit, policy } as const;
    const operated = operate(reading.wallet, operation, basis.at);
    if (operated.kind === 'done') mode = ['exact', ...exactArguments(reading, operated.wallet)];
  }
  debits.set(wallet, { amount, isWithoutPart: true, mode });
}

function settledExactly(
  { basis, record: { legKey } }: Closing,
  pool: PoolId,
  { billedSeconds, talkMs, joins }: Seconds & { readonly joins: Joins },
):
  | { readonly billedSeconds: number; readonly price: Micros; readonly args: readonly (string | number)[] }
  | undefined {
  const reading = basis?.readings.get(pool);
  if (basis === undefined || reading === undefined) return undefined;
  let { wallet } = reading;
  if (joins !== undefined) {
    const leg: PayerLeg = { legKey, terms: joins.terms, state: { kind: 'held' } };
    const joined = operate(wallet, { kind: 'join', leg, from: joins.from }, basis.at);
    if (joined.kind !== 'done') {
      const unchanged = operate(wallet, { kind: 'wait' }, basis.at);
      assert(unchanged.kind === 'done', 'waiting is always done');
      return { billedSeconds: 0, price: ZERO_MICROS, args: exactArguments(reading, unchanged.wallet) };
    }
    ({ wallet } = joined);
  }
  const operated: Operated = operate(wallet, { kind: 'settle', legKey, billedSeconds, talkMs }, basis.at);
  if (operated.kind !== 'settled') return undefined;
  return {
    billedSeconds: operated.billedSeconds,
    price: operated.price,
    args: exactArguments(reading, operated.wallet),
  };
}

/** When the leg's talk began, after so many seconds that were paid for otherwise. */
function answeredAt(closing: Closing, { first: [own] }: Chain, paidSeconds: number): EpochMs {
  const state = own && partOf(closing, own.pool)?.state;
  if (state === undefined || state.kind === 'held') {
    // A talk whose answer nobody told us of began as long ago as it lasted.
    const at = closing.basis?.at ?? toEpochMs(0);
    const began = closing.record.answeredAt ?? at - (closing.talk?.talkMs ?? 0);
    return toEpochMs(Math.max(0, began + paidSeconds * 1000));
  }
  return toEpochMs(state.answeredAt + paidSeconds * 1000);
}

function partOf({ parts, record }: Closing, pool: PoolId): PayerLeg | undefined {
  const text = parts.get(pool);
  return text === undefined ? undefined : parsePart(record.legKey, text);
}

/** However late the hang-up lands, a call is as long as it may be. */
function cappedTalk(talk: Talk, cap: LegCap | undefined): Talk {
  if (cap === undefined) return talk;
  return {
    billedSeconds: Math.min(talk.billedSeconds, cap.seconds),
    talkMs: Math.min(talk.talkMs, cap.seconds * 1000),
  };
}
