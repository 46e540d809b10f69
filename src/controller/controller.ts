import type { LegRecord } from '../admission/leg-record.ts';
import type { ShadowStore } from '../admission/shadow-store.ts';
import type { GateKeeper } from '../calls/gate.ts';
import type { SwitchEvent } from '../calls/switch-event.ts';
import type { SwitchListener } from '../calls/switch.ts';
import type { CutoffSchedule } from '../credit/cutoff-schedule.ts';
import { createCutoffs, type Cutoffs } from '../cutting/cutoffs.ts';
import { createDeadman } from '../cutting/deadman.ts';
import { createRunningCaps } from '../cutting/running-caps.ts';
import { giveBackLeg } from '../gate/admit-leg.ts';
import { createGatekeeper } from '../gate/gatekeeper.ts';
import { createLookAgain } from '../gate/look-again.ts';
import type { RehearsalFigures } from '../rehearsal/rehearsal.ts';
import { createWhatIf } from '../rehearsal/what-if.ts';
import type { ControllerContext } from '../state/context.ts';
import { createEndedByUs } from '../state/ended-by-us.ts';
import { createLegBook, type LegBook } from '../state/leg-book.ts';
import { createNodeClocks } from '../state/node-clock.ts';
import type { Timers } from '../state/timers.ts';
import type { AccountPath, NodeId, PoolId } from '../units/ids.ts';
import { createAdmittedRecords } from './admitted-records.ts';
import { createLegEvents } from './leg-events.ts';
import { createResync, type ResyncReport } from './resync.ts';
import { createUngated } from './ungated.ts';

/** How often memory is tidied and near dead-man timers are renewed. */
const TIDY_MS = 5_000;
/** A leg missing at one look is looked for again so soon. */
const DOUBT_MS = 2_500;

export type Controller = {
  readonly gatekeeper: GateKeeper;
  readonly cutoffs: Cutoffs;
  /** For the nodes whose events this controller takes. */
  readonly listener: SwitchListener;
  readonly book: LegBook;
  /** Accounts, tariffs or a wallet changed: acts on running calls at once. */
  walletChanged(account: PoolId): Promise<void>;
  /** Accounts were read anew: how long calls may last reaches running ones. */
  limitsChanged(): Promise<void>;
  resync(node: NodeId, coreUuid: string): Promise<ResyncReport | undefined>;
  idle(): Promise<void>;
  stop(): Promise<void>;
};

export function createController(
  given: ControllerContext,
  parts: {
    readonly schedule: Pick<CutoffSchedule, 'arm'>;
    readonly timers: Timers;
    /** What judging beside the calls reads. */
    readonly figures: RehearsalFigures;
    /** Where shadow limits count what they count for themselves. */
    readonly shadows: ShadowStore;
    readonly resyncMs: number;
    /** A parked leg that asks goes to the `park` gate. */
    readonly onParked: (event: Extract<SwitchEvent, { readonly kind: 'parked' }>) => void;
  },
): Controller {
  const { timers } = parts;
  const whatIf = createWhatIf(given, { figures: parts.figures, shadows: parts.shadows, timers });
  const context = { ...given, store: whatIf.noticing(given.store) };
  const { store, log, directory } = context;
  const book = createLegBook();
  const clocks = createNodeClocks();
  const deadman = createDeadman(context, book);
  const ungated = createUngated(context, book, {
    onAnswered: (answered) => whatIf.later(answered),
  });
  const admitted = createAdmittedRecords();
  const caps = createRunningCaps(context, { book, deadman });
  const events = createLegEvents(context, { book, clocks, deadman, caps, ungated, timers, admitted, whatIf });
  const roots = (): readonly AccountPath[] => directory.accounts().roots;
  const endedByUs = createEndedByUs();
  const cutoffs = createCutoffs(context, { book, endedByUs, schedule: parts.schedule, timers, roots });
  const resyncs = createResync(context, { book, endedByUs, events, roots, tell: (event) => onEvent(event) });
  const cores = new Map<NodeId, string>();
  const running = new Map<NodeId, Promise<ResyncReport | undefined>>();
  /** What ends one node's next look, and with all of them the controller's hold on the process. */
  const again = new Map<NodeId, () => void>();
  let stopped = false;

  const lookAgainSoon = (node: NodeId): void => {
    again.get(node)?.();
    if (!stopped)
      again.set(
        node,
        timers.after(DOUBT_MS, () => void resyncOnce(node)),
      );
  };

  const resync = async (node: NodeId, coreUuid: string): Promise<ResyncReport | undefined> => {
    try {
      const report = await resyncs.run(node, coreUuid);
      const { adopted, settled, doubted } = report;
      if (adopted + settled + doubted > 0) log.info({ node, ...report }, 'node compared');
      if (doubted > 0) lookAgainSoon(node);
      return report;
    } catch (err) {
      // A node that cannot be asked keeps its calls.
      log.warn({ err, node }, 'node not compared');
      // Its commands may come up a moment after its events: the whole interval would be long to wait.
      lookAgainSoon(node);
      return undefined;
    }
  };

  const resyncOnce = (node: NodeId): Promise<ResyncReport | undefined> => {
    const coreUuid = cores.get(node);
    if (coreUuid === undefined) return Promise.resolve(undefined);
    const standing = running.get(node);
    if (standing !== undefined) return standing;
    const mine = resync(node, coreUuid).finally(() => running.delete(node));
    running.set(node, mine);
    return mine;
  };

  const stops = [
    timers.every(parts.resyncMs, () => {
      for (const node of cores.keys()) void resyncOnce(node);
    }),
    timers.every(TIDY_MS, () => {
      book.prune(store.now());
      endedByUs.prune(store.now());
      void deadman.renewNear(store.now());
    }),
  ];

  const onEvent = (event: SwitchEvent): void => {
    if (event.kind === 'heartbeat') {
      clocks.observe(event.node, event.occurredAt, event.receivedAt);
    } else if (event.kind === 'shutdown') {
      log.warn({ node: event.node }, 'freeswitch shuts down');
    } else {
      events.onEvent(event);
      if (event.kind === 'parked' && event.leg.gate.asks) ask(event);
    }
  };

  /** Told twice, or found by a resync as well, it would be sent on a second time in the middle of its bridge. */
  const ask = (event: Extract<SwitchEvent, { readonly kind: 'parked' }>): void => {
    const leg = book.open(event.leg, store.now());
    const question = event.leg.gate.admission ?? '';
    if (leg.asked === question) return;
    leg.asked = question;
    parts.onParked(event);
  };

  const onAdmitted = async (record: LegRecord): Promise<void> => {
    admitted.remember(record);
    const { phase } = book.leg(record.aLeg) ?? { phase: 'unknown' };
    // The caller left while the gate decided: its end has passed, and would have given this back.
    if (phase !== 'going' && phase !== 'gone') return;
    for (const late of admitted.takeOf(record.aLeg)) await giveBackLeg(context, late);
  };

  return {
    gatekeeper: createGatekeeper(context, {
      onAdmitted,
      onAnswered: (answered) => whatIf.later(answered),
      lookAgain: createLookAgain({ directory, timers, log }),
    }),
    cutoffs,
    book,
    listener: {
      async onUp({ node, coreUuid, restarted }) {
        cores.set(node, coreUuid);
        log.info({ node, coreUuid, restarted }, 'freeswitch connected');
        await resync(node, coreUuid);
      },
      onDown({ node, reason }) {
        cores.delete(node);
        // Until now its legs were known to be alive: what is settled without a word of theirs, is up to here.
        for (const leg of book.ofNode(node)) if (leg.phase === 'answered') leg.seenAt = store.now();
        log.warn({ node, reason }, 'freeswitch not connected');
      },
      onEvent,
    },
    async walletChanged(account) {
      cutoffs.walletChanged(account);
      await deadman.walletChanged(account);
    },
    async limitsChanged() {
      whatIf.limitsChanged();
      await caps.apply();
    },
    resync,
    idle: () => events.idle(),
    async stop() {
      stopped = true;
      for (const stop of [...stops, ...again.values()]) stop();
      events.giveUpWaiting();
      await events.idle();
      await cutoffs.stop();
      await whatIf.stop();
    },
  };
}
