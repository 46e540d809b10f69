import type { LegRecord } from '../admission/leg-record.ts';
import { StoreUnavailableError } from '../admission/live-store.ts';
import { transition, type LegEventKind, type LegStep } from '../calls/leg-phase.ts';
import type { LegTimes, SwitchEvent } from '../calls/switch-event.ts';
import { mayEnd, type Deadman } from '../cutting/deadman.ts';
import type { RunningCaps } from '../cutting/running-caps.ts';
import { giveBackLeg } from '../gate/admit-leg.ts';
import { billedSecondsOf } from '../rating/quote.ts';
import type { EndedLeg } from '../rehearsal/what-if-decisions.ts';
import type { WhatIf } from '../rehearsal/what-if.ts';
import type { ControllerContext } from '../state/context.ts';
import { heldOf, siblingsOf } from '../state/held.ts';
import { isOwnAdmission, type Leg, type LegBook } from '../state/leg-book.ts';
import type { NodeClocks } from '../state/node-clock.ts';
import { createSequencer } from '../state/sequencer.ts';
import type { Timers } from '../state/timers.ts';
import { rootOf, type LegUuid } from '../units/ids.ts';
import { toEpochMs } from '../units/time.ts';
import type { EpochMs } from '../units/time.ts';
import type { AdmittedRecords } from './admitted-records.ts';
import { cutReasonOf } from './cut-reason.ts';
import { createRecordFinder } from './record-finder.ts';
import { endingOf, settlementOf, type Ending } from './settlement.ts';
import type { Ungated } from './ungated.ts';

/** How often a step is tried again while the store is away. */
const RETRY_MS = 500;

type LegEvent = Extract<SwitchEvent, { readonly kind: LegEventKind }>;

export type LegEvents = {
  /** Takes one event; what it leads to runs in order per leg, and never throws at the caller. */
  onEvent(event: LegEvent): void;
  /** A leg of ours that was settled from what is known, its end never told (a gap, a FreeSWITCH that died). */
  settleEstimated(record: LegRecord, ending: Ending): Promise<void>;
  /** Gives back what an A-leg's admissions hold and nobody answered. */
  giveBackUnanswered(record: LegRecord): Promise<void>;
  /** Resolves when everything begun is done. */
  idle(): Promise<void>;
  /** From now on a store that is away is not waited for: what is left undone is the next start's. */
  giveUpWaiting(): void;
};

/** Event → phase → steps → store. Every step may be repeated, and is, by the resync, when it failed here. */
export function createLegEvents(
  context: ControllerContext,
  parts: {
    readonly book: LegBook;
    readonly clocks: NodeClocks;
    readonly deadman: Deadman;
    readonly caps: RunningCaps;
    readonly ungated: Ungated;
    readonly whatIf: Pick<WhatIf, 'atEnd'>;
    readonly timers: Timers;
    readonly admitted: AdmittedRecords;
  },
): LegEvents {
  const { store, log, policy } = context;
  const { book, clocks, deadman, caps, ungated, timers, admitted, whatIf } = parts;
  let stopping = false;
  const sequencer = createSequencer<LegUuid>((err, uuid) =>
    log.error({ err, callUuid: uuid }, 'event not carried out'),
  );

  const finder = createRecordFinder(context, admitted);

  const appear = async (leg: Leg): Promise<void> => {
    if (leg.facts.loopback || leg.record !== undefined) return;
    const record = await finder.findRecord(leg);
    // A leg placed by a call from a route: the call is metered on its A-leg.
    if (record?.uuid === record?.aLeg && record !== undefined && record.uuid !== leg.uuid) return;
    if (record !== undefined) {
      const bound = await store.bind(record, leg.uuid);
      if (bound === 'bound') {
        book.attach(leg, { ...record, uuid: leg.uuid });
        return;
      }
    }
    // Its admission is spent, somebody else's, or there is none.
    if (!isOwnAdmission(leg.facts)) await ungated.onAppear(leg);
  };

  const answer = async (leg: Leg, event: LegEvent): Promise<void> => {
    if (event.kind !== 'answered') return;
    if (leg.record === undefined && !leg.facts.loopback && !isOwnAdmission(leg.facts))
      await ungated.onAnswer(leg);
    leg.answeredAt ??= clocks.toOurs(leg.facts.node, event.answeredAt, store.now());
    const found = await finder.findRecord(leg);
    if (found === undefined || (found.uuid ?? leg.uuid) !== leg.uuid) return;
    const record = finder.split(
      await caps.beforeAnswer(leg, finder.split(found, leg.answeredAt)),
      leg.answeredAt,
    );
    book.attach(leg, record);
    const outcome = await store.answer(record, leg.answeredAt);
    if (outcome.kind === 'gone') return;
    book.attach(leg, { ...record, answeredAt: leg.answeredAt });
    log.info({ callUuid: leg.uuid, accountId: record.account, legKey: record.legKey }, 'call answered');
    await giveBackSiblings(record);
    if (mayEnd(record)) await deadman.arm(leg);
  };

  /** One branch was answered: those that ring no more need nothing any more. */
  const giveBackSiblings = async (record: LegRecord): Promise<void> => {
    for (const { root, legKey } of siblingsOf(record)) {
      const live = await store.find(root, legKey);
      if (live !== undefined) await giveBackUnanswered(live.record);
    }
  };

  const release = async (leg: Leg, event: LegEvent): Promise<void> => {
    await endOfALeg(leg);
    const record = leg.record ?? (await finder.findRecord(leg));
    if (record === undefined || (record.uuid ?? leg.uuid) !== leg.uuid) return;
    const answered = event.leg.answeredAt ?? leg.answeredAt ?? record.answeredAt;
    if (answered === undefined && record.aLeg !== leg.uuid) {
      await unanswered(leg, record, event.kind === 'hung-up' ? event.cause : '');
      return;
    }
    await missedAnswer(leg, record, event.leg.answeredAt);
    await store.release(record);
  };

  /** The ANSWER may have been lost or may still be on its way: its end tells of it too. `toldAt`: on FreeSWITCH's clock. */
  const missedAnswer = async (
    leg: Leg,
    record: LegRecord,
    toldAt: EpochMs | undefined,
  ): Promise<LegRecord> => {
    leg.answeredAt ??= record.answeredAt;
    if (toldAt !== undefined) leg.answeredAt ??= clocks.toOurs(leg.facts.node, toldAt, store.now());
    if (leg.answeredAt === undefined) return record;
    const answered = finder.split(record, leg.answeredAt);
    if (record.answeredAt === undefined) await store.answer(answered, leg.answeredAt);
    return { ...answered, answeredAt: leg.answeredAt };
  };

  /**
   * A placed leg that nobody answered: its admission stays with the A-leg, since the dialplan may try another
   * carrier, unless the race is lost or the caller is gone.
   */
  const unanswered = async (leg: Leg, record: LegRecord, cause: string): Promise<void> => {
    const aLeg = book.leg(record.aLeg);
    const over = aLeg === undefined || aLeg.phase === 'going' || aLeg.phase === 'gone';
    book.detach(leg);
    // Admitted late, by no gate: the admission is the leg's own, and no other leg can take its place.
    const own = record.admission.startsWith(`${leg.uuid}.`);
    const lost = cause === 'LOSE_RACE' || (record.siblings.length > 1 && aLeg?.peer !== undefined);
    if (over || own || lost) {
      await giveBackLeg(context, record);
    } else {
      await store.unbind(record, leg.uuid);
    }
  };

  /** The caller is gone: what its admission holds for branches that nobody answered is given back. */
  const endOfALeg = async (leg: Leg): Promise<void> => {
    const held = heldOf(leg.facts);
    const told = new Set(held.map(({ legKey }) => legKey));
    for (const record of admitted.takeOf(leg.uuid)) {
      // Admitted, and the caller left before the gate's answer reached the channel: no leg will ever carry it.
      if (!told.has(record.legKey) && book.byKey(record.legKey) === undefined)
        await giveBackLeg(context, record);
    }
    if (held.length === 0) return;
    // Under load what its placed legs have told may still wait for the store: one that was answered ends by itself.
    await Promise.all(book.placedBy(leg.uuid).map(({ uuid }) => sequencer.soFar(uuid)));
    for (const { legKey, root } of held) {
      if (endsByItself(book.byKey(legKey))) continue;
      const live = await store.find(root, legKey);
      if (live !== undefined) await giveBackUnanswered(live.record);
    }
  };

  const giveBackUnanswered = async (record: LegRecord): Promise<void> => {
    if (record.answeredAt !== undefined || record.uuid === record.aLeg) return;
    if (endsByItself(book.byKey(record.legKey))) return;
    await giveBackLeg(context, record);
  };

  const settle = async (leg: Leg, event: LegEvent): Promise<void> => {
    if (event.kind !== 'completed') return;
    await endOfALeg(leg);
    await deadman.disarm(leg);
    const record = leg.record ?? (await finder.findRecord(leg));
    if (record === undefined || (record.uuid ?? leg.uuid) !== leg.uuid) return;
    const { times, cause } = event;
    if (times.answeredAt === undefined) {
      if (record.uuid === record.aLeg) await close(record, toEnding(leg, times, cause));
      else await unanswered(leg, record, cause);
      return;
    }
    const answered = await missedAnswer(leg, record, times.answeredAt);
    await close(answered, toEnding(leg, times, cause));
  };

  const toEnding = (leg: Leg, times: LegTimes, cause: string): Ending => {
    const { answeredAt } = leg;
    // The duration is FreeSWITCH's: two readings of its clock against ours may differ by what events lagged.
    const endedAt =
      answeredAt === undefined
        ? clocks.toOurs(leg.facts.node, times.endedAt, store.now())
        : toEpochMs(answeredAt + times.billMicroseconds / 1000);
    return endingOf(leg.uuid, cause, times, { answeredAt, endedAt });
  };

  const close = async (ended: LegRecord, ending: Ending): Promise<void> => {
    const record = finder.split(ended, ending.answeredAt);
    const billedSeconds = billedSecondsOf(ending.billMicroseconds, policy.seconds);
    const talk = { billedSeconds, talkMs: Math.ceil(ending.billMicroseconds / 1000) };
    let talked: EndedLeg['talked'] = { allotmentSeconds: new Map() };
    const outcome = await store.settle(record, talk, (final) => {
      talked = final;
      const cut = cutReasonOf(record, ending, final);
      return context.formatSettlement(settlementOf(record, { ...ending, cut }, final));
    });
    if (outcome.kind === 'already') return;
    context.announce(rootOf(record.account));
    const { uuid: callUuid, cause } = ending;
    const isAnswered = ending.answeredAt !== undefined;
    whatIf.atEnd(record, { legUuid: callUuid, talked, talkMs: talk.talkMs, isAnswered, ...outcome });
    log.info(
      { callUuid, accountId: record.account, cause, billedSeconds: outcome.billedSeconds },
      'call settled',
    );
  };

  const steps: Readonly<Record<LegStep, (leg: Leg, event: LegEvent) => Promise<void>>> = {
    appear,
    answer,
    release,
    settle,
    forget: async (leg) => {
      await deadman.disarm(leg);
    },
  };

  const carryOut = async (event: LegEvent): Promise<void> => {
    const now = store.now();
    const leg = book.open(event.leg, now);
    if (event.kind === 'renamed') book.rename(event.oldUuid, leg);
    const { next, steps: wanted } = transition(leg.phase, event.kind);
    leg.phase = next;
    for (const step of wanted) await untilStored(() => steps[step](leg, event), leg.uuid);
  };

  /** A store that is away for a while delays what an event leads to, and loses none of it. */
  const untilStored = async (step: () => Promise<void>, callUuid: LegUuid): Promise<void> => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await step();
        return;
      } catch (err) {
        if (!(err instanceof StoreUnavailableError) || stopping) throw err;
        log.warn({ err, callUuid, attempt }, 'store away, trying again');
        await new Promise<void>((resolve) => timers.after(RETRY_MS, resolve));
      }
    }
  };

  const noteBridge = (aLeg: LegUuid, bLeg: LegUuid, together: boolean): void => {
    for (const [one, other] of [
      [aLeg, bLeg],
      [bLeg, aLeg],
    ] as const) {
      const leg = book.leg(one);
      if (leg === undefined) continue;
      leg.peer = together ? other : undefined;
      leg.isParted = !together;
    }
  };

  return {
    onEvent(event) {
      const { leg } = event;
      clocks.observe(leg.node, leg.occurredAt, leg.receivedAt);
      if (event.kind === 'bridged') noteBridge(event.aLeg, event.bLeg, true);
      if (event.kind === 'unbridged') noteBridge(event.aLeg, event.bLeg, false);
      sequencer.run(leg.uuid, () => carryOut(event));
    },
    settleEstimated: (record, ending) => close(record, ending),
    giveBackUnanswered,
    idle: () => sequencer.idle(),
    giveUpWaiting: () => {
      stopping = true;
    },
  };
}

/** A channel that is up, or was answered: its own end gives back or settles what it holds. */
function endsByItself(bound: Leg | undefined): boolean {
  if (bound === undefined) return false;
  return bound.phase === 'ringing' || bound.phase === 'answered' || bound.answeredAt !== undefined;
}
