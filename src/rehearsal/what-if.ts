import type { AccountNode } from '../accounts/account-tree.ts';
import { capUnder, tighterCap } from '../admission/cap.ts';
import type { LegRecord, PayerRecord } from '../admission/leg-record.ts';
import type { LiveStore, WouldEnd } from '../admission/live-store.ts';
import type { ShadowStore } from '../admission/shadow-store.ts';
import type { AnsweredQuestion } from '../gate/admit-leg.ts';
import type { ControllerContext } from '../state/context.ts';
import type { Timers } from '../state/timers.ts';
import type { AccountPath, LegKey } from '../units/ids.ts';
import { createLaterWork } from './later-work.ts';
import type { RehearsalFigures } from './rehearsal.ts';
import { createShadowCounts, type ShadowEnd } from './shadow-counts.ts';
import {
  cutByCountDecision,
  cutByDecision,
  goneOnDecision,
  verdictDecision,
  wouldCostDecision,
  type EndedLeg,
} from './what-if-decisions.ts';
import { judgeCall, judgesFor, judgesOf, type Judge } from './what-if-judges.ts';

/** A call that others were always faster than is not judged. */
const TRIES_MAX = 60;
/** How late it may be seen that an allotment has run dry: what follows it counts from there all the same. */
const LOOK_MS = 5_000;
/** How often it is looked for what nobody told of: a controller that died. */
const REPAIR_EVERY = 6;

/** Limits that are asked nothing and tell what they would have said: shadow limits, and those of an account in a dry run. */
export type WhatIf = {
  /** Judges calls once they have their answer: no call waits for it, and nothing that holds is taken. */
  later(answered: readonly AnsweredQuestion[]): void;
  /** The same store, by which is noticed what becomes of legs. */
  noticing(store: LiveStore): LiveStore;
  /** What would have become of a leg that has ended: cut before, or charged. */
  atEnd(record: LegRecord, ended: EndedLeg): void;
  /** Accounts were read anew. */
  limitsChanged(): void;
  idle(): Promise<void>;
  stop(): Promise<void>;
};

export function createWhatIf(
  context: ControllerContext,
  parts: { readonly figures: RehearsalFigures; readonly shadows: ShadowStore; readonly timers: Timers },
): WhatIf {
  const { directory, log } = context;
  const { figures, shadows, timers } = parts;
  const work = createLaterWork(timers, (err) => log.warn({ err }, 'limits that only report not judged'));
  const counts = createShadowCounts(context, { store: shadows, figures });
  const turns = new Map<LegKey, Promise<void>>();
  let looks = 0;
  let isLooking = false;

  /** What is done for a leg is done in order: its answer may come before it was judged. */
  const inTurn = (legKey: LegKey, task: () => Promise<void>): void => {
    const before = turns.get(legKey);
    const mine = work.add(async () => {
      await before;
      await task();
    });
    turns.set(legKey, mine);
    void mine.then(() => {
      if (turns.get(legKey) === mine) turns.delete(legKey);
    });
  };

  const judge = async (judging: Judge, asked: AnsweredQuestion): Promise<void> => {
    const { path, countedAs } = judging;
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const said = await judgeCall(context, figures, judging, asked);
      const taken =
        countedAs === undefined ? 'done' : await counts.take({ path, countedAs }, asked, said.answer);
      if (taken === 'short') continue;
      context.record(verdictDecision(judging, asked, said));
      return;
    }
    throw new Error(`what the shadow limits of ${path} count changed too often`);
  };

  const recordCut = (judging: Judge, record: LegRecord, ended: EndedLeg, end?: ShadowEnd): void => {
    // What it would have cost is known where it was counted; else it is by what it really did.
    const payer =
      end === undefined ? pricesOf(record).find(({ account }) => account === judging.path) : undefined;
    const cap = tighterCap(capUnder(judging, payer), end?.cap);
    const empty = emptied(judging, ended, end);
    if (empty !== undefined && (cap === undefined || empty.seconds < cap.seconds)) {
      context.record(cutByCountDecision(judging, record, ended, empty));
    } else if (cap !== undefined && ended.billedSeconds > cap.seconds) {
      context.record(cutByDecision(judging, record, ended, cap));
    }
  };

  const endCounted = async (judging: Judge, record: LegRecord, ended: EndedLeg): Promise<void> => {
    const { path, countedAs } = judging;
    const end =
      countedAs === undefined ? undefined : await counts.settled({ path, countedAs }, record, ended);
    if (!ended.isAnswered) return;
    if (end !== undefined) {
      const goneOn = goneOnDecision(judging, record, ended, end);
      if (goneOn !== undefined) context.record(goneOn);
    }
    recordCut(judging, record, ended, end);
  };

  /** One look at a time, however long the store takes. */
  const look = async (): Promise<void> => {
    isLooking = true;
    try {
      await counts.follow();
      await counts.letGoOn();
      if (looks % REPAIR_EVERY === 0) await counts.repair();
      looks += 1;
    } finally {
      isLooking = false;
    }
  };

  const cancel = timers.every(LOOK_MS, () => {
    if (!isLooking) void work.add(look);
  });

  return {
    later(answered) {
      for (const asked of answered) {
        const { question, answer } = asked;
        if (answer.kind === 'admitted' && answer.replayed) continue;
        for (const judging of judgesFor(question)) inTurn(question.legKey, () => judge(judging, asked));
      }
    },
    noticing: (store) => ({
      ...store,
      async answer(record, answeredAt) {
        const outcome = await store.answer(record, answeredAt);
        if (outcome.kind === 'running' && counts.concerns(record))
          inTurn(record.legKey, () => counts.answered(record, answeredAt));
        return outcome;
      },
      async giveBack(slot, legKey, record, why) {
        await store.giveBack(slot, legKey, record, why);
        if (counts.concerns(record)) inTurn(legKey, () => counts.givenBack(record));
      },
    }),
    atEnd(record, ended) {
      if (record.decision === 'emergency') return;
      for (const judging of accountsOf(record, directory.accounts()).flatMap(judgesOf)) {
        if (judging.countedAs !== undefined) {
          inTurn(record.legKey, () => endCounted(judging, record, ended));
        } else if (ended.isAnswered) {
          recordCut(judging, record, ended);
        }
      }
      if (!ended.isAnswered) return;
      for (const part of record.dryRun ?? []) context.record(wouldCostDecision(record, part, ended));
    },
    limitsChanged: () => void work.add(() => counts.follow()),
    idle: () => work.idle(),
    async stop() {
      cancel();
      await work.idle();
    },
  };
}

/** Where what is counted beside what holds would have been used up; undefined: it would have lasted. */
function emptied({ kind, path }: Judge, ended: EndedLeg, end: ShadowEnd | undefined): WouldEnd | undefined {
  if (kind === 'dry_run') return ended.talked.wouldEnd?.get(path);
  if (end === undefined) return undefined;
  const { endedBy: pool, billedSeconds: seconds } = end.final;
  return pool === undefined || seconds >= ended.billedSeconds ? undefined : { pool, seconds };
}

/** What those who pay by the minute pay it by, and those in a dry run would. */
function pricesOf({ payers, dryRun = [] }: LegRecord): readonly PayerRecord[] {
  return [...payers, ...dryRun.flatMap((part) => (part.way === 'per_minute' ? [part.payer] : []))];
}

function accountsOf(
  { taken }: LegRecord,
  accounts: { node(path: AccountPath): AccountNode | undefined },
): readonly AccountNode[] {
  return taken.flatMap(({ counted }) =>
    counted.flatMap(({ holder }) => (holder.kind === 'account' ? (accounts.node(holder.path) ?? []) : [])),
  );
}
