import { capInTheEnd } from '../admission/cap.ts';
import type { LegPool } from '../admission/leg-pools.ts';
import type { Continuation } from '../admission/leg-record.ts';
import type { RatingBooks } from '../charging/finished-call.ts';
import { operate } from '../credit/operations.ts';
import type { PayerLeg } from '../credit/wallet.ts';
import type { AccountPath, LegKey, PoolId } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';
import type { Pools } from './pools.ts';
import type { ReplayMode } from './replayed-call.ts';
import { chainsOf, goneOnAfter, poolsGoneOn, talkedUntil, talkMsOf, type Chain, type Talk } from './talk.ts';

export type SettledTalk = {
  readonly billedSeconds: number;
  /** Of each payer that paid by an allotment, the seconds that this one paid for. */
  readonly allotmentSeconds: Map<AccountPath, number>;
  /** How it paid for what was talked after that. */
  readonly goneOn: Map<AccountPath, Continuation>;
};

type Seconds = { readonly billedSeconds: number; readonly talkMs: number };
type Ending = {
  readonly pools: Pools;
  readonly talk: Talk;
  readonly books: RatingBooks;
  readonly at: EpochMs;
};

/** What the end of a talk costs all that it draws on. What the rules would have ended before is put down as its cut. */
export function settleTalk(ending: Ending, asked: number, mode: ReplayMode): SettledTalk {
  const { talk } = ending;
  const chains = chainsOf(talk);
  const talkMs = talkMsOf(talk.call);
  let billedSeconds = asked;
  for (const chain of chains) {
    const { paidSeconds, shortOf } = payable(ending, chain, { billedSeconds, talkMs });
    if (shortOf === undefined) continue;
    noteCut(talk, paidSeconds, { pool: shortOf });
    if (mode === 'as_ruled') billedSeconds = paidSeconds;
  }
  const settled: SettledTalk = { billedSeconds, allotmentSeconds: new Map(), goneOn: new Map() };
  for (const chain of chains) settleChain(ending, chain, { billedSeconds, talkMs }, settled);
  const cap = capInTheEnd(talk.paidBy, settled);
  if (cap !== undefined && cap.seconds < billedSeconds) noteCut(talk, cap.seconds, { cap });
  return settled;
}

export function noteCut(talk: Talk, paidSeconds: number, by: NonNullable<Talk['cut']>['by']): void {
  const { answeredAt } = talk.call;
  if (answeredAt === undefined || (talk.cut !== undefined && talk.cut.paidSeconds <= paidSeconds)) return;
  talk.cut = { at: talkedUntil(answeredAt, paidSeconds), paidSeconds, by };
}

type Payable = { readonly paidSeconds: number; readonly shortOf: PoolId | undefined };

function payable(ending: Ending, chain: Chain, asked: Seconds): Payable {
  const first = payableBy(ending, chain.first, asked, undefined);
  const rest = restOf(asked, first.paidSeconds);
  const { allotment } = chain;
  const goneOn = allotment && goneOnAfter(ending.talk, allotment, first.paidSeconds, ending.books);
  if (rest.billedSeconds <= 0 || goneOn === undefined) return first;
  const from = joinsAt(ending, first.paidSeconds);
  const { paidSeconds, shortOf } = payableBy(ending, poolsGoneOn(goneOn), rest, from);
  return { paidSeconds: first.paidSeconds + paidSeconds, shortOf };
}

function payableBy(
  { pools, talk: { call }, at }: Ending,
  drawn: readonly LegPool[],
  { billedSeconds, talkMs }: Seconds,
  joinsFrom: EpochMs | undefined,
): Payable {
  const { legKey } = call;
  let paidSeconds = billedSeconds;
  let shortOf: PoolId | undefined;
  for (const { pool, terms } of drawn) {
    let wallet = pools.read(pool, at);
    if (!draws(pools, pool, legKey, at)) {
      if (joinsFrom === undefined) continue;
      const leg: PayerLeg = { legKey, terms, state: { kind: 'held' } };
      const joined = operate(wallet, { kind: 'join', leg, from: joinsFrom }, at);
      if (joined.kind !== 'done') return { paidSeconds: 0, shortOf: pool };
      ({ wallet } = joined);
    }
    const settled = operate(wallet, { kind: 'settle', legKey, billedSeconds: paidSeconds, talkMs }, at);
    if (settled.kind !== 'settled' || settled.billedSeconds >= paidSeconds) continue;
    paidSeconds = settled.billedSeconds;
    shortOf = pool;
  }
  return { paidSeconds, shortOf };
}

/** What is left to pay although a pool has run dry runs on there: it was talked. */
function settleChain(
  ending: Ending,
  chain: Chain,
  talked: Seconds,
  { allotmentSeconds, goneOn }: SettledTalk,
): void {
  const { allotment, first } = chain;
  let { paidSeconds } = payableBy(ending, first, talked, undefined);
  if (allotment?.goesOn === undefined) paidSeconds = talked.billedSeconds;
  settleIn(ending, first, { ...talked, billedSeconds: paidSeconds }, undefined);
  if (allotment === undefined) return;
  allotmentSeconds.set(allotment.account, paidSeconds);
  const after = goneOnAfter(ending.talk, allotment, paidSeconds, ending.books);
  if (after === undefined) return;
  goneOn.set(allotment.account, after.goesOn);
  const rest = restOf(talked, paidSeconds);
  const from = rest.billedSeconds > 0 ? joinsAt(ending, paidSeconds) : undefined;
  settleIn(ending, poolsGoneOn(after), rest, from);
}

function settleIn(
  { pools, talk: { call }, at }: Ending,
  drawn: readonly LegPool[],
  { billedSeconds, talkMs }: Seconds,
  joinsFrom: EpochMs | undefined,
): void {
  const { legKey } = call;
  for (const { pool, terms } of drawn) {
    if (!draws(pools, pool, legKey, at)) {
      if (joinsFrom === undefined) continue;
      const leg: PayerLeg = { legKey, terms, state: { kind: 'held' }, isForced: true };
      pools.operate(pool, { kind: 'join', leg, from: joinsFrom }, at);
    }
    const operation = { kind: 'settle', legKey, billedSeconds, talkMs } as const;
    const settled = operate(pools.read(pool, at), operation, at);
    if (settled.kind === 'settled' && settled.billedSeconds < billedSeconds) pools.runOn(pool, legKey, at);
    pools.operate(pool, operation, at);
  }
}

function draws(pools: Pools, pool: PoolId, legKey: LegKey, at: EpochMs): boolean {
  return pools.read(pool, at).legs.some((leg) => leg.legKey === legKey);
}

function restOf({ billedSeconds, talkMs }: Seconds, paidBefore: number): Seconds {
  return { billedSeconds: billedSeconds - paidBefore, talkMs: Math.max(0, talkMs - paidBefore * 1000) };
}

function joinsAt({ talk: { call }, at }: Ending, paidSeconds: number): EpochMs {
  return call.answeredAt === undefined ? at : talkedUntil(call.answeredAt, paidSeconds);
}
