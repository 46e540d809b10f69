import { continuationCap } from '../admission/cap.ts';
import { fundingOf, fundingPaid } from '../admission/funded.ts';
import { chargesOf } from '../charging/charges.ts';
import type { RatingBooks } from '../charging/finished-call.ts';
import { inItsTimes } from '../charging/first-rating.ts';
import { paidParts } from '../charging/leg-parts.ts';
import type { Exhausted } from '../credit/exhaustion.ts';
import { operate } from '../credit/operations.ts';
import type { PayerLeg, Wallet } from '../credit/wallet.ts';
import type { LegKey, PoolId } from '../units/ids.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';
import type { Agenda } from './agenda.ts';
import type { Counts } from './counts.ts';
import { createPools, type Pools } from './pools.ts';
import type { ReplayMode, ReplayOutcome } from './replayed-call.ts';
import { noteCut, settleTalk } from './settle-talk.ts';
import {
  chainsOf,
  goneOnAfter,
  poolsGoneOn,
  talkedUntil,
  type Chain,
  type GoneOn,
  type Talk,
} from './talk.ts';

/** The calls that are up: answered, gone on per minute, cut and ended in the order of time. */
export type Talks = {
  readonly pools: Pools;
  begin(talk: Talk, wallets: readonly Wallet[]): void;
};

export type TalkParts = {
  readonly books: RatingBooks;
  readonly mode: ReplayMode;
  readonly agenda: Agenda;
  readonly counts: Counts;
  readonly onOver: (outcome: ReplayOutcome) => void;
};

export function createTalks({ books, mode, agenda, counts, onOver }: TalkParts): Talks {
  const talks = new Map<LegKey, Talk>();

  const begin = (talk: Talk, wallets: readonly Wallet[]): void => {
    const { admittedAt, answeredAt, endedAt, legKey, billedSeconds } = talk.call;
    talks.set(legKey, talk);
    for (const wallet of wallets) pools.write(wallet);
    const answerAt = answeredAt === undefined ? admittedAt : latest(admittedAt, answeredAt);
    if (answeredAt !== undefined) agenda.add('answer', answerAt, (at) => answer(talk, answeredAt, at));
    agenda.add('end', latest(answerAt, endedAt), (at) => end(talk, at, billedSeconds));
  };

  const answer = (talk: Talk, answeredAt: EpochMs, at: EpochMs): void => {
    if (talk.isOver) return;
    const { call, paidBy } = talk;
    talk.paidBy = { ...paidBy, payers: paidBy.payers.map((payer) => inItsTimes(payer, call, books)) };
    for (const { pool, terms } of chainsOf(talk).flatMap(({ first }) => first)) {
      pools.operate(pool, { kind: 'answer', legKey: call.legKey, answeredAt, terms }, at);
    }
    const { cap } = talk.paidBy;
    if (cap !== undefined) endsBy(talk, cap.seconds, () => noteCut(talk, cap.seconds, { cap }));
  };

  /** Of a call that is ended by the rules: it lasts no longer. */
  const endsBy = (talk: Talk, seconds: number, note: () => void): void => {
    const { answeredAt, billedSeconds } = talk.call;
    if (mode !== 'as_ruled' || answeredAt === undefined || billedSeconds <= seconds) return;
    agenda.add('end', talkedUntil(answeredAt, seconds), (at) => {
      if (!talk.isOver) note();
      end(talk, at, seconds);
    });
  };

  /** A pool has nothing more for a leg. One that has ended by then itself is left to its end. */
  const onExhausted = (pool: PoolId, { legKey, endsAt, paidSeconds }: Exhausted): void => {
    const talk = talks.get(legKey);
    const chain = talk && chainsOf(talk).find((each) => drawsOn(talk, each, pool));
    if (talk === undefined || chain === undefined) return;
    const { allotment } = chain;
    const before = allotment && allotment.pool !== pool ? talk.wentOn.get(allotment.pool) : undefined;
    const seconds = (before?.afterSeconds ?? 0) + paidSeconds;
    if (talk.call.billedSeconds <= seconds) return;
    const goneOn = allotment?.pool === pool ? goneOnAfter(talk, allotment, seconds, books) : undefined;
    if (goneOn === undefined) {
      cut(talk, seconds, { pool, at: endsAt });
      if (!talk.isOver) pools.runOn(pool, legKey, endsAt);
      return;
    }
    const short = join(talk, goneOn, endsAt, false);
    if (short !== undefined) {
      cut(talk, seconds, { pool: short, at: endsAt });
      if (talk.isOver) return;
      join(talk, goneOn, endsAt, true);
    }
    talk.wentOn.set(pool, goneOn);
    const cap = continuationCap(goneOn.goesOn);
    if (cap === undefined) return;
    const longest = { ...cap, seconds: seconds + cap.seconds };
    endsBy(talk, longest.seconds, () => noteCut(talk, longest.seconds, { cap: longest }));
  };

  const cut = (
    talk: Talk,
    seconds: number,
    { pool, at }: { readonly pool: PoolId; readonly at: EpochMs },
  ): void => {
    noteCut(talk, seconds, { pool });
    if (mode === 'as_ruled') end(talk, at, seconds);
  };

  /** All that follows the allotment from that moment, or what of it cannot pay. */
  const join = (talk: Talk, goneOn: GoneOn, from: EpochMs, isForced: boolean): PoolId | undefined => {
    const { legKey } = talk.call;
    const joined: Wallet[] = [];
    const exhausted: (readonly [PoolId, Exhausted])[] = [];
    for (const { pool, terms } of poolsGoneOn(goneOn)) {
      const leg: PayerLeg = { legKey, terms, state: { kind: 'held' }, ...(isForced && { isForced }) };
      const operated = operate(pools.read(pool, from), { kind: 'join', leg, from }, from);
      if (operated.kind !== 'done') return pool;
      joined.push(operated.wallet);
      for (const each of operated.exhausted) exhausted.push([pool, each]);
    }
    for (const wallet of joined) pools.write(wallet);
    for (const [pool, each] of exhausted) onExhausted(pool, each);
    return undefined;
  };

  const end = (talk: Talk, at: EpochMs, asked: number): void => {
    if (talk.isOver) return;
    talk.isOver = true;
    const { call, paidBy, inUse, refusal } = talk;
    talks.delete(call.legKey);
    counts.remove(talk.takes);
    const settled = settleTalk({ pools, talk, books, at }, asked, mode);
    const { billedSeconds } = settled;
    const parts = paidParts(paidBy, settled);
    const charges =
      call.answeredAt === undefined ? [] : chargesOf({ legUuid: call.legUuid, version: 1 }, parts);
    const funding = talk.isTollFree ? 'toll_free' : fundingPaid({ funding: fundingOf(paidBy) }, charges);
    onOver({ kind: 'admitted', call, charges, funding, billedSeconds, refusal, cut: talk.cut, inUse });
  };

  const pools = createPools(books.accounts, agenda, onExhausted);
  return { pools, begin };
}

function drawsOn({ wentOn }: Talk, { first, allotment }: Chain, pool: PoolId): boolean {
  const goneOn = allotment && wentOn.get(allotment.pool);
  const after = goneOn === undefined ? [] : poolsGoneOn(goneOn);
  return [...first, ...after].some((each) => each.pool === pool);
}

function latest(one: EpochMs, other: EpochMs): EpochMs {
  return toEpochMs(Math.max(one, other));
}
