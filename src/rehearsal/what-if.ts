import type { AccountNode } from '../accounts/account-tree.ts';
import { capUnder } from '../admission/cap.ts';
import type { LegRecord, PayerRecord } from '../admission/leg-record.ts';
import type { AnsweredQuestion } from '../gate/admit-leg.ts';
import type { ControllerContext } from '../state/context.ts';
import type { Timers } from '../state/timers.ts';
import type { AccountPath } from '../units/ids.ts';
import { createLaterWork } from './later-work.ts';
import type { RehearsalFigures } from './rehearsal.ts';
import {
  cutByCountDecision,
  cutByDecision,
  verdictDecision,
  wouldCostDecision,
  type EndedLeg,
} from './what-if-decisions.ts';
import { judgeCall, judgesFor, judgesOf, type Judge } from './what-if-judges.ts';

/** Limits that are asked nothing and tell what they would have said: shadow limits, and those of an account in a dry run. */
export type WhatIf = {
  /** Judges calls once they have their answer: no call waits for it, and nothing is taken. */
  later(answered: readonly AnsweredQuestion[]): void;
  /** What would have become of a leg that has ended: cut before, or charged. */
  atEnd(record: LegRecord, ended: EndedLeg): void;
  idle(): Promise<void>;
};

export function createWhatIf(
  context: ControllerContext,
  parts: { readonly figures: RehearsalFigures; readonly timers: Timers },
): WhatIf {
  const { directory, log } = context;
  const work = createLaterWork(parts.timers, (err) =>
    log.warn({ err }, 'limits that only report not judged'),
  );

  const judge = async (judging: Judge, asked: AnsweredQuestion): Promise<void> => {
    context.record(verdictDecision(judging, asked, await judgeCall(context, parts.figures, judging, asked)));
  };

  return {
    later(answered) {
      for (const asked of answered) {
        const { question, answer } = asked;
        if (answer.kind === 'admitted' && answer.replayed) continue;
        for (const judging of judgesFor(question)) work.add(() => judge(judging, asked));
      }
    },
    atEnd(record, ended) {
      if (record.decision === 'emergency') return;
      for (const judging of accountsOf(record, directory.accounts()).flatMap(judgesOf)) {
        const payer = pricesOf(record).find(({ account }) => account === judging.path);
        const cap = capUnder(judging, payer);
        const end = judging.kind === 'dry_run' ? ended.talked.wouldEnd?.get(judging.path) : undefined;
        if (end !== undefined && (cap === undefined || end.seconds < cap.seconds))
          context.record(cutByCountDecision(judging, record, ended, end));
        else if (cap !== undefined && ended.billedSeconds > cap.seconds)
          context.record(cutByDecision(judging, record, ended, cap));
      }
      for (const part of record.dryRun ?? []) context.record(wouldCostDecision(record, part, ended));
    },
    idle: () => work.idle(),
  };
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
