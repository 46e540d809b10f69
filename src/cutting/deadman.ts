import type { AllotmentRecord, LegRecord } from '../admission/leg-record.ts';
import { commitmentOf, pulsesBegun, type PriceTerms } from '../rating/price.ts';
import { fundedSeconds } from '../rating/quote.ts';
import type { ControllerContext } from '../state/context.ts';
import type { Leg, LegBook } from '../state/leg-book.ts';
import type { PoolId } from '../units/ids.ts';
import { ZERO_MICROS, type Micros } from '../units/money.ts';
import { addMs, toEpochMs, type EpochMs } from '../units/time.ts';
import { continuationAt } from './going-on.ts';

/** A timer this near is set anew when money has come; a farther one is renewed when it is near (ruling 11). */
const NEAR_MS = 60_000;
/** FreeSWITCH's scheduler may fire so much before the second it was given. */
const EARLY_FIRE_MS = 1_000;

/**
 * FreeSWITCH's own timer on every paying leg, so that it ends even if every controller and Redis are dead. It
 * stands past the last second that all the money of its wallets could pay for, were this the only leg.
 */
export type Deadman = {
  arm(leg: Leg): Promise<void>;
  disarm(leg: Leg): Promise<void>;
  /** What `execute_on_answer` scheduled with the admission is no longer wanted. */
  drop(leg: Leg): Promise<void>;
  /** Money came or went: legs of the wallet whose timer is near get a new one. */
  walletChanged(account: PoolId): Promise<void>;
  /** The leg may last longer or shorter than it might: its timer is set anew, or taken away. */
  lengthChanged(leg: Leg): Promise<void>;
  /** Renews what is near; called every few seconds, from memory alone. */
  renewNear(now: EpochMs): Promise<void>;
};

/** Whether anything of the leg runs out that is not filled anew by the calendar. */
export function mayEnd({ funding, cap, time }: Pick<LegRecord, 'funding' | 'cap' | 'time'>): boolean {
  return funding === 'per_minute' || cap !== undefined || time !== undefined;
}

type Seconds = number | 'unlimited';

function earlier(one: Seconds, other: Seconds): Seconds {
  if (one === 'unlimited') return other;
  return other === 'unlimited' ? one : Math.min(one, other);
}

function later(one: Seconds, by: Seconds): Seconds {
  return one === 'unlimited' || by === 'unlimited' ? 'unlimited' : one + by;
}

export function createDeadman(context: ControllerContext, book: LegBook): Deadman {
  const { store, policy, log } = context;
  const turns = new WeakMap<Leg, Promise<void>>();

  /** One step at a time for each leg: two timers set side by side would both stand, and the earlier one end the call. */
  const inTurn = (leg: Leg, step: () => Promise<void>): Promise<void> => {
    const turn = (turns.get(leg) ?? Promise.resolve()).then(step);
    turns.set(leg, turn);
    return turn;
  };

  const secondsOf = async (pool: PoolId, terms: PriceTerms, paid: Micros = ZERO_MICROS): Promise<Seconds> => {
    const funds = await store.funds(pool);
    return funds === undefined ? 'unlimited' : fundedSeconds(terms, funds > paid ? funds : paid);
  };

  /** How long the leg may go on per minute, once this allotment has paid for so many seconds of it. */
  const secondsAfter = async (
    { record, answeredAt }: Leg,
    { goesOn }: AllotmentRecord,
    ahead: Seconds,
  ): Promise<Seconds | undefined> => {
    if (goesOn === undefined || record === undefined) return undefined;
    if (answeredAt === undefined || ahead === 'unlimited') return 'unlimited';
    const from = addMs(answeredAt, ahead * 1000);
    const { payer } = continuationAt(context, record, goesOn, from);
    return await secondsOf(payer.wallet, payer.terms);
  };

  const secondsFor = async (leg: Leg): Promise<number | undefined> => {
    let least: Seconds = leg.record?.cap?.seconds ?? 'unlimited';
    if (leg.answeredAt === undefined) return undefined;
    const talkedMs = store.now() - leg.answeredAt;
    const talked = Math.floor(talkedMs / 1000);
    for (const { wallet, terms, soft } of leg.record?.payers ?? []) {
      if (soft === true) continue;
      // What it has paid for stays paid, even where an operator has taken the money away since.
      const paid = commitmentOf(terms, pulsesBegun(terms, talkedMs));
      least = earlier(least, await secondsOf(wallet, terms, paid));
    }
    const { time } = leg.record ?? {};
    if (time !== undefined) least = earlier(least, await secondsOf(time.pool, time.terms));
    for (const allotment of leg.record?.allotments ?? []) {
      // Counted from now on: it may have been filled anew since the answer. Near its end it is looked at again.
      const ahead = later(talked, await secondsOf(allotment.pool, allotment.terms));
      const after = await secondsAfter(leg, allotment, ahead);
      least = earlier(least, after === undefined ? ahead : later(ahead, after));
    }
    if (least === 'unlimited') return undefined;
    return Math.max(1, Math.min(least + policy.deadmanSlackSeconds - talked, policy.deadmanSecondsMax));
  };

  const armNow = async (leg: Leg, mayBeEarlier: boolean): Promise<void> => {
    const control = context.controlOf(leg.facts.node);
    if (control === undefined || leg.record === undefined) return;
    try {
      const seconds = await secondsFor(leg);
      if (seconds === undefined) {
        if (mayBeEarlier) await disarmNow(leg);
        return;
      }
      const firesAt = toEpochMs(store.now() + seconds * 1000);
      // Nothing to gain: the timer that stands is as late.
      const isAsLate = leg.deadman !== undefined && firesAt <= leg.deadman.firesAt + EARLY_FIRE_MS;
      if (isAsLate && !mayBeEarlier) return;
      const first = leg.deadman === undefined;
      leg.deadman = { task: await control.armDeadman(leg.uuid, seconds, leg.deadman?.task), firesAt };
      // What was scheduled with the admission would cut a call that money has prolonged.
      if (first) await control.dropScheduledHangup(leg.uuid);
    } catch (err) {
      log.warn({ err, callUuid: leg.uuid }, 'dead-man timer not set');
    }
  };

  const disarmNow = async (leg: Leg): Promise<void> => {
    const { deadman } = leg;
    leg.deadman = undefined;
    if (deadman === undefined) return;
    try {
      await context.controlOf(leg.facts.node)?.disarmDeadman(deadman.task);
    } catch (err) {
      log.debug({ err, callUuid: leg.uuid }, 'dead-man timer left behind: it will find no leg');
    }
  };

  const arm = (leg: Leg, mayBeEarlier = false): Promise<void> => inTurn(leg, () => armNow(leg, mayBeEarlier));

  return {
    arm: (leg) => arm(leg),
    disarm: (leg) => inTurn(leg, () => disarmNow(leg)),
    async drop(leg) {
      try {
        await context.controlOf(leg.facts.node)?.dropScheduledHangup(leg.uuid);
      } catch (err) {
        log.warn({ err, callUuid: leg.uuid }, 'scheduled hang-up not dropped');
      }
    },
    lengthChanged: (leg) => arm(leg, true),
    async walletChanged(account) {
      const now = store.now();
      await Promise.all(
        book.byWallet(account).map(async (leg) => {
          if (leg.phase === 'answered' && (leg.deadman?.firesAt ?? now) - now < NEAR_MS) await arm(leg);
        }),
      );
    },
    async renewNear(now) {
      const near = book
        .live()
        .filter((leg) => leg.deadman !== undefined && leg.deadman.firesAt - now < NEAR_MS / 2);
      await Promise.all(near.map((leg) => arm(leg)));
    },
  };
}
