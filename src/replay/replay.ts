import { questionOfCall } from '../charging/call-question.ts';
import type { RatingBooks } from '../charging/finished-call.ts';
import type { HolderTakes } from '../admission/plan.ts';
import type { PlannedQuestion } from '../admission/question.ts';
import type { Refusal } from '../admission/refusal.ts';
import type { Charge } from '../records/records.ts';
import type { PayerLeg } from '../credit/wallet.ts';
import { toEpochMs } from '../units/time.ts';
import { createAgenda } from './agenda.ts';
import { askAgain } from './ask-again.ts';
import { createCounts } from './counts.ts';
import { customerOfCall } from './customer-of-call.ts';
import type { ReplayedCall, ReplayMode, ReplayOutcome } from './replayed-call.ts';
import { standingTakes, stretchesOf } from './standing.ts';
import { createTalks } from './talks.ts';

/**
 * Finished calls, asked again by the gate's own plan: counts, calls per second, flat-rate trunks, allotments and spend
 * windows come out as the accounts and tariffs of `books` have them. Money is not looked at: what was talked could be
 * paid, so that wallets never refuse and never cut.
 *
 * Calls come in the order of their admission; each method returns what has become of those that are over by then.
 * What is kept is what runs at once, and a pool for each account that has any. Everything is full and free at the
 * beginning: whoever begins in the middle tells by `stand` what was in use then. A bound that was met within the
 * milliseconds that an event takes may come out otherwise than it did live.
 */
export type Replay = {
  /** `charged`: what stands where nobody can be charged for it now, which is then drawn on. */
  admit(call: ReplayedCall, charged?: readonly Charge[]): readonly ReplayOutcome[];
  /** It was charged so, and is not asked again: it counts, and draws on what it drew on, whatever there is. */
  stand(call: ReplayedCall, charged: readonly Charge[]): readonly ReplayOutcome[];
  /** Why a call would not be admitted at its moment, which takes nothing; undefined: it would. */
  judge(question: PlannedQuestion): Refusal | undefined;
  /** All calls are told: what becomes of those that are still up. */
  finish(): readonly ReplayOutcome[];
};

const EVER = toEpochMs(Number.MAX_SAFE_INTEGER);

export function createReplay(books: RatingBooks, mode: ReplayMode): Replay {
  const { accounts } = books;
  const agenda = createAgenda();
  const counts = createCounts();
  let over: ReplayOutcome[] = [];
  const onOver = (outcome: ReplayOutcome): void => void over.push(outcome);
  const talks = createTalks({ books, mode, agenda, counts, onOver });

  const told = (): readonly ReplayOutcome[] => {
    const outcomes = over;
    over = [];
    return outcomes;
  };

  const stands = (call: ReplayedCall, charged: readonly Charge[]): readonly HolderTakes[] => {
    const { admittedAt, endedAt } = call;
    const takes = standingTakes(call, charged, accounts);
    counts.add(takes, admittedAt);
    for (const { legKey, pool, terms, from, until, billedSeconds } of stretchesOf(call, charged, accounts)) {
      const leg: PayerLeg = { legKey, terms, state: { kind: 'held' }, isForced: true };
      const talkMs = billedSeconds * 1000;
      const joinsAt = toEpochMs(Math.max(from, admittedAt));
      agenda.add('answer', joinsAt, (at) => talks.pools.operate(pool, { kind: 'join', leg, from }, at));
      agenda.add('end', toEpochMs(Math.max(until, joinsAt + 1)), (at) =>
        talks.pools.operate(pool, { kind: 'settle', legKey, billedSeconds, talkMs }, at),
      );
    }
    agenda.add('end', toEpochMs(Math.max(endedAt, admittedAt)), () => counts.remove(takes));
    return takes;
  };
  const standing = (call: ReplayedCall, charged: readonly Charge[], refusal: Refusal | undefined): void => {
    const takes = stands(call, charged);
    over.push({ kind: 'standing', call, refusal, inUse: counts.inUse(takes) });
  };

  return {
    admit(call, charged = []) {
      agenda.passUntil(call.admittedAt);
      const customer = customerOfCall(call, charged, accounts);
      const question = call.decision === 'refused' ? undefined : questionOfCall(call, accounts, customer);
      if (question === undefined) {
        standing(call, charged, undefined);
        return told();
      }
      const asked = askAgain({ call, question, books, state: { counts, pools: talks.pools }, mode });
      switch (asked.kind) {
        case 'unrated':
          standing(call, charged, asked.refusal);
          break;
        case 'refused': {
          const { refusal, takes } = asked;
          over.push({ kind: 'refused', call, refusal, inUse: counts.inUse(takes) });
          break;
        }
        case 'admitted': {
          const { takes, wallets, paidBy, refusal } = asked;
          counts.add(takes, call.admittedAt);
          const inUse = counts.inUse(takes);
          const talk = { call, takes, paidBy, refusal, inUse, isTollFree: question.tollFree };
          talks.begin({ ...talk, wentOn: new Map(), cut: undefined, isOver: false }, wallets);
          break;
        }
      }
      return told();
    },
    stand(call, charged) {
      agenda.passUntil(call.admittedAt);
      stands(call, charged);
      return told();
    },
    judge(question) {
      agenda.passUntil(question.at);
      const state = { counts, pools: talks.pools };
      return askAgain({ call: undefined, question, books, state, mode }).refusal;
    },
    finish() {
      agenda.passUntil(EVER);
      return told();
    },
  };
}
