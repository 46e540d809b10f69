import type { Leases } from '../calls/lease.ts';
import type { BatchOutcome, RecordWriter } from '../records/record-store.ts';
import type { SettlementFeed } from '../records/settlement-feed.ts';
import type { Timers } from '../state/timers.ts';
import { rootOf, type AccountPath } from '../units/ids.ts';
import type { Log } from '../units/log.ts';
import { addMs, type Clock, type EpochMs } from '../units/time.ts';
import { batchOf, idOf, itemsOf, writeAround, type DrainItem, type Unwritten } from './drain-batch.ts';

/** A feed that can also say how much waits in it. */
export type DrainFeed = SettlementFeed & {
  backlog(
    roots: readonly AccountPath[],
  ): Promise<{ readonly entries: number; readonly oldestAt: EpochMs | undefined }>;
};

export type RecordDrain = {
  start(): void;
  /** Drains until nothing is left that can be written, or says why not. Never rejects. */
  drainNow(): Promise<DrainOutcome>;
  /** For the health page; rejects when Redis is down. */
  status(): Promise<DrainStatus>;
  /** Finishes the batch it has begun, within the limit, and lets another controller go on. */
  stop(graceMs: number): Promise<void>;
};

export type DrainOutcome =
  | { readonly kind: 'drained'; readonly written: number; readonly setAside: number }
  | { readonly kind: 'elsewhere' | 'stopped' }
  | { readonly kind: 'sql-down' | 'redis-down'; readonly error: unknown };

export type DrainStatus = {
  readonly state: DrainState;
  /** In Redis and not yet in SQL, what cannot be written included. */
  readonly undrained: number;
  /** How long the oldest of them has waited. */
  readonly lagMs: number;
  /** Entries that SQL refuses or nobody can read: they stay in the stream until somebody sees to them. */
  readonly setAside: number;
  readonly unreadable: number;
};

/** What the last round met. `elsewhere`: another controller drains, as it should be for all but one. */
export type DrainState = 'idle' | 'draining' | 'elsewhere' | 'sql-down' | 'redis-down';

export type RecordDrainOptions = {
  readonly feed: DrainFeed;
  readonly records: Pick<RecordWriter, 'writeBatch'>;
  readonly leases: Leases;
  readonly roots: () => readonly AccountPath[];
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
};

const LEASE = 'drain';
const BATCH_MAX = 500;
/** Between two rounds that were asked for: settlements that come close together are written in one transaction. */
const ROUND_MS_MIN = 50;
/** Everything is looked at so often, asked or not, and the lease is renewed. */
const POLL_MS = 2_000;
const BACKOFF_MS = { first: 250, max: 10_000 };
/** What SQL refused is offered again so often: a repaired table or a newer release may take it. */
const SET_ASIDE_MS = 60_000;
const SET_ASIDE_MAX = 10_000;
const REPORTED_MAX = 10_000;
/** Roots to look at; the others are found when everything is looked at. */
const ASKED_MAX = 10_000;
const CONFLICTS_LOGGED_MAX = 20;

/**
 * Takes what Redis has settled into SQL. One controller at a time does, the holder of a lease (ruling 20); two for
 * a moment change nothing, since every record may be written twice. An entry leaves its stream only once it is in
 * SQL, so that whatever dies, the next round finds it again.
 */
export function createRecordDrain(options: RecordDrainOptions): RecordDrain {
  const { feed, records, leases, roots, clock, timers, log } = options;
  const asked = new Set<AccountPath>();
  const setAside = new Map<string, EpochMs>();
  const reported = new Set<string>();
  const unreadable = new Set<string>();
  let state: DrainState = 'idle';
  let rounds = 0;
  let lastRound: Promise<void> = Promise.resolve();
  let sqlError: unknown;
  let cancelWake: (() => void) | undefined;
  let backoffMs = 0;
  let turn = 0;
  let stopped = false;
  const stops: (() => void)[] = [];

  const enter = (next: DrainState, error?: unknown): void => {
    if (next === state) return;
    const was = state;
    state = next;
    if (next === 'sql-down' || next === 'redis-down') {
      log.warn({ err: error, state: next }, 'draining interrupted, the streams keep the records');
    } else if (was === 'sql-down' || was === 'redis-down') {
      log.info({ was }, 'draining resumed');
    }
  };

  /** An error is told once for each entry, however often it is met. */
  const report = (id: string, fields: object, message: string): void => {
    if (reported.has(id)) return;
    if (reported.size >= REPORTED_MAX) reported.clear();
    reported.add(id);
    log.error(fields, message);
  };

  const reportConflicts = ({ conflicts }: BatchOutcome): void => {
    for (const { kind, offered, kept } of conflicts.slice(0, CONFLICTS_LOGGED_MAX)) {
      log.error({ kind, offered, kept }, 'sql holds another record in its place, and keeps it');
    }
    if (conflicts.length > CONFLICTS_LOGGED_MAX) {
      log.error({ conflicts: conflicts.length }, 'more conflicts than are logged one by one');
    }
  };

  const writeAndRemove = async (items: readonly DrainItem[]): Promise<void> => {
    const outcome = await records.writeBatch(batchOf(items)).catch((error: unknown) => {
      sqlError = error;
      throw error;
    });
    reportConflicts(outcome);
    await feed.remove(items.map(({ entry }) => entry));
  };

  const putAside = ({ item: { entry, record }, error }: Unwritten): void => {
    if (setAside.size < SET_ASIDE_MAX) setAside.set(idOf(entry), addMs(clock(), SET_ASIDE_MS));
    report(idOf(entry), { err: error, entry, record }, 'sql refuses a record, it stays in redis');
  };

  /** One batch. Gives how many were written, and whether there may be more that can be. */
  const drainBatch = async (from: readonly AccountPath[]): Promise<{ written: number; more: boolean }> => {
    const now = clock();
    for (const [id, until] of setAside) if (until <= now) setAside.delete(id);
    const max = BATCH_MAX + setAside.size;
    const batch = await feed.read(from, max);
    const knownUnreadable = unreadable.size;
    for (const { entry, reason } of batch.unreadable) {
      if (unreadable.size < REPORTED_MAX) unreadable.add(idOf(entry));
      report(idOf(entry), { entry, reason }, 'an entry of a stream cannot be read, it stays in redis');
    }
    const open = itemsOf(batch).filter(({ entry }) => !setAside.has(idOf(entry)));
    const items = open.slice(0, BATCH_MAX);
    if (items.length === 0) return { written: 0, more: unreadable.size > knownUnreadable };
    if (backoffMs === 0) enter('draining');
    const probe = (): Promise<unknown> => records.writeBatch({ settlements: [], decisions: [] });
    const unwritten = await writeAround(items, writeAndRemove, probe);
    const knownAside = setAside.size;
    unwritten.forEach(putAside);
    const written = items.length - unwritten.length;
    const full = Math.max(batch.settlements.length + batch.transfers.length, batch.decisions.length) >= max;
    // Without progress the same entries would come again at once.
    const progress = written > 0 || setAside.size > knownAside;
    return { written, more: progress && (full || open.length > items.length) };
  };

  const drain = async (from: () => readonly AccountPath[]): Promise<DrainOutcome> => {
    let those: readonly AccountPath[] = [];
    let written = 0;
    try {
      those = from();
      for (;;) {
        if (stopped) return { kind: 'stopped' };
        if (!(await leases.hold(LEASE))) {
          enter('elsewhere');
          return { kind: 'elsewhere' };
        }
        const batch = await drainBatch(those);
        written += batch.written;
        backoffMs = 0;
        if (batch.more) continue;
        enter('idle');
        return { kind: 'drained', written, setAside: setAside.size };
      }
    } catch (error) {
      const kind = error === sqlError ? 'sql-down' : 'redis-down';
      those.forEach(ask);
      backoffMs = Math.min(BACKOFF_MS.max, Math.max(BACKOFF_MS.first, backoffMs * 2));
      enter(kind, error);
      return { kind, error };
    }
  };

  /** One round at a time: two would write the same entries twice for nothing. */
  const serially = (from: () => readonly AccountPath[]): Promise<DrainOutcome> => {
    rounds += 1;
    const outcome = lastRound.then(() => drain(from));
    lastRound = outcome.then(({ kind }) => {
      rounds -= 1;
      if (kind === 'sql-down' || kind === 'redis-down') wake();
    });
    return outcome;
  };

  /** In an order that changes, so that a busy root at the front does not keep the others waiting. */
  const everyRoot = (): readonly AccountPath[] => {
    const all = [...new Set([...roots().map(rootOf), ...askedRoots()])];
    turn = (turn + 1) % Math.max(1, all.length);
    return [...all.slice(turn), ...all.slice(0, turn)];
  };
  const askedRoots = (): readonly AccountPath[] => {
    const those = [...asked];
    asked.clear();
    return those;
  };
  const ask = (root: AccountPath): void => {
    if (asked.size < ASKED_MAX) asked.add(root);
  };

  const wake = (): void => {
    // Where another drains, being asked is its business; the poll notices when it no longer does.
    if (stopped || state === 'elsewhere' || cancelWake !== undefined) return;
    cancelWake = timers.after(Math.max(ROUND_MS_MIN, backoffMs), () => {
      cancelWake = undefined;
      void serially(askedRoots);
    });
  };
  const poll = (): void => {
    if (backoffMs === 0 && rounds === 0) void serially(everyRoot);
  };

  return {
    start() {
      stops.push(
        feed.onReady((root) => {
          if (root !== undefined) ask(root);
          wake();
        }),
        timers.every(POLL_MS, poll),
      );
      poll();
    },
    drainNow: () => serially(everyRoot),
    async status() {
      const { entries, oldestAt } = await feed.backlog(roots().map(rootOf));
      return {
        state,
        undrained: entries,
        lagMs: oldestAt === undefined ? 0 : Math.max(0, clock() - oldestAt),
        setAside: setAside.size,
        unreadable: unreadable.size,
      };
    },
    async stop(graceMs) {
      stopped = true;
      for (const stop of stops.splice(0)) stop();
      cancelWake?.();
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const cancel = timers.after(graceMs, resolve);
      const leave = async (): Promise<void> => {
        await lastRound;
        await leases.giveUp(LEASE).catch((error: unknown) => {
          // It ends by itself.
          log.debug({ err: error }, 'drain lease not given up');
        });
      };
      await Promise.race([leave(), late]);
      cancel();
    },
  };
}
