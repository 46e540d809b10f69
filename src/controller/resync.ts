import type { LegRecord } from '../admission/leg-record.ts';
import type { LegFacts, SwitchEvent } from '../calls/switch-event.ts';
import type { ChannelRow } from '../calls/switch.ts';
import { giveBackLeg } from '../gate/admit-leg.ts';
import type { ControllerContext } from '../state/context.ts';
import type { EndedByUs } from '../state/ended-by-us.ts';
import type { Leg, LegBook } from '../state/leg-book.ts';
import { rootOf, type AccountPath, type LegKey, type LegUuid, type NodeId } from '../units/ids.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';
import type { LegEvents } from './leg-events.ts';

/** A channel must be missing at two looks this far apart: its row may lag behind its events (DESIGN 9). */
const MISSED_AGAIN_MS = 2_000;
/** HANGUP_COMPLETE lags behind the posting of CDRs, by seconds and more. */
const END_TOLD_MS = 60_000;

export type Resync = {
  /** Compares a node's channels with what is held for it. Rejects when the node or the store cannot answer: then nothing is released. */
  run(node: NodeId, coreUuid: string): Promise<ResyncReport>;
};

export type ResyncReport = {
  readonly channels: number;
  readonly records: number;
  readonly adopted: number;
  readonly settled: number;
  /** Missing for the first time: looked at again before anything is believed. */
  readonly doubted: number;
};

/** After any gap, and now and then anyway: what FreeSWITCH has up is adopted, what it no longer knows is settled. */
export function createResync(
  context: ControllerContext,
  parts: {
    readonly book: LegBook;
    readonly endedByUs: Pick<EndedByUs, 'at'>;
    readonly events: LegEvents;
    readonly roots: () => readonly AccountPath[];
    /** What is found is told as if FreeSWITCH had said it. */
    readonly tell: (event: SwitchEvent) => void;
  },
): Resync {
  const { store, log } = context;
  const { book, endedByUs, events, roots, tell } = parts;
  const missedSince = new Map<LegKey, EpochMs>();

  const run = async (node: NodeId, coreUuid: string): Promise<ResyncReport> => {
    const control = context.controlOf(node);
    if (control === undefined) throw new Error(`no connection to ${node}`);
    // The records first: a call that begins between the two readings is then merely unknown to the older one.
    const held = await Promise.all(roots().map((root) => store.liveLegs(root)));
    const records = held.flat().filter((record) => record.node === node);
    const rows = await control.channels();
    const live = new Map(rows.map((row) => [row.uuid, row]));
    for (const leg of book.ofNode(node)) if (live.has(leg.uuid)) leg.seenAt = store.now();

    let settled = 0;
    let doubted = 0;
    for (const record of records) {
      const verdict = judge(record, live, coreUuid);
      if (verdict === 'live') missedSince.delete(record.legKey);
      else if (verdict === 'gone') {
        await settleGone(record);
        missedSince.delete(record.legKey);
        settled += 1;
      } else doubted += 1;
    }
    const keys = new Set(records.map((record) => record.legKey));
    for (const legKey of missedSince.keys()) if (!keys.has(legKey)) missedSince.delete(legKey);
    await forgetLost(node, live, keys);
    const adopted = await adopt(node, rows);
    forgetVanished(node, live);
    return { channels: rows.length, records: records.length, adopted, settled, doubted };
  };

  const judge = (
    record: LegRecord,
    live: ReadonlyMap<LegUuid, ChannelRow>,
    coreUuid: string,
  ): 'live' | 'gone' | 'doubted' => {
    if (live.has(record.uuid ?? record.aLeg)) return 'live';
    // Bound to nothing any more, yet its caller may still dial on.
    if (record.answeredAt === undefined && live.has(record.aLeg)) return 'live';
    // A FreeSWITCH that has restarted knows none of its old legs.
    if (record.coreUuid !== coreUuid) return 'gone';
    const now = store.now();
    // Its end has been heard of: FreeSWITCH's own durations are on their way, or the store was away for them.
    const known = record.uuid === undefined ? undefined : book.leg(record.uuid);
    if ((known?.phase === 'going' || known?.phase === 'gone') && now - known.seenAt < END_TOLD_MS)
      return 'doubted';
    const since = missedSince.get(record.legKey) ?? now;
    missedSince.set(record.legKey, since);
    return now - since >= MISSED_AGAIN_MS ? 'gone' : 'doubted';
  };

  /** Legs that talk, and of whom Redis has nothing any more: it has lost its data. They are adopted like unknown ones. */
  const forgetLost = async (
    node: NodeId,
    live: ReadonlyMap<LegUuid, ChannelRow>,
    held: ReadonlySet<LegKey>,
  ): Promise<void> => {
    for (const leg of book.ofNode(node)) {
      const { record } = leg;
      if (record === undefined || leg.phase !== 'answered' || !live.has(leg.uuid)) continue;
      if (held.has(record.legKey)) continue;
      // It may have been admitted after the records were read.
      if ((await store.find(rootOf(record.account), record.legKey)) !== undefined) continue;
      if (leg.record !== record || leg.phase !== 'answered') continue;
      log.warn({ callUuid: leg.uuid, accountId: record.account }, 'leg lost by the store, adopted anew');
      book.detach(leg);
      leg.phase = 'unknown';
    }
  };

  /** Legs that ended while another controller took the events: nobody tells this one any more. */
  const forgetVanished = (node: NodeId, live: ReadonlyMap<LegUuid, ChannelRow>): void => {
    const now = store.now();
    for (const leg of book.ofNode(node)) {
      if (!live.has(leg.uuid) && now - leg.seenAt > END_TOLD_MS) leg.phase = 'gone';
    }
  };

  /** Its end was never told: charged up to the last second it was known alive, and said to be an estimate. */
  const settleGone = async (record: LegRecord): Promise<void> => {
    const { answeredAt, uuid } = record;
    log.warn({ legKey: record.legKey, callUuid: uuid, accountId: record.account }, 'leg gone without a word');
    if (answeredAt === undefined || uuid === undefined) {
      await giveBackLeg(context, record);
      return;
    }
    const seen = [answeredAt, book.leg(uuid)?.seenAt, endedByUs.at(uuid)];
    const endedAt = toEpochMs(Math.max(...seen.flatMap((at) => at ?? [])));
    const talkMs = endedAt - answeredAt;
    await events.settleEstimated(record, {
      uuid,
      cause: 'UNKNOWN',
      answeredAt,
      endedAt,
      billMicroseconds: talkMs * 1000,
      billsec: Math.floor(talkMs / 1000),
      cut: undefined,
      estimated: true,
    });
  };

  /** A live channel we never heard of is asked for all it knows, and then told to the event path as if it had said so. */
  const adopt = async (node: NodeId, rows: readonly ChannelRow[]): Promise<number> => {
    let adopted = 0;
    for (const row of rows) {
      const known = book.leg(row.uuid);
      if (known !== undefined && (known.phase === 'answered' || !(row.answered || mayAsk(known)))) continue;
      if (known?.phase === 'going' || known?.phase === 'gone') continue;
      const found = await context.controlOf(node)?.inspect(row.uuid);
      if (found === undefined) continue;
      for (const event of eventsOf(found.leg)) tell(event);
      if (known === undefined || row.answered) adopted += 1;
    }
    return adopted;
  };

  return { run };
}

type Told = Extract<SwitchEvent, { readonly kind: 'created' | 'answered' | 'parked' }>;

function eventsOf(leg: LegFacts): readonly Told[] {
  const told: Told[] = [{ kind: 'created', leg }];
  if (leg.answeredAt !== undefined) told.push({ kind: 'answered', leg, answeredAt: leg.answeredAt });
  // It waits at the gate and its park was not heard.
  else if (leg.gate.asks && leg.gate.admission === undefined) told.push({ kind: 'parked', leg });
  return told;
}

function mayAsk({ facts, asked }: Leg): boolean {
  return facts.direction === 'inbound' && facts.gate.admission === undefined && asked === undefined;
}
