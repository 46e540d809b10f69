import { decide, fundedTime, type FundedTime } from '../admission/decide.ts';
import { chosenParts, withFunded } from '../admission/funded.ts';
import type { LegRecord } from '../admission/leg-record.ts';
import type { HeldWallet, TakeRefusal } from '../admission/live-store.ts';
import type { Slot, SlotPlan } from '../admission/plan.ts';
import type { Question } from '../admission/question.ts';
import { explainTakeRefusal, type Refusal } from '../admission/refusal.ts';
import type { ControllerContext } from './context.ts';

export type Admitted =
  | {
      readonly kind: 'admitted';
      readonly record: LegRecord;
      readonly time: FundedTime;
      /** The same question was answered before: nothing was taken again. */
      readonly replayed: boolean;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/**
 * Decides one leg and takes what it needs, slot by slot in the order of ruling 19, its home first. A later slot's
 * refusal gives everything back, home last: as long as anything is taken anywhere, the home record says so, and a
 * resync after a crash gives it back (ruling 5). Rejects when the store cannot answer.
 */
export async function admitLeg(context: ControllerContext, question: Question): Promise<Admitted> {
  const { store, directory, policy } = context;
  const decided = decide(question, directory.tariffs(), policy);
  if (decided.kind === 'refused') return decided;
  const { plan, record } = decided;
  const home = await store.take(plan.home, record);
  if (home.kind === 'refused') return refused(question, home.refusal);
  if (home.kind === 'already') {
    const known = home.record ?? record;
    return { kind: 'admitted', record: known, time: fundedTime(known, []), replayed: true };
  }
  const taken = withFunded(record, chosenParts(plan.home, home.chosen ?? []));
  const refusal = await takeOthers(context, plan.others, taken, plan.home.slot);
  if (refusal !== undefined) return refused(question, refusal);
  return admitted({ ...taken, admittedAt: home.at }, home.wallets);
}

/** Gives back a leg that never ran, everywhere. Safe to repeat. */
export async function giveBackLeg(context: ControllerContext, record: LegRecord): Promise<void> {
  const [home, ...others] = homeFirst(record);
  for (const slot of others) await context.store.giveBack(slot, record.legKey, record);
  if (home !== undefined) await context.store.giveBack(home, record.legKey, record);
}

async function takeOthers(
  context: ControllerContext,
  others: readonly SlotPlan[],
  record: LegRecord,
  home: Slot,
): Promise<TakeRefusal | undefined> {
  const taken: Slot[] = [];
  for (const plan of others) {
    const outcome = await context.store.take(plan, undefined);
    if (outcome.kind === 'refused') {
      for (const slot of taken) await context.store.giveBack(slot, record.legKey, record);
      await context.store.giveBack(home, record.legKey, record);
      return outcome.refusal;
    }
    taken.push(plan.slot);
  }
  return undefined;
}

function admitted(record: LegRecord, wallets: readonly HeldWallet[]): Admitted {
  return { kind: 'admitted', record, time: fundedTime(record, wallets), replayed: false };
}

function refused(question: Question, refusal: TakeRefusal): Admitted {
  const called = new Set<string>(question.callee?.chain.map((node) => node.path));
  for (const node of question.caller?.chain ?? []) called.delete(node.path);
  return { kind: 'refused', refusal: explainTakeRefusal(refusal, (holder) => called.has(holder)) };
}

function homeFirst(record: LegRecord): readonly Slot[] {
  const root = record.account.split('/')[0];
  const slots = record.taken.map((taken) => taken.slot);
  const home = slots.filter((slot) => slot.kind === 'root' && slot.root === root);
  return [...home, ...slots.filter((slot) => !home.includes(slot))];
}
