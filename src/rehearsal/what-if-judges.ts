import type { AccountNode, PayingAccount } from '../accounts/account-tree.ts';
import type { EffectiveLimits } from '../accounts/limits.ts';
import type { LegRecord } from '../admission/leg-record.ts';
import type { LiveStore, WalletOpening } from '../admission/live-store.ts';
import { holderName, type Holder, type HolderUse } from '../admission/plan.ts';
import type { Question } from '../admission/question.ts';
import { dryPoolOf, meaningOf, shadowPoolOf } from '../credit/pools.ts';
import type { AnsweredQuestion } from '../gate/admit-leg.ts';
import type { ControllerContext } from '../state/context.ts';
import { walletSettingsOf } from '../state/wallet-settings.ts';
import { accountOf, ADHOC_ROOT, type AccountPath, type LegKey, type PoolId } from '../units/ids.ts';
import { rehearseQuestion, type Judgement, type RehearsalFigures } from './rehearsal.ts';

/** An account of a chain whose limits are judged. */
export type Judge = {
  readonly kind: 'shadow' | 'dry_run';
  readonly path: AccountPath;
  /** As if they held. */
  readonly limits: EffectiveLimits;
  readonly paying: readonly PayingAccount[];
  /** What it counts for itself is counted by this name. */
  readonly countedAs?: string | undefined;
};

/** Of both chains, each once; above customers of no account is nobody. Nobody judges somebody in need. */
export function judgesFor({ caller, callee, emergency }: Question): readonly Judge[] {
  if (emergency) return [];
  const chains = [...(caller?.chain ?? []), ...(callee?.chain ?? [])];
  const judges = new Map(chains.map((node) => [node.path, node]));
  judges.delete(ADHOC_ROOT);
  return [...judges.values()].flatMap(judgesOf);
}

/** What they would have said of a call, by what was in use when it was asked for. Takes nothing. */
export async function judgeCall(
  context: ControllerContext,
  figures: RehearsalFigures,
  judging: Judge,
  { question, answer }: AnsweredQuestion,
): Promise<Judgement> {
  const seen = answer.why?.seen ?? [];
  const own = answer.kind === 'admitted' ? answer.record : undefined;
  const { policy } = context;
  return await rehearseQuestion(
    // Who pays besides is not the account's to answer for.
    {
      ...context,
      policy: { ...policy, unfunded: 'allow' },
      store: storeWithout(context.store, own, judging, seen),
    },
    figuresFor(figures, judging),
    questionTo(judging, question),
    seen,
  );
}

export function judgesOf({ path, limits, paying, shadow }: AccountNode): readonly Judge[] {
  const own = paying.filter((each) => each.path === path);
  const isDryRun = limits.enabled && limits.enforcement === 'dry_run';
  return [
    ...(isDryRun ? [{ kind: 'dry_run', path, limits: holding(limits), paying: own } as const] : []),
    ...(shadow === undefined
      ? []
      : [{ ...shadow, kind: 'shadow', path, limits: holding(shadow.limits) } as const]),
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
    const { customer, ...stored } = node;
    const kept = { ...stored, ...(customer !== undefined && node.path === path ? { customer } : {}) };
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
    async usage(asked) {
      const holder = countedIn(judging, asked);
      const known = seen.find((each) => holderName(each.holder) === holderName(holder));
      return known?.before ?? (await store.usage(holder));
    },
    async readWallet(pool) {
      const view = await store.readWallet(drawnOn(judging, pool));
      return view && { ...view, ...creditOf(judging, pool), legs: withoutLeg(view.legs, own?.legKey) };
    },
  };
}

function figuresFor(figures: RehearsalFigures, judging: Judge): RehearsalFigures {
  return {
    ...figures,
    async loadWallet(pool): Promise<WalletOpening | undefined> {
      const opening = await figures.loadWallet(drawnOn(judging, pool));
      return opening && { ...opening, ...creditOf(judging, pool) };
    },
    refillRules: (pool) => figures.refillRules(drawnOn(judging, pool)),
  };
}

/** Nor is it on any trunk. */
function countedIn({ kind, path }: Judge, holder: Holder): Holder {
  const isItsOwn = kind === 'dry_run' && holder.kind === 'trunks' && holder.path === path;
  return isItsOwn ? { ...holder, isDryRun: true } : holder;
}

/** An account in a dry run draws on no allotment and no spend window itself, nor do shadow limits that count: each counts what it would. */
function drawnOn({ kind, path, countedAs }: Judge, pool: PoolId): PoolId {
  const meaning = meaningOf(pool).kind;
  if (accountOf(pool) !== path || (meaning !== 'allotment' && meaning !== 'spend')) return pool;
  if (kind === 'dry_run') return dryPoolOf(pool);
  return countedAs === undefined ? pool : shadowPoolOf(pool, countedAs);
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
