import type { AccountLookup } from '../accounts/account-tree.ts';
import type { RatingBooks } from '../charging/finished-call.ts';
import { itemOf, REMARKS_MAX, type LegRemark, type RerateOutcome } from '../charging/plan-rerate.ts';
import type { RerateFilter, RerateItem } from '../charging/rerate-run.ts';
import { freeCharge } from '../charging/rerate-step.ts';
import type { NewRun, RerateStore } from '../charging/rerate-store.ts';
import type { Charge } from '../records/records.ts';
import { customerOf, isWithin, type AccountPath, type LegUuid } from '../units/ids.ts';
import { createReplay } from './replay.ts';
import type { ReplayCut, ReplayedCall, ReplayOutcome } from './replayed-call.ts';
import { warmUpFrom } from './warm-up.ts';

/** So many differences are written at once. */
const ITEMS_AT_ONCE = 500;

export type ReplayBooks = RatingBooks & { readonly accounts: AccountLookup };

/** From where on calls are read, so that what is in use when a run begins is known. */
export function replayedFrom({ accounts }: ReplayBooks, { from }: RerateFilter): RerateFilter['from'] {
  return warmUpFrom(accounts, from);
}

/**
 * Works out who would pay for the calls of a run in which way, were they asked again one after the other, and writes
 * down what differs. Those that the run leaves alone, before it and besides, draw on what they were charged by: what
 * stands has been used.
 */
export async function planReplayed(
  run: NewRun,
  books: ReplayBooks,
  store: Pick<RerateStore, 'chargedCalls' | 'addItems'>,
  onCalls: (calls: number) => void,
): Promise<RerateOutcome> {
  const { filter } = run;
  const replay = createReplay(books, 'as_talked');
  const running = new Map<LegUuid, readonly Charge[]>();
  const remarks: Record<'refused' | 'cut' | 'unrated', LegRemark[]> = { refused: [], cut: [], unrated: [] };
  const counts = { calls: 0, items: 0, unrated: 0, refused: 0, cut: 0 };
  let items: RerateItem[] = [];

  const remark = (kind: keyof typeof remarks, { legUuid }: ReplayedCall, words: string): void => {
    counts[kind] += 1;
    if (remarks[kind].length < REMARKS_MAX) remarks[kind].push({ legUuid, words });
  };
  const write = async (atLeast: number): Promise<void> => {
    if (items.length < atLeast) return;
    await store.addItems(run, items);
    items = [];
  };
  const judge = (outcomes: readonly ReplayOutcome[]): void => {
    for (const outcome of outcomes) {
      const { call } = outcome;
      const before = running.get(call.legUuid);
      running.delete(call.legUuid);
      if (before === undefined) continue;
      if (outcome.kind !== 'admitted') {
        if (outcome.refusal !== undefined)
          remark('unrated', call, `${outcome.refusal.words}; its charges stay as they are`);
        continue;
      }
      const { refusal, cut } = outcome;
      if (refusal !== undefined) remark('refused', call, `would have been refused: ${refusal.words}`);
      if (cut !== undefined) remark('cut', call, cutWords(cut));
      const changed = itemsOf(call, before, outcome.charges);
      items.push(...changed);
      counts.items += changed.length;
    }
  };

  let read = 0;
  for await (const page of store.chargedCalls({ from: replayedFrom(books, filter), to: filter.to })) {
    for (const { call, charges } of page) {
      if (isOfRun(call, filter)) {
        counts.calls += 1;
        running.set(call.legUuid, charges);
        judge(replay.admit(call, charges));
      } else judge(replay.stand(call, charges));
    }
    read += page.length;
    onCalls(read);
    await write(ITEMS_AT_ONCE);
  }
  judge(replay.finish());
  await write(1);
  return { ...counts, remarks: [...remarks.refused, ...remarks.cut, ...remarks.unrated] };
}

function isOfRun({ account, destination, admittedAt }: ReplayedCall, filter: RerateFilter): boolean {
  const { from, account: above, prefix = '' } = filter;
  if (admittedAt < from || !destination.startsWith(prefix)) return false;
  return above === undefined || isWithin(account, above);
}

/** One for each payer that pays otherwise. What came with its own price has no other. */
function itemsOf(
  call: ReplayedCall,
  before: readonly Charge[],
  after: readonly Charge[],
): readonly RerateItem[] {
  const payers = new Set([...before, ...after].map(({ payer }) => payer));
  return [...payers].flatMap((payer) => {
    if (customerOf(payer) !== undefined) return [];
    const [was, now] = [chargesOf(before, payer), chargesOf(after, payer)];
    if (areAlike(was, now)) return [];
    const [first] = was;
    const free = first === undefined ? [] : [freeCharge(first, call.billedSeconds)];
    return itemOf(call, payer, was, now.length === 0 ? free : now);
  });
}

function chargesOf(charges: readonly Charge[], payer: AccountPath): readonly Charge[] {
  return charges.filter((charge) => charge.payer === payer);
}

/** The same by a later version of a tariff that says the same is no difference, nor is one of nothing and none. */
function areAlike(was: readonly Charge[], now: readonly Charge[]): boolean {
  if (now.length === 0) return was.every(({ way }) => way === 'free');
  return was.length === now.length && was.every((charge, index) => isAlike(charge, now[index]));
}

function isAlike(was: Charge, now: Charge | undefined): boolean {
  if (now === undefined || was.way !== now.way || was.segment !== now.segment) return false;
  if (was.billedSeconds !== now.billedSeconds || was.price !== now.price) return false;
  // Another number of seconds for the same price is the same to who pays in money, and not to an allotment.
  if (was.way !== 'allotment' || now.way !== 'allotment') return true;
  return was.allotment === now.allotment && was.chargedSeconds === now.chargedSeconds;
}

function cutWords({ paidSeconds, by }: ReplayCut): string {
  const what = 'pool' in by ? `${by.pool} had no more` : `${by.cap.account} allows no longer a call`;
  return `would have been cut after ${paidSeconds} s: ${what}`;
}
