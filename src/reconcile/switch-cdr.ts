import type { CustomerVariables, GateVariables } from '../calls/switch-event.ts';
import type { LegUuid } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';

/**
 * One leg as FreeSWITCH's own CDR files have it, whatever their format. Moments are on FreeSWITCH's clock. Text comes
 * from strangers and is cleaned; durations and moments fit one another, or there would be none of this.
 */
export type SwitchCdr = {
  readonly uuid: LegUuid;
  readonly coreUuid: string | undefined;
  readonly switchName: string | undefined;
  /** Of the channel; undefined: the file does not say (mod_cdr_csv's own template). */
  readonly direction: 'inbound' | 'outbound' | undefined;
  readonly callerNumber: string;
  /** As first dialled, where the file remembers it. */
  readonly destination: string;
  readonly startedAt: EpochMs;
  readonly answeredAt: EpochMs | undefined;
  readonly endedAt: EpochMs;
  /** The exact duration, the only one that is charged (DESIGN 5); undefined: the file has whole seconds only. */
  readonly billMicroseconds: number | undefined;
  readonly billsec: number;
  readonly cause: string;
  /** The leg that placed this one. */
  readonly originator: LegUuid | undefined;
  /** The leg that this one, the A-leg, was bridged to, where a file says only that. */
  readonly bLeg: LegUuid | undefined;
  /** The legs that this one placed, where it tells. Their own CDRs may be missing, or not there yet. */
  readonly placedLegs: readonly LegUuid[];
  readonly loopback: boolean;
  readonly gate: CdrVariables;
};

/** What Tollgate and the dialplan left on the channel. */
export type CdrVariables = Pick<
  GateVariables,
  | 'account'
  | 'callee'
  | 'forwarder'
  | 'routes'
  | 'options'
  | 'destination'
  | 'admission'
  | 'branch'
  | 'home'
  | 'metered'
  | 'bridge'
> & {
  /** What came with the call for its customer; left out where nothing did. */
  readonly customer?: CustomerVariables;
  /** `tollgate_decision`, as found. */
  readonly decision: string | undefined;
  /** The destination that the gate decided for. */
  readonly admittedDestination: string | undefined;
};

/** Where a leg was read: the file, and its line from 1. */
export type CdrPlace = { readonly file: string; readonly line: number };

export type PlacedCdr = { readonly leg: SwitchCdr; readonly place: CdrPlace };
