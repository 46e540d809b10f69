import type { AccountNode, PayingAccount } from '../accounts/account-tree.ts';
import type { EffectiveLimits } from '../accounts/limits.ts';
import { capUnder } from '../admission/cap.ts';
import type { LegRecord } from '../admission/leg-record.ts';
import type { LiveStore, WalletOpening } from '../admission/live-store.ts';
import { holderName, type HolderUse } from '../admission/plan.ts';
import type { Question } from '../admission/question.ts';
import type { AccountPath, LegKey, PoolId } from '../units/ids.ts';
import type { ControllerContext } from './context.ts';
import { createLaterWork } from './later-work.ts';
import { rehearseQuestion, type RehearsalFigures } from './rehearsal.ts';
import type { Timers } from './timers.ts';
import { walletSettingsOf } from './wallet-settings.ts';
import {
  cutByDecision,
  verdictDecision,
  wouldCostDecision,
  type AnsweredQuestion,
  type EndedLeg,
} from './what-if-decisions.ts';

/** Limits that are asked nothing and tell what they would have said: shadow limits, and those of an account in a dry run. */
export type WhatIf = {
  /** Judges calls once they have their answer: no call waits for it, and nothing is taken. */
  later(answered: readonly AnsweredQuestion[]): void;
  /** What would have become of a leg that has ended: cut before, or charged. */
  atEnd(record: LegRecord, ended: EndedLeg): void;
  idle(): Promise<void>;
};

/** An account of a chain whose limits are judged. */
type Judge = {
  readonly kind: 'shadow' | 'dry_run';
  readonly path: AccountPath;
  /** As if they held. */
  readonly limits: EffectiveLimits;
  readonly paying: readonly PayingAccount[];
};

export function createWhatIf(
  context: ControllerContext,
  parts: { readonly figures: RehearsalFigures; readonly timers: Timers },
): WhatIf {
  const { directory, log } = context;
  const work = createLaterWork(parts.timers, (err) =>
    log.warn({ err }, 'limits that only report not judged'),
  );

  const judge = async (judging: Judge, { question, answer }: AnsweredQuestion): Promise<void> => {
    const seen = answer.why?.seen ?? [];
    const own = answer.kind === 'admitted' ? answer.record : undefined;
    const { policy } = context;
    const rehearsal = await rehearseQuestion(
      // Who pays besides is not the account's to answer for.
      {
        ...context,
        policy: { ...policy, unfunded: 'allow' },
        store: storeWithout(context.store, own, judging, seen),
      },
      figuresFor(parts.figures, judging),
      questionTo(judging, question),
      seen,
    );
    context.record(verdictDecision(judging, { question, answer }, rehearsal));
  };

  return {
    later(answered) {
      for (const asked of answered) {
        const { question, answer } = asked;
        if (question.emergency || (answer.kind === 'admitted' && answer.replayed)) continue;
        const nodes = new Map(
          [...(question.caller?.chain ?? []), ...(question.callee?.chain ?? [])].map((node) => [
            node.path,
            node,
          ]),
        );
        for (const judging of [...nodes.values()].flatMap(judgesOf)) work.add(() => judge(judging, asked));
      }
    },
    atEnd(record, ended) {
      if (record.decision === 'emergency') return;
      for (const judging of accountsOf(record, directory.accounts()).flatMap(judgesOf)) {
        const payer = record.payers.find(({ account }) => account === judging.path);
        const cap = capUnder(judging, payer);
        if (cap !== undefined && ended.billedSeconds > cap.seconds)
          context.record(cutByDecision(judging, record, ended, cap));
      }
      for (const payer of record.dryRun ?? []) context.record(wouldCostDecision(record, payer, ended));
    },
    idle: () => work.idle(),
  };
}

function accountsOf(
  { taken }: LegRecord,
  accounts: { node(path: AccountPath): AccountNode | undefined },
): readonly AccountNode[] {
  return taken.flatMap(({ counted }) =>
    counted.flatMap(({ holder }) => (holder.kind === 'account' ? (accounts.node(holder.path) ?? []) : [])),
  );
}

function judgesOf({ path, limits, paying, shadow }: AccountNode): readonly Judge[] {
  const own = paying.filter((each) => each.path === path);
  const isDryRun = limits.enabled && limits.enforcement === 'dry_run';
  return [
    ...(isDryRun ? [{ kind: 'dry_run', path, limits: holding(limits), paying: own } as const] : []),
    ...(shadow === undefined
      ? []
      : [{ kind: 'shadow', path, limits: holding(shadow.limits), paying: shadow.paying } as const]),
  ];
}

function holding(limits: EffectiveLimits): EffectiveLimits {
  return {
    ...limits,
    enabled: true,
    enforcement: 'enforce',
    softLimitInbound: false,
    softLimitOutbound: false,
  };
}

/** The same question, to that account alone: nobody else refuses, and nobody else pays. */
function questionTo({ path, limits, paying }: Judge, question: Question): Question {
  const freed = (of: EffectiveLimits): EffectiveLimits => ({ ...of, enabled: false });
  const alone = (node: AccountNode | undefined): AccountNode | undefined => {
    if (node === undefined) return undefined;
    const { customer: _, ...kept } = node;
    const limitsOf = (each: AccountNode): EffectiveLimits =>
      each.path === path ? limits : freed(each.limits);
    const others = node.paying.filter((each) => each.path !== path);
    const isIn = node.chain.some((each) => each.path === path);
    return {
      ...kept,
      limits: limitsOf(node),
      chain: node.chain.map((each) => ({ ...each, limits: limitsOf(each) })),
      paying: [
        ...others.map((each) => ({ ...each, limits: freed(each.limits) })),
        ...(isIn ? paying.map((each) => ({ ...each, limits })) : []),
      ],
    };
  };
  return {
    ...question,
    caller: alone(question.caller),
    callee: alone(question.callee),
    routes: question.routes.map(({ name }) => ({ name, node: undefined })),
  };
}

/** The live state as the leg found it: what it has taken itself stands in nobody's way. */
function storeWithout(
  store: LiveStore,
  own: LegRecord | undefined,
  judging: Judge,
  seen: readonly HolderUse[],
): LiveStore {
  return {
    ...store,
    async usage(holder) {
      const known = seen.find((each) => holderName(each.holder) === holderName(holder));
      return known?.before ?? (await store.usage(holder));
    },
    async readWallet(pool) {
      const view = await store.readWallet(pool);
      return view && { ...view, ...creditOf(judging, pool), legs: withoutLeg(view.legs, own?.legKey) };
    },
  };
}

function figuresFor(figures: RehearsalFigures, judging: Judge): RehearsalFigures {
  return {
    ...figures,
    async loadWallet(pool): Promise<WalletOpening | undefined> {
      const opening = await figures.loadWallet(pool);
      return opening && { ...opening, ...creditOf(judging, pool) };
    },
  };
}

/** How far below zero its wallet might go. */
function creditOf(judging: Judge, pool: PoolId): Partial<Pick<WalletOpening, 'credit'>> {
  return pool === judging.path ? { credit: walletSettingsOf(judging).credit } : {};
}

function withoutLeg<Leg extends { readonly legKey: LegKey }>(
  legs: readonly Leg[],
  own: LegKey | undefined,
): readonly Leg[] {
  return legs.filter(({ legKey }) => legKey !== own);
}
