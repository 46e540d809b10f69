import { poolsOfLeg } from '../admission/leg-pools.ts';
import type { LegRecord } from '../admission/leg-record.ts';
import type { DueWallet, LegDeadline } from '../admission/live-store.ts';
import type { CutoffHandler, CutoffSchedule } from '../credit/cutoff-schedule.ts';
import { meaningOf } from '../credit/pools.ts';
import { cutDecision } from '../gate/decisions.ts';
import type { ControllerContext } from '../state/context.ts';
import { readLeft } from '../state/left-over.ts';
import type { EndedByUs } from '../state/ended-by-us.ts';
import type { LegBook } from '../state/leg-book.ts';
import type { Timers } from '../state/timers.ts';
import { rootOf, type AccountPath, type LegKey, type LegUuid, type PoolId } from '../units/ids.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';
import { capThatEnds, goesOnPerMinute } from './going-on.ts';
import { createWarnings } from './warnings.ts';

/** Money that runs out sooner than this is looked at by this process itself, without a job. */
const NEAR_MS = 2_000;
/** A wallet inside its last pulses changes with every event: it is looked at again at most so often. */
const LOOK_AGAIN_MS = 10;
/** Where it is only about a warning, events that come close together make one look. */
const WARN_LOOK_MS = 1_000;
/** A kill whose channel is still there after so long is sent again. */
const KILL_AGAIN_MS = 3_000;
/** A kill that could not be sent is tried again so soon. */
const RETRY_MS = 250;
/** Cuts whose lateness is kept for the measurements. */
const LATENESS_KEPT_MAX = 10_000;

export type Cutoffs = CutoffHandler & {
  /** The store's word after each change of a wallet: the earliest moment at which it may fail to pay. */
  onDue(account: PoolId, dueAt: EpochMs): void;
  /** The store's word after an answer: the leg may last no longer than so. */
  onDeadline(root: AccountPath, deadline: LegDeadline): void;
  /** Roots with calls that are to be warned or to end by then, because they last as long as they may. */
  deadlinesWithin(until: EpochMs): Promise<readonly DueWallet[]>;
  /** Money or limits changed elsewhere: look now. */
  walletChanged(account: PoolId): void;
  /** Hang-up command sent minus funded instant, of the latest cuts, in ms. */
  latenessMs(): readonly number[];
  stop(): Promise<void>;
};

/** A leg to be cut: its wallet's money is spent, or (under its root) it has lasted as long as it may. */
type Ending = {
  readonly account: PoolId;
  readonly legKey: LegKey;
  readonly endsAt: EpochMs;
  readonly reason: 'empty' | 'deadline';
};
/** What a leg ends for is what it draws on. */
const REASONS = {
  money: 'no_credit',
  allotment: 'no_allotment',
  spend: 'spend_limit',
  time: 'no_time',
} as const;

type Watch = { timer: () => void; at: number };
type Looks = { current: Promise<void>; after: Promise<void> | undefined };

/** The instants at which calls end: a job brings a wallet near, a timer here takes the exact millisecond. */
export function createCutoffs(
  context: ControllerContext,
  parts: {
    readonly book: LegBook;
    readonly endedByUs: Pick<EndedByUs, 'note'>;
    readonly schedule: Pick<CutoffSchedule, 'arm'>;
    readonly timers: Timers;
    readonly roots: () => readonly AccountPath[];
  },
): Cutoffs {
  const { store, log } = context;
  const { book, endedByUs, schedule, timers, roots } = parts;
  const watches = new Map<PoolId, Watch>();
  /** By root: when the next of its legs has lasted long enough. */
  const deadlineWatches = new Map<PoolId, Watch>();
  const looking = new Map<PoolId, Looks>();
  const cuts = new Set<Promise<void>>();
  const waiting = new Set<() => void>();
  const killed = new Map<LegKey, EpochMs>();
  const warnings = createWarnings(context, book);
  const lateness: number[] = [];
  let stopped = false;

  const watchFor = (
    watching: Map<PoolId, Watch>,
    account: PoolId,
    at: number,
    andThen: () => unknown,
  ): void => {
    const standing = watching.get(account);
    if (stopped || (standing !== undefined && standing.at <= at)) return;
    standing?.timer();
    const delayMs = Math.max(0, at - store.now());
    const timer = timers.after(delayMs, () => {
      watching.delete(account);
      andThen();
    });
    watching.set(account, { timer, at });
  };
  const watch = (account: PoolId, at: number): void =>
    watchFor(watches, account, at, () => void look(account));
  const watchDeadlines = (root: AccountPath, at: number): void =>
    watchFor(deadlineWatches, root, at, () => void lookAtDeadlines(root, toEpochMs(at)));

  /** One look at a time per wallet. All wishes for one that come meanwhile are one new look after it. */
  const look = (account: PoolId): Promise<void> => {
    const standing = looking.get(account);
    if (standing === undefined) {
      const mine: Looks = { current: lookNow(account), after: undefined };
      looking.set(account, mine);
      void lookOn(account, mine);
      return mine.current;
    }
    standing.after ??= standing.current.then(() => lookNow(account));
    return standing.after;
  };

  const lookOn = async (account: PoolId, looks: Looks): Promise<void> => {
    for (;;) {
      await looks.current;
      if (looks.after === undefined) break;
      looks.current = looks.after;
      looks.after = undefined;
    }
    looking.delete(account);
  };

  const lookNow = async (account: PoolId): Promise<void> => {
    try {
      const { ended, next, at, refilledAt } = await store.evaluate(account);
      const fresh = ended.filter(({ legKey }) => at - (killed.get(legKey) ?? 0) > KILL_AGAIN_MS);
      // Not waited for: FreeSWITCH may take its time to answer, and the next leg's second comes.
      for (const leg of fresh) cutInTime({ account, ...leg, reason: 'empty' });
      if (ended.length > 0) watch(account, at + KILL_AGAIN_MS + 1);
      if (refilledAt !== undefined) lookAgain(account, refilledAt, at);
      const [first] = next;
      if (first === undefined) return;
      lookAgain(account, first.endsAt, at);
      const warnAt = await warnings.look(account, next, at);
      if (warnAt !== undefined && warnAt < first.endsAt) lookAgain(account, warnAt, at);
    } catch (err) {
      // The next sweep looks again; the dead-man stands behind it.
      log.error({ err, accountId: account }, 'cutoff not worked out');
    }
  };

  /** Ends the legs of a root that have lasted as long as they may, and waits for those that soon will have. */
  const lookAtDeadlines = async (root: AccountPath, until: EpochMs): Promise<void> => {
    try {
      // What is near has no job: whichever look comes next finds it.
      const near = toEpochMs(Math.max(until, store.now() + NEAR_MS));
      const due = await store.dueDeadlines(root, near);
      const now = store.now();
      const over = due.filter(({ endsAt }) => endsAt <= now);
      for (const { legKey, endsAt } of over) {
        if (now - (killed.get(legKey) ?? 0) <= KILL_AGAIN_MS) continue;
        cutSoon({ account: root, legKey, endsAt, reason: 'deadline' });
      }
      if (over.length > 0) watchDeadlines(root, now + KILL_AGAIN_MS + 1);
      const [next] = due.slice(over.length);
      if (next !== undefined) watchDeadlines(root, next.endsAt);
      const warnAt = await warnings.lookAtDeadlines(root, near);
      if (warnAt !== undefined) watchDeadlines(root, warnAt);
    } catch (err) {
      log.error({ err, accountId: root }, 'calls that have lasted long enough not looked for');
    }
  };

  /** Where legs end one after the other the store works a little ahead of time; each still talks to its end. */
  const cutInTime = (ending: Ending): void => {
    const waitMs = ending.endsAt - store.now();
    if (waitMs <= 0) return cutSoon(ending);
    killed.set(ending.legKey, ending.endsAt);
    const cancel = timers.after(waitMs, () => {
      waiting.delete(cancel);
      cutSoon(ending);
    });
    waiting.add(cancel);
  };

  const cutSoon = (ending: Ending): void => {
    const { account, legKey, reason } = ending;
    killed.set(legKey, store.now());
    const cutting = cut(ending).catch((err: unknown) => {
      // Its FreeSWITCH cannot be reached: tried again at once when it can, and no other leg waits for it.
      killed.delete(legKey);
      if (reason === 'deadline') watchDeadlines(rootOf(account), store.now() + RETRY_MS);
      else watch(account, store.now() + RETRY_MS);
      log.error({ err, legKey, accountId: account }, 'call not cut');
    });
    const done = cutting.then(() => void cuts.delete(done));
    cuts.add(done);
  };

  const cut = async ({ account, legKey, endsAt, ...ending }: Ending): Promise<void> => {
    const record = book.byKey(legKey)?.record ?? (await store.find(rootOf(account), legKey))?.record;
    if (record?.uuid === undefined || isEnding(record.uuid)) return;
    if (ending.reason === 'empty' && (await goesOnPerMinute(context, record, account))) {
      // Another payer's allotment may have run dry as well while this one was seen to.
      killed.delete(legKey);
      for (const { pool } of poolsOfLeg(record)) if (pool !== account) watch(pool, store.now());
      return;
    }
    const control = context.controlOf(record.node);
    if (control === undefined) return;
    const sentAt = store.now();
    // In the same write: the caller's leg, or its dialplan would dial the next carrier (ruling 4).
    const alsoCut = stillBridged(record) ? [record.aLeg] : [];
    const sent = control.kill(record.uuid, 'ALLOTTED_TIMEOUT', ...alsoCut);
    const lateMs = sentAt - endsAt;
    lateness.push(lateMs);
    if (lateness.length > LATENESS_KEPT_MAX) lateness.shift();
    const { uuid: callUuid } = record;
    if ((await sent) === 'started') endedByUs.note(callUuid, sentAt);
    const isEmpty = ending.reason === 'empty';
    const cap = isEmpty ? undefined : await capThatEnds(context, record, endsAt);
    const reason = isEmpty ? REASONS[meaningOf(account).kind] : (cap?.reason ?? 'max_seconds');
    const left = isEmpty ? await readLeft(context, account) : undefined;
    context.record(cutDecision({ ...record, cap }, sentAt, { endsAt, sentAt, reason, left }));
    log.info({ callUuid, accountId: account, reason, endsAt, lateMs }, 'call cut');
  };

  /** Its hang-up has been told: there is nothing to end, and nothing that could go on. */
  const isEnding = (uuid: LegUuid): boolean => {
    const { phase } = book.leg(uuid) ?? {};
    return phase === 'going' || phase === 'gone';
  };

  /** Where this controller does not see the events, the two are taken to be together: the usual case. */
  const stillBridged = ({ uuid, aLeg }: LegRecord): boolean => {
    if (uuid === undefined || uuid === aLeg) return false;
    const leg = book.leg(uuid);
    if (leg === undefined || leg.peer === aLeg) return true;
    return leg.peer === undefined && !leg.isParted && leg.facts.originator === aLeg;
  };

  const lookAt = async (lookRoots: readonly AccountPath[], until: EpochMs): Promise<void> => {
    const deadlines = lookRoots.map((root) => lookAtDeadlines(root, until));
    const due = await Promise.all(lookRoots.map((root) => store.dueWallets(root, until)));
    await Promise.all([...deadlines, ...due.flat().map(({ account }) => look(account))]);
  };

  const lookAgain = (account: PoolId, at: number, now: EpochMs): void => {
    if (at - now <= NEAR_MS) watch(account, at);
    else schedule.arm(account, toEpochMs(at));
  };

  return {
    onDue(account, dueAt) {
      const now = store.now();
      if (dueAt - now <= NEAR_MS) watch(account, Math.max(dueAt, now + LOOK_AGAIN_MS));
      // The money may last longer than the bound says; whether it is time to warn is known only at a look.
      else lookAgain(account, Math.max(dueAt - warnings.aheadMs, now + WARN_LOOK_MS), now);
    },
    onDeadline(root, { endsAt }) {
      const now = store.now();
      for (const at of warnings.momentsOf(endsAt, now)) {
        if (at - now <= NEAR_MS) watchDeadlines(root, at);
        else schedule.arm(root, at);
      }
    },
    async deadlinesWithin(until) {
      const now = store.now();
      const found = await Promise.all(
        roots().map(async (root) => {
          const due = await store.dueDeadlines(root, toEpochMs(until + warnings.aheadMs));
          const moments = due.flatMap(({ endsAt }) => warnings.momentsOf(endsAt, now));
          return moments.filter((at) => at <= until).map((dueAt) => ({ account: root, dueAt }));
        }),
      );
      return found.flat();
    },
    walletChanged: (account) => void look(account),
    lookAt,
    async sweep() {
      const now = store.now();
      warnings.forget(now);
      for (const [legKey, at] of killed) if (now - at > 60_000) killed.delete(legKey);
      await lookAt(roots(), now);
    },
    latenessMs: () => lateness,
    async stop() {
      stopped = true;
      for (const watching of [watches, deadlineWatches]) {
        for (const { timer } of watching.values()) timer();
        watching.clear();
      }
      await Promise.all([...looking.values()].map(async ({ current, after }) => await (after ?? current)));
      // Their wallets stay due: whoever looks next cuts them.
      for (const cancel of waiting) cancel();
      await Promise.all(cuts);
    },
  };
}
