import type { LegUuid, NodeId } from '../units/ids.ts';
import type { LegFacts, LegTimes, SwitchEvent } from './switch-event.ts';

/** One FreeSWITCH as the controller sees it. `freeswitch/` implements it over the Event Socket. */
export type Switch = {
  readonly node: NodeId;
  readonly control: CallControl;
  health(): SwitchHealth;
};

/**
 * The node's event stream, taken by the one controller that holds the node's lease. Command connections stand
 * whether it is on or off, so that whoever works a cutoff can cut.
 */
export type EventStream = {
  startEvents(listener: SwitchListener): void;
  /** After this returns the listener hears nothing more, `onDown` included. */
  stopEvents(): void;
};

export type SwitchHealth = {
  readonly up: boolean;
  readonly coreUuid: string | undefined;
  readonly lagMs: number;
  readonly reconnects: number;
};

/** Who is told what a FreeSWITCH does. Handlers never throw across this edge. */
export type SwitchListener = {
  /**
   * Every connection established, the first included. Events that arrive while it runs are kept and delivered
   * in order after it resolves, so that a resync sees a still picture.
   */
  onUp(up: { readonly node: NodeId; readonly coreUuid: string; readonly restarted: boolean }): Promise<void>;
  onDown(down: { readonly node: NodeId; readonly reason: string }): void;
  onEvent(event: SwitchEvent): void;
};

/** The only verbs that reach a FreeSWITCH. Every argument is checked against its allow-list before it is sent. */
export type CallControl = {
  /**
   * Ends the leg, and others with it in one write. `gone`: FreeSWITCH no longer finds one of them, which may still be
   * on its way down.
   */
  kill(uuid: LegUuid, cause: string, ...others: readonly LegUuid[]): Promise<'started' | 'gone'>;
  setVariables(uuid: LegUuid, variables: ReadonlyMap<string, string>): Promise<'set' | 'gone'>;
  /** Sets the variables, then sends the leg on to an extension: one pipelined write (the `park` gate's answer). */
  goOn(
    uuid: LegUuid,
    variables: ReadonlyMap<string, string>,
    to: { readonly extension: string; readonly context: string },
  ): Promise<'started' | 'gone'>;
  /** Executes one dialplan application on a parked leg (`respond`, `bridge`), after setting the variables. */
  execute(
    uuid: LegUuid,
    variables: ReadonlyMap<string, string>,
    application: string,
    argument: string,
  ): Promise<'started' | 'gone'>;
  /**
   * FreeSWITCH itself kills the leg after so many whole seconds (`sched_api`, own group). The previous task is
   * deleted only after the new one stands, so the leg is never unguarded.
   */
  armDeadman(uuid: LegUuid, seconds: number, previous: DeadmanTask | undefined): Promise<DeadmanTask>;
  disarmDeadman(task: DeadmanTask): Promise<void>;
  /** Deletes what `execute_on_answer=sched_hangup` scheduled, once a dead-man of our own stands. */
  dropScheduledHangup(uuid: LegUuid): Promise<void>;
  /** Mixes a sound into what this leg alone hears; the bridge and the peer notice nothing. */
  warn(uuid: LegUuid, file: string): Promise<'started' | 'gone'>;
  /** The live channels. Rejects when FreeSWITCH cannot say: absence of an answer is not absence of calls. */
  channels(): Promise<readonly ChannelRow[]>;
  /** All that FreeSWITCH knows of one leg; undefined when it does not know it. */
  inspect(
    uuid: LegUuid,
  ): Promise<{ readonly leg: LegFacts; readonly times: LegTimes | undefined } | undefined>;
};

export type DeadmanTask = string & { readonly __brand: 'DeadmanTask' };

export type ChannelRow = {
  readonly uuid: LegUuid;
  readonly direction: 'inbound' | 'outbound';
  readonly createdEpochSeconds: number;
  readonly answered: boolean;
  readonly destination: string;
  readonly accountCode: string;
};
