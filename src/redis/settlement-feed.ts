import type { Redis } from 'ioredis';
import type { Decision, Settlement, Transfer } from '../records/records.ts';
import type { FeedBatch, FeedEntry, SettlementFeed } from '../records/settlement-feed.ts';
import { parseAccountPath, type AccountPath } from '../units/ids.ts';
import type { Log } from '../units/log.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';
import { guardStore } from './connection.ts';
import { DECISIONS_KEY, rootSlot, SETTLED_CHANNEL, slotKeys } from './keys.ts';
import { formatDecision, parseDecision, parseSettlement, parseTransfer } from './settlement-text.ts';
import { subscribe, type Subscription } from './subscription.ts';

export type RedisSettlementFeed = SettlementFeed & {
  /** The process that settles says so; said to all at most every few milliseconds, in one message for many roots. */
  announce(root: AccountPath): void;
  /** How much waits for SQL in these roots' streams and among the decisions, and since when: for monitoring. */
  backlog(
    roots: readonly AccountPath[],
  ): Promise<{ readonly entries: number; readonly oldestAt: EpochMs | undefined }>;
  close(): void;
};

/** Settlements that come close together are announced once: under load 20 messages a second, not one a call. */
const ANNOUNCE_MS = 50;
/** Beyond so many roots in one message the reader's own rounds find the rest. */
const ANNOUNCED_ROOTS_MAX = 1000;
/** Streams asked at once: enough to fill a network segment, few enough that their replies stay small. */
const STREAMS_AT_ONCE = 64;
/** Unreadable entries are passed over in pages; what lies behind more of them than this is found by the next read. */
const PAGES_MAX = 10;
const REMOVED_AT_ONCE = 500;

export function createSettlementFeed(redis: Redis, options: { readonly log: Log }): RedisSettlementFeed {
  const { log } = options;
  const passed = new Map<string, string>();
  const listeners = new Set<(root: AccountPath | undefined) => void>();
  let subscription: Subscription | undefined;
  let announced = new Set<AccountPath | undefined>();
  let announcing: NodeJS.Timeout | undefined;

  const announceAll = async (): Promise<void> => {
    announcing = undefined;
    const roots = [...announced].map((root) => root ?? '');
    announced = new Set();
    try {
      await redis.publish(SETTLED_CHANNEL, roots.join(' '));
    } catch (error) {
      // Nothing is lost: whoever drains also looks by itself.
      log.debug({ err: error }, 'settlements not announced');
    }
  };
  const announce = (root: AccountPath | undefined): void => {
    if (announced.size < ANNOUNCED_ROOTS_MAX) announced.add(root);
    announcing ??= setTimeout(() => void announceAll(), ANNOUNCE_MS);
  };
  const tell = (root: AccountPath | undefined): void => {
    for (const listener of listeners) listener(root);
  };
  const listen = (): Subscription =>
    subscribe(redis, {
      channel: SETTLED_CHANNEL,
      onMessage: (message) => message.split(' ').forEach((name) => tell(parseAccountPath(name))),
      onListening: () => tell(undefined),
      log,
    });

  return {
    announce,
    read: (roots, max) => readFeed({ redis, passed, log }, roots, max),
    async remove(entries) {
      for (let start = 0; start < entries.length; start += REMOVED_AT_ONCE) {
        const byStream = idsByStream(entries.slice(start, start + REMOVED_AT_ONCE));
        await guardStore(() => Promise.all([...byStream].map(([stream, ids]) => redis.xdel(stream, ...ids))));
      }
    },
    async decide(decision) {
      await guardStore(() => redis.xadd(DECISIONS_KEY, '*', 'decision', formatDecision(decision)));
      announce(undefined);
    },
    onReady(listener) {
      listeners.add(listener);
      subscription ??= listen();
      return () => void listeners.delete(listener);
    },
    backlog: (roots) => readBacklog(redis, roots),
    close() {
      clearTimeout(announcing);
      listeners.clear();
      subscription?.close();
    },
  };
}

type FeedContext = {
  readonly redis: Redis;
  /** Stream → the last entry of the unreadable ones at its start, which need not be read again and again. */
  readonly passed: Map<string, string>;
  readonly log: Log;
};

type Gathered<Value> = {
  readonly read: { readonly entry: FeedEntry; readonly value: Value }[];
  readonly unreadable: { readonly entry: FeedEntry; readonly reason: string }[];
};

/** What a root's stream holds, by the name of its field. */
type Moved =
  | { readonly kind: 'settlement'; readonly settlement: Settlement }
  | { readonly kind: 'transfer'; readonly transfer: Transfer };
const MOVED: Readonly<Record<string, (text: string) => Moved>> = {
  settlement: (text) => ({ kind: 'settlement', settlement: parseSettlement(text) }),
  transfer: (text) => ({ kind: 'transfer', transfer: parseTransfer(text) }),
};

async function readFeed(
  context: FeedContext,
  roots: readonly AccountPath[],
  max: number,
): Promise<FeedBatch> {
  const moved: Gathered<Moved> = { read: [], unreadable: [] };
  const decisions: Gathered<Decision> = { read: [], unreadable: [] };
  await gather(context, decisions, {
    stream: DECISIONS_KEY,
    parsers: { decision: parseDecision },
    max,
  });
  for (let start = 0; start < roots.length && moved.read.length < max; start += STREAMS_AT_ONCE) {
    const streams = roots
      .slice(start, start + STREAMS_AT_ONCE)
      .map((root) => slotKeys(rootSlot(root)).settlements);
    const gathered = await Promise.all(
      (await shares(context.redis, streams, max - moved.read.length)).map(async ({ stream, share }) => {
        const found: Gathered<Moved> = { read: [], unreadable: [] };
        await gather(context, found, { stream, parsers: MOVED, max: share });
        return found;
      }),
    );
    for (const found of gathered) {
      moved.read.push(...found.read);
      moved.unreadable.push(...found.unreadable);
    }
  }
  return {
    settlements: moved.read.flatMap(({ entry, value }) =>
      value.kind === 'settlement' ? [{ entry, settlement: value.settlement }] : [],
    ),
    transfers: moved.read.flatMap(({ entry, value }) =>
      value.kind === 'transfer' ? [{ entry, transfer: value.transfer }] : [],
    ),
    decisions: decisions.read.map(({ entry, value }) => ({ entry, decision: value })),
    unreadable: [...moved.unreadable, ...decisions.unreadable],
  };
}

/** What to read of each stream that has anything, so that no more than `max` is fetched of all together. */
async function shares(
  redis: Redis,
  streams: readonly string[],
  max: number,
): Promise<readonly { readonly stream: string; readonly share: number }[]> {
  const lengths = await guardStore(() => Promise.all(streams.map((stream) => redis.xlen(stream))));
  let left = max;
  return streams.flatMap((stream, index) => {
    const share = Math.min(lengths[index] ?? 0, left);
    left -= share;
    return share === 0 ? [] : [{ stream, share }];
  });
}

async function gather<Value>(
  { redis, passed }: FeedContext,
  gathered: Gathered<Value>,
  source: {
    readonly stream: string;
    /** Of an entry's only field, by its name. */
    readonly parsers: Readonly<Record<string, (text: string) => Value>>;
    readonly max: number;
  },
): Promise<void> {
  const { stream, parsers, max } = source;
  let after = await passedIn(redis, passed, stream);
  for (let page = 0; page < PAGES_MAX && gathered.read.length < max; page += 1) {
    const from = after === undefined ? '-' : `(${after}`;
    const wanted = max - gathered.read.length;
    const rows = await guardStore(() => redis.xrange(stream, from, '+', 'COUNT', wanted));
    for (const [id, pairs] of rows) {
      const entry = { stream, id };
      try {
        const [field = '', text] = pairs;
        const parse = Object.hasOwn(parsers, field) ? parsers[field] : undefined;
        if (parse === undefined || text === undefined || pairs.length !== 2) {
          throw new Error(`its fields are not "${Object.keys(parsers).join('" or "')}" alone`);
        }
        gathered.read.push({ entry, value: parse(text) });
      } catch (error) {
        gathered.unreadable.push({ entry, reason: error instanceof Error ? error.message : String(error) });
        if (gathered.read.length === 0) passed.set(stream, id);
      }
      after = id;
    }
    if (rows.length < wanted) return;
  }
}

/** Where the unreadable start of a stream ends, unless Redis was lost and the stream has begun anew before it. */
async function passedIn(
  redis: Redis,
  passed: Map<string, string>,
  stream: string,
): Promise<string | undefined> {
  const known = passed.get(stream);
  if (known === undefined) return undefined;
  const [newest] = await guardStore(() => redis.xrevrange(stream, '+', '-', 'COUNT', 1));
  if (newest !== undefined && !isBefore(newest[0], known)) return known;
  passed.delete(stream);
  return undefined;
}

function isBefore(id: string, other: string): boolean {
  const [time = 0, sequence = 0] = id.split('-').map(Number);
  const [otherTime = 0, otherSequence = 0] = other.split('-').map(Number);
  return time < otherTime || (time === otherTime && sequence < otherSequence);
}

async function readBacklog(
  redis: Redis,
  roots: readonly AccountPath[],
): ReturnType<RedisSettlementFeed['backlog']> {
  const streams = [DECISIONS_KEY, ...roots.map((root) => slotKeys(rootSlot(root)).settlements)];
  let entries = 0;
  let oldestAt: EpochMs | undefined;
  for (let start = 0; start < streams.length; start += STREAMS_AT_ONCE) {
    const group = streams.slice(start, start + STREAMS_AT_ONCE);
    const found = await guardStore(() =>
      Promise.all(
        group.map((stream) => Promise.all([redis.xlen(stream), redis.xrange(stream, '-', '+', 'COUNT', 1)])),
      ),
    );
    for (const [length, [oldest]] of found) {
      entries += length;
      if (oldest === undefined) continue;
      const at = toEpochMs(Number(oldest[0].split('-')[0]));
      if (oldestAt === undefined || at < oldestAt) oldestAt = at;
    }
  }
  return { entries, oldestAt };
}

function idsByStream(entries: readonly FeedEntry[]): ReadonlyMap<string, string[]> {
  const byStream = new Map<string, string[]>();
  for (const { stream, id } of entries) {
    const ids = byStream.get(stream);
    if (ids === undefined) byStream.set(stream, [id]);
    else ids.push(id);
  }
  return byStream;
}
