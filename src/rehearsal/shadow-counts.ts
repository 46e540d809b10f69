import type { AccountLookup } from '../accounts/account-tree.ts';
import { capInTheEnd } from '../admission/cap.ts';
import { poolsOfLeg } from '../admission/leg-pools.ts';
import type { LegCap, LegRecord } from '../admission/leg-record.ts';
import type { CloseSettlement } from '../admission/live-store.ts';
import { splitRecord } from '../admission/rate-split.ts';
import type { ShadowStore } from '../admission/shadow-store.ts';
import { shadowCounting, shadowPoolsOf } from '../credit/pools.ts';
import type { AnsweredQuestion } from '../gate/admit-leg.ts';
import type { ControllerContext } from '../state/context.ts';
import { assert } from '../units/assert.ts';
import {
  accountOf,
  realLegKey,
  rootOf,
  shadowLegKey,
  type AccountPath,
  type LegKey,
  type PoolId,
} from '../units/ids.ts';
import { ZERO_MICROS, type Micros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';
import type { RehearsalFigures } from './rehearsal.ts';
import { shadowLegOf, type Counting } from './shadow-leg.ts';
import type { EndedLeg } from './what-if-decisions.ts';

/** How a call would have ended by what shadow limits count. */
export type ShadowEnd = {
  readonly record: LegRecord;
  readonly final: Omit<Parameters<CloseSettlement>[0], 'at'>;
  /** The longest that it could last by the limits of its admission. */
  readonly cap: LegCap | undefined;
};

/** What shadow documents count for themselves: allotments and spend windows, as if only they held. */
export type ShadowCounts = {
  /** Draws what a call would have been admitted by. `short`: others have drawn since it was judged. */
  take(
    counting: Counting,
    asked: AnsweredQuestion,
    said: AnsweredQuestion['answer'],
  ): Promise<'done' | 'short'>;
  answered(record: LegRecord, at: EpochMs): Promise<void>;
  /** Undefined: nothing was drawn for it. */
  settled(counting: Counting, record: LegRecord, ended: EndedLeg): Promise<ShadowEnd | undefined>;
  givenBack(record: LegRecord): Promise<void>;
  /** Whether a leg is of an account whose shadow limits count. */
  concerns(record: LegRecord): boolean;
  /** Accounts may have changed: what is counted by no document any more is forgotten, and changed amounts hold. */
  follow(): Promise<void>;
  /** Legs whose allotment has run dry go on by what is spent. */
  letGoOn(): Promise<void>;
  /** Brings legs up to what has become of the calls that they are of, where nobody was there to tell. */
  repair(): Promise<void>;
};

type EndedThere = { readonly legKey: LegKey; readonly endsAt: EpochMs; readonly pool: PoolId };

export function createShadowCounts(
  context: ControllerContext,
  { store, figures }: { readonly store: ShadowStore; readonly figures: RehearsalFigures },
): ShadowCounts {
  const { directory, policy } = context;
  /** What was followed last, and what it counts. */
  let known:
    | { readonly accounts: AccountLookup; readonly counted: ReadonlyMap<AccountPath, string> }
    | undefined;
  let followed: typeof known;
  const amounts = new Map<PoolId, Micros>();
  /** Whose call was not there at the last look. */
  let orphans: ReadonlySet<LegKey> = new Set();

  const counted = (): ReadonlyMap<AccountPath, string> => {
    const accounts = directory.accounts();
    if (known?.accounts !== accounts) known = { accounts, counted: countedIn(accounts) };
    return known.counted;
  };

  const isCurrent = (pool: PoolId): boolean => counted().get(accountOf(pool)) === shadowCounting(pool);

  const countingOf = ({ taken }: LegRecord): readonly AccountPath[] => {
    const all = counted();
    if (all.size === 0) return [];
    const holders = taken.flatMap(({ counted: held }) => held.map(({ holder }) => holder));
    return holders.flatMap((holder) =>
      holder.kind === 'account' && all.has(holder.path) ? [holder.path] : [],
    );
  };

  const find = async (path: AccountPath, legKey: LegKey): Promise<LegRecord | undefined> =>
    (await store.find(rootOf(path), shadowLegKey(legKey, path)))?.record;

  const giveBack = async (record: LegRecord): Promise<void> => {
    const [home] = record.taken;
    if (home !== undefined) await store.giveBack(home.slot, record.legKey, record, 'unanswered');
  };

  const split = (record: LegRecord, answeredAt: EpochMs): LegRecord =>
    policy.periods === 'split' ? splitRecord(record, answeredAt, directory.tariffs()) : record;

  const answer = async (record: LegRecord, at: EpochMs): Promise<void> => {
    await store.answer(split(record, at), at);
  };

  const roots = (): readonly AccountPath[] => [...new Set([...counted().keys()].map(rootOf))];

  /** The first to end first: of the last that may be spent, it would have been the first to take. */
  const endedBelow = async (root: AccountPath): Promise<readonly EndedThere[]> => {
    const found: EndedThere[] = [];
    for (const { account: pool } of await store.dueWallets(root, store.now())) {
      const { ended } = await store.evaluate(pool);
      found.push(...ended.map((leg) => ({ ...leg, pool })));
    }
    return found.toSorted((one, other) => one.endsAt - other.endsAt || (one.legKey < other.legKey ? -1 : 1));
  };

  const configure = async (): Promise<void> => {
    const { nodes } = directory.accounts();
    for (const pool of nodes.flatMap(({ path, shadow }) => (shadow ? shadowPoolsOf(path, shadow) : []))) {
      const refillAmount = figures.refillRules(pool)?.cycleAt(store.now()).amount;
      if (refillAmount === undefined || amounts.get(pool) === refillAmount) continue;
      await store.configureWallet(pool, { credit: ZERO_MICROS, policy: 'unpaid', refillAmount });
      amounts.set(pool, refillAmount);
    }
  };

  const forget = async (): Promise<void> => {
    for (const pool of await store.pools()) {
      if (isCurrent(pool)) continue;
      await store.forget(pool);
      amounts.delete(pool);
    }
    for (const root of directory.accounts().roots) {
      for (const record of await store.liveLegs(root)) {
        if (!poolsOfLeg(record).every(({ pool }) => isCurrent(pool))) await giveBack(record);
      }
    }
  };

  return {
    async take(counting, { answer: really }, said) {
      if (really.kind !== 'admitted' || said.kind !== 'admitted') return 'done';
      const leg = shadowLegOf(counting, said);
      if (leg === undefined) return 'done';
      const { plan, record } = leg;
      assert(
        poolsOfLeg(record).every(({ pool }) => shadowCounting(pool) === counting.countedAs),
        'what only reports draws on nothing that holds',
      );
      const taken = await store.take(plan, record);
      if (taken.kind === 'refused') return 'short';
      // Where another controller hears of the call, it may have looked for this before it was there.
      const live = await context.store.find(rootOf(really.record.account), really.record.legKey);
      if (live?.record.answeredAt !== undefined) await answer(record, live.record.answeredAt);
      return 'done';
    },
    async answered(leg, at) {
      for (const path of countingOf(leg)) {
        const record = await find(path, leg.legKey);
        if (record !== undefined) await answer(record, at);
      }
    },
    async settled({ path }, leg, { isAnswered, billedSeconds, talkMs }) {
      const found = await find(path, leg.legKey);
      if (found === undefined) return undefined;
      if (!isAnswered || !poolsOfLeg(found).every(({ pool }) => isCurrent(pool))) {
        await giveBack(found);
        return undefined;
      }
      if (found.answeredAt === undefined && leg.answeredAt !== undefined) await answer(found, leg.answeredAt);
      const record =
        leg.answeredAt === undefined
          ? found
          : { ...split(found, leg.answeredAt), answeredAt: leg.answeredAt };
      // No longer than it really was, whatever ended it.
      const talk = { billedSeconds, talkMs: Math.min(talkMs, billedSeconds * 1000) };
      let final: ShadowEnd['final'] | undefined;
      const outcome = await store.settle(record, talk, (made) => {
        final = made;
        return '';
      });
      if (final === undefined || outcome.kind === 'already') return undefined;
      return { record, final, cap: capInTheEnd(record, final) };
    },
    async givenBack(leg) {
      for (const path of countingOf(leg)) {
        const record = await find(path, leg.legKey);
        if (record !== undefined) await giveBack(record);
      }
    },
    concerns: (record) => countingOf(record).length > 0,
    async follow() {
      const accounts = directory.accounts();
      if (followed?.accounts === accounts) return;
      const now = { accounts, counted: counted() };
      if (followed === undefined || !isSame(followed.counted, now.counted)) await forget();
      await configure();
      followed = now;
    },
    async letGoOn() {
      for (const root of roots()) {
        for (const { legKey, pool } of await endedBelow(root)) {
          const record = (await store.find(root, legKey))?.record;
          const allotment = record?.allotments.find((each) => each.pool === pool);
          if (record !== undefined && allotment?.goesOn !== undefined) await store.goOn(record, allotment);
        }
      }
    },
    async repair() {
      const missing = new Set<LegKey>();
      for (const root of roots()) {
        const there = await store.liveLegs(root);
        // Read after them: a call that is up is found.
        const up = there.length === 0 ? [] : await context.store.liveLegs(root);
        const calls = new Map(up.map((record) => [record.legKey, record]));
        for (const record of there) {
          const live = calls.get(realLegKey(record.legKey));
          if (live === undefined) {
            // Between the end of a call and of what is counted of it there is a moment: twice is no moment.
            if (orphans.has(record.legKey)) await giveBack(record);
            else missing.add(record.legKey);
          } else if (live.answeredAt !== undefined && record.answeredAt === undefined) {
            await answer(record, live.answeredAt);
          }
        }
      }
      orphans = missing;
    },
  };
}

function countedIn({ nodes }: AccountLookup): ReadonlyMap<AccountPath, string> {
  const counted = new Map<AccountPath, string>();
  for (const { path, shadow } of nodes)
    if (shadow?.countedAs !== undefined) counted.set(path, shadow.countedAs);
  return counted;
}

function isSame(one: ReadonlyMap<AccountPath, string>, other: ReadonlyMap<AccountPath, string>): boolean {
  return one.size === other.size && [...one].every(([path, countedAs]) => other.get(path) === countedAs);
}
