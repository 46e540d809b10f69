import { decide, fundedTime, type Decided, type FundedTime } from '../admission/decide.ts';
import { chosenParts, withFunded } from '../admission/funded.ts';
import type { LegRecord, PayerRecord } from '../admission/leg-record.ts';
import { levelUses, trunksSeen, type LevelUse, type TrunksSeen } from '../admission/level-uses.ts';
import type { HeldWallet, TakeOutcome, TakeRefusal } from '../admission/live-store.ts';
import type { HolderUse, Slot, SlotPlan } from '../admission/plan.ts';
import { calledSideOf, softAccount, type Question } from '../admission/question.ts';
import { explainTakeRefusal, type Refusal } from '../admission/refusal.ts';
import { isDryPool } from '../credit/pools.ts';
import { heldAmount } from '../credit/wallet.ts';
import type { ControllerContext } from '../state/context.ts';
import { assert } from '../units/assert.ts';
import type { AccountPath, PoolId } from '../units/ids.ts';
import type { Micros } from '../units/money.ts';

export type Admitted =
  | {
      readonly kind: 'admitted';
      readonly record: LegRecord;
      readonly time: FundedTime;
      readonly why: AdmissionWhy;
      /** The same question was answered before: nothing was taken again. */
      readonly replayed: boolean;
    }
  /** `why` is of questions that came as far as the limits. */
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly why?: AdmissionWhy };

/** One question to a gate and its answer. */
export type AnsweredQuestion = { readonly question: Question; readonly answer: Admitted };

/** What a decision says besides its record. */
export type AdmissionWhy = {
  /** What the number is called. */
  readonly classification: string;
  /** What the accounts whose limits are soft would have refused it for. */
  readonly softened: readonly Refusal[];
  /** Why a payer does not pay in a way that its order puts first, in words. */
  readonly passedOver: readonly string[];
  /** What all holders that were asked had in use just before. */
  readonly seen: readonly HolderUse[];
  /** The same of every account, route and number, with what bounds it. */
  readonly limits: readonly LevelUse[];
  readonly trunks: readonly TrunksSeen[];
  /** Of a leg that was refused: who was to pay per minute, and by which rates. Of others the record has it. */
  readonly payers: readonly PayerRecord[];
  /** What it holds of wallets, allotments and spend windows, and what there was. */
  readonly pools: readonly PoolFigures[];
};

export type PoolFigures = {
  readonly pool: PoolId;
  readonly needed: Micros;
  /** At least so much was free of holds and commitments, postpay included. */
  readonly available: Micros;
  readonly balance: Micros;
};

/**
 * Decides one leg and takes what it needs, slot by slot in the order of ruling 19, its home first. A later slot's
 * refusal gives everything back, home last: as long as anything is taken anywhere, the home record says so, and a
 * resync after a crash gives it back (ruling 5). Rejects when the store cannot answer.
 *
 * Where an account refuses it and has a soft limit for its direction, it is decided anew without the bounds of that
 * account; its ancestors still enforce theirs. Nothing was taken by then: every refusal takes nothing.
 */
export async function admitLeg(context: ControllerContext, question: Question): Promise<Admitted> {
  const softened = new Map<AccountPath, Refusal>();
  for (;;) {
    const answer = await admitOnce(context, { ...question, soft: new Set(softened.keys()) });
    const why = { ...(answer.why ?? nothingSeen(question)), softened: [...softened.values()] };
    if (answer.kind === 'admitted') return { ...answer, why };
    const soft = softAccount(question, answer.refusal.holder);
    if (soft === undefined || softened.has(soft)) return { ...answer, why };
    softened.set(soft, answer.refusal);
  }
}

async function admitOnce(context: ControllerContext, question: Question): Promise<Admitted> {
  const { store, directory, policy } = context;
  const decided = decide(question, directory.tariffs(), policy);
  if (decided.kind === 'refused') return decided;
  const { plan, record } = decided;
  const home = await store.take(plan.home, record);
  if (home.kind === 'refused') return refused(question, home, decided);
  if (home.kind === 'already') {
    const known = home.record ?? record;
    const why = nothingSeen(question);
    return { kind: 'admitted', record: known, time: fundedTime(known, []), why, replayed: true };
  }
  const chosen = home.chosen ?? [];
  const taken = withFunded(record, chosenParts(plan.home, chosen));
  const others = await takeOthers(context, plan.others, taken, plan.home.slot);
  const uses = [...home.uses, ...others.uses];
  if (others.refusal !== undefined) return refused(question, { refusal: others.refusal, uses }, decided);
  const full = { ...taken, admittedAt: home.at };
  const why = {
    ...nothingSeen(question),
    passedOver: [...passedOver(plan.home, chosen), ...decided.passedOver],
    seen: uses,
    limits: levelUses(plan, uses),
    trunks: trunksSeen(plan.home, chosen, uses),
    pools: poolFigures(plan.home, home.wallets, chosen),
  };
  return { kind: 'admitted', record: full, time: fundedTime(full, home.wallets), why, replayed: false };
}

function nothingSeen({ classification }: Question): AdmissionWhy {
  return {
    classification,
    softened: [],
    passedOver: [],
    seen: [],
    limits: [],
    trunks: [],
    payers: [],
    pools: [],
  };
}

/** In the order in which the store tells of wallets: those of a payer's only way, then those of the ways taken. */
function poolFigures(
  { legKey, holds, firstOf }: SlotPlan,
  wallets: readonly HeldWallet[],
  chosen: readonly number[],
): readonly PoolFigures[] {
  const ways = firstOf.flatMap(({ options }, payer) => options[chosen[payer] ?? 0]?.take ?? []);
  const taken = [...holds, ...ways.flatMap((take) => (take.kind === 'holds' ? take.holds : []))];
  return wallets.flatMap(({ wallet: pool, availableAtLeast: available, balance }, index) => {
    const hold = taken[index];
    if (hold === undefined || isDryPool(pool)) return [];
    const { terms, amount } = hold;
    const needed = heldAmount({ legKey, terms, state: { kind: 'held', ...(amount && { amount }) } });
    return [{ pool, needed, available, balance }];
  });
}

/** Gives back a leg that nobody answered, everywhere. Safe to repeat. */
export async function giveBackLeg(context: ControllerContext, record: LegRecord): Promise<void> {
  const [home, ...others] = homeFirst(record);
  for (const slot of others) await context.store.giveBack(slot, record.legKey, record, 'unanswered');
  if (home !== undefined) await context.store.giveBack(home, record.legKey, record, 'unanswered');
}

async function takeOthers(
  context: ControllerContext,
  others: readonly SlotPlan[],
  record: LegRecord,
  home: Slot,
): Promise<{ readonly refusal: TakeRefusal | undefined; readonly uses: readonly HolderUse[] }> {
  const taken: Slot[] = [];
  const uses: HolderUse[] = [];
  for (const plan of others) {
    const outcome = await context.store.count(plan);
    if (outcome.kind !== 'already') uses.push(...(outcome.uses ?? []));
    if (outcome.kind === 'refused') {
      for (const slot of taken) await context.store.giveBack(slot, record.legKey, record, 'refused');
      await context.store.giveBack(home, record.legKey, record, 'refused');
      return { refusal: outcome.refusal, uses };
    }
    taken.push(plan.slot);
  }
  return { refusal: undefined, uses };
}

function refused(
  question: Question,
  { refusal, besides = [], uses = [] }: Omit<Extract<TakeOutcome, { readonly kind: 'refused' }>, 'kind'>,
  { plan, record }: Extract<Decided, { readonly kind: 'plan' }>,
): Admitted {
  const { firstOf } = plan.home;
  const onCalledSide = calledSideOf(question);
  const [main, ...others] = [refusal, ...besides].map((each) => explainTakeRefusal(each, onCalledSide));
  assert(main !== undefined, 'a refusal has words');
  const isOfMoney = refusal.kind === 'credit' || refusal.kind === 'trunk';
  const known = firstOf.find(({ payer }) => isOfMoney && payer === main.holder)?.others ?? [];
  const words = [...new Set([main.words, ...others.map((other) => other.words), ...known])].join('; ');
  const payers = [...record.payers, ...perMinutePayers(plan.home)];
  const why = { ...nothingSeen(question), seen: uses, limits: levelUses(plan, uses), payers };
  return { kind: 'refused', refusal: { ...main, words }, why };
}

/** Those of several ways of whom one is per minute. */
function perMinutePayers({ firstOf }: SlotPlan): readonly PayerRecord[] {
  const paying = firstOf.filter(({ isDryRun }) => isDryRun !== true);
  return paying.flatMap(({ options }) =>
    options.flatMap(({ part }) => (part?.way === 'per_minute' ? [part.payer] : [])),
  );
}

function passedOver({ firstOf }: SlotPlan, chosen: readonly number[]): readonly string[] {
  const asked = firstOf.map((first, index) => ({ ...first, index }));
  const paying = asked.filter(({ isDryRun }) => isDryRun !== true);
  return paying.flatMap(({ payer, options, others, index }) => [
    ...options.slice(0, chosen[index]).map(({ take, part }) => {
      if (part?.way === 'allotment')
        return `the allotment ${part.allotment.name} of ${payer} had too little left`;
      if (take?.kind === 'holds') return `${payer} could not pay per minute`;
      return `${payer} had no ${part?.way === 'flat_rate_burst' ? 'burst ' : ''}trunk free`;
    }),
    ...others,
  ]);
}

function homeFirst(record: LegRecord): readonly Slot[] {
  const root = record.account.split('/')[0];
  const slots = record.taken.map((taken) => taken.slot);
  const home = slots.filter((slot) => slot.kind === 'root' && slot.root === root);
  return [...home, ...slots.filter((slot) => !home.includes(slot))];
}
