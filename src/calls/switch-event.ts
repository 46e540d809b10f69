import type { AdmissionId, LegUuid, NodeId } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';

/**
 * What FreeSWITCH tells us, in our words: the whole vocabulary of that boundary. `freeswitch/decode-event.ts`
 * is the one function that makes these from wire messages. Text from strangers is already cleaned: no control
 * characters, bounded length.
 */
export type SwitchEvent =
  | { readonly kind: 'created'; readonly leg: LegFacts }
  | { readonly kind: 'answered'; readonly leg: LegFacts; readonly answeredAt: EpochMs }
  | { readonly kind: 'bridged'; readonly leg: LegFacts; readonly aLeg: LegUuid; readonly bLeg: LegUuid }
  | { readonly kind: 'unbridged'; readonly leg: LegFacts; readonly aLeg: LegUuid; readonly bLeg: LegUuid }
  /** CHANNEL_HANGUP: the leg is going; it carries a cause but no durations. */
  | { readonly kind: 'hung-up'; readonly leg: LegFacts; readonly cause: string }
  /** CHANNEL_HANGUP_COMPLETE: the leg is gone, with FreeSWITCH's own durations. */
  | { readonly kind: 'completed'; readonly leg: LegFacts; readonly cause: string; readonly times: LegTimes }
  | { readonly kind: 'destroyed'; readonly leg: LegFacts }
  /** CHANNEL_PARK: the `park` gate's question, or any other parked leg. */
  | { readonly kind: 'parked'; readonly leg: LegFacts }
  /** CHANNEL_UUID: the leg's id changed (loopback origination, recovery after a crash). */
  | { readonly kind: 'renamed'; readonly leg: LegFacts; readonly oldUuid: LegUuid }
  | {
      readonly kind: 'heartbeat';
      readonly node: NodeId;
      readonly coreUuid: string;
      readonly occurredAt: EpochMs;
      readonly receivedAt: EpochMs;
      readonly liveLegs: number;
    }
  | {
      readonly kind: 'shutdown';
      readonly node: NodeId;
      readonly coreUuid: string;
      readonly receivedAt: EpochMs;
    };

/** What any channel event, an outbound socket's channel data or a channel dump says of its leg. */
export type LegFacts = {
  readonly uuid: LegUuid;
  readonly node: NodeId;
  readonly coreUuid: string;
  readonly direction: 'inbound' | 'outbound';
  /** When FreeSWITCH fired the event, on FreeSWITCH's clock. */
  readonly occurredAt: EpochMs;
  /** When we read it, on this host's clock. `receivedAt − occurredAt` over a window gives the node's offset (ruling 21). */
  readonly receivedAt: EpochMs;
  /** FreeSWITCH's clock; undefined while the leg is unanswered. */
  readonly answeredAt: EpochMs | undefined;
  readonly createdAt: EpochMs | undefined;
  /** The leg that placed this one, where FreeSWITCH says so. */
  readonly originator: LegUuid | undefined;
  readonly callerNumber: string;
  readonly callerName: string;
  readonly destination: string;
  readonly context: string;
  /** `loopback/…` pairs are counted and charged once: true for either of the pair. */
  readonly loopback: boolean;
  readonly gate: GateVariables;
};

/** The channel variables that Tollgate reads, as found; nothing here is trusted yet. README has the table. */
export type GateVariables = {
  readonly account: string | undefined;
  readonly callee: string | undefined;
  readonly forwarder: string | undefined;
  readonly routes: readonly string[];
  readonly options: readonly string[];
  readonly destination: string | undefined;
  /** What is said of a customer that need not be stored; left out where nothing is. */
  readonly customer?: CustomerVariables;
  readonly bridge: string | undefined;
  /** Exported by an earlier pass of a gate, inherited by the legs it placed. */
  readonly admission: AdmissionId | undefined;
  readonly branch: string | undefined;
  /** The root that keeps the admission's record. */
  readonly home: string | undefined;
  /** On the A-leg: what its passes of a gate hold, each `pass:branch:root`. */
  readonly branches: readonly string[];
  /** On an A-leg that is metered itself: by which of those. */
  readonly metered: string | undefined;
  /** FreeSWITCH's own `export_vars`, to be extended and not replaced. */
  readonly exportVars: string | undefined;
  /** Where the `park` gate sends the call on: an extension of the same context; absent: the number it had dialled. */
  readonly next: string | undefined;
  /** `park` gate: this parked leg asks for a decision (any parked leg that does not is none of ours). */
  readonly asks: boolean;
};

export const CUSTOMER_VARIABLES = [
  'customer',
  'maxCredit',
  'connect',
  'cps',
  'ipulse',
  'fpulse',
  'maxTime',
  'maxChannels',
] as const;
export type CustomerVariables = Readonly<Partial<Record<(typeof CUSTOMER_VARIABLES)[number], string>>>;

/** All on FreeSWITCH's clock. `billMicroseconds` is what is charged; `billsec` is kept for comparison only (DESIGN 5). */
export type LegTimes = {
  readonly startedAt: EpochMs;
  readonly answeredAt: EpochMs | undefined;
  readonly endedAt: EpochMs;
  readonly billMicroseconds: number;
  readonly billsec: number;
};
