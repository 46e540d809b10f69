import type { HeaderValue } from './event.ts';
import type { Thread } from './thread.ts';
import type { Alarm } from './time-source.ts';

export type Direction = 'inbound' | 'outbound';

/** A dialplan application and its argument; the last is the id its events are to carry. */
export type Action = readonly [application: string, argument?: string, uuid?: string | undefined];

/** Who a leg says it is; replaced, not changed, by a transfer. */
export type Profile = {
  readonly index: number;
  readonly createdMicros: number;
  readonly username: string;
  readonly dialplan: string;
  readonly callerName: string;
  readonly callerNumber: string;
  readonly originalCallerName: string;
  readonly originalCallerNumber: string;
  readonly calleeName: string;
  readonly calleeNumber: string;
  readonly networkAddress: string;
  readonly destination: string;
  readonly redirectedFrom: string;
  readonly source: string;
  readonly transferSource: string;
  readonly context: string;
};

/** Microseconds of FreeSWITCH's clock, 0 for not yet. */
export type LegStamps = {
  created: number;
  answered: number;
  progress: number;
  progressMedia: number;
  bridged: number;
  hungUp: number;
};

/** The leg at the other end as it was when the two met: FreeSWITCH keeps a copy, which goes stale. */
export type OtherLeg = {
  readonly role: 'originator' | 'originatee';
  readonly uuid: string;
  readonly name: string;
  readonly direction: Direction;
  readonly profile: Profile;
  readonly stamps: Readonly<LegStamps>;
};

/** What a leg's own thread is to do. A new one breaks whatever the old one waits for. */
export type Assignment =
  | { readonly kind: 'route' }
  | { readonly kind: 'run'; readonly actions: readonly Action[] }
  | { readonly kind: 'park' }
  /** Ringing at the far end, on behalf of somebody else's `bridge` or of `originate`. */
  | { readonly kind: 'consume' }
  /** Bridged, and the other leg's thread does the work. */
  | { readonly kind: 'exchange'; readonly with: Leg }
  /** Bridged by `uuid_bridge`, and this leg's thread does the work. */
  | { readonly kind: 'join'; readonly with: Leg };

export type PrivateMessage = {
  readonly application: string;
  readonly argument: string;
  readonly uuid: string | undefined;
  readonly loops: number;
  readonly onDone: (() => void) | undefined;
};

export type Ender =
  | 'caller'
  | 'far-end'
  | 'api'
  | 'scheduler'
  | 'dialplan'
  | 'other-leg'
  | 'originate'
  | 'transfer';

const STATE_NUMBERS = {
  CS_NEW: 0,
  CS_NONE: 1,
  CS_INIT: 1,
  CS_ROUTING: 2,
  CS_SOFT_EXECUTE: 3,
  CS_EXECUTE: 4,
  CS_EXCHANGE_MEDIA: 5,
  CS_PARK: 6,
  CS_CONSUME_MEDIA: 7,
  CS_HIBERNATE: 8,
  CS_HANGUP: 10,
  CS_REPORTING: 11,
  CS_DESTROY: 12,
} as const;
export type ChannelState = keyof typeof STATE_NUMBERS;
export type CallState = 'DOWN' | 'RINGING' | 'EARLY' | 'ACTIVE' | 'HELD' | 'HANGUP';

/** One channel. Everything that FreeSWITCH keeps of it; what it does is in the files beside this one. */
export class Leg {
  readonly uuid: string;
  readonly direction: Direction;
  readonly name: string;
  readonly sessionId: number;
  profile: Profile;
  readonly stamps: LegStamps;
  /** `Channel-State` names the state that runs; the number beside it is the state already asked for. */
  runningState: ChannelState = 'CS_NONE';
  stateNumber = 1;
  callState: CallState = 'DOWN';
  isDialplanHit: boolean;
  callUuid: string;
  cause: string | undefined;
  /** The phone or carrier ended it, not the switch. */
  hasRemoteEnded = false;
  other: OtherLeg | undefined;
  readonly variables = new Map<string, HeaderValue>();

  assignment: Assignment = { kind: 'consume' };
  readonly messages: PrivateMessage[] = [];
  /** What the far end or the caller will do; called off when the leg is gone. */
  readonly alarms: Alarm[] = [];
  /** Threads that wait for something to happen to this leg: its own, its originator's, its bridge's. */
  readonly watchers = new Set<Thread>();
  bridgedWith: Leg | undefined;
  /** The other half of a loopback pair. */
  twin: Leg | undefined;
  application: readonly [name: string, argument: string] = ['', ''];
  /** The caller's own plans for after the answer. */
  onAnswer: (() => void) | undefined;
  /** Ends an outbound socket that must not outlive the call; answers whether the session has to wait for it. */
  onGoingDown: (() => void) | undefined;
  isLingering: (() => boolean) | undefined;

  constructor(facts: {
    readonly uuid: string;
    readonly direction: Direction;
    readonly name: string;
    readonly sessionId: number;
    readonly profile: Profile;
    readonly createdMicros: number;
  }) {
    this.uuid = facts.uuid;
    this.direction = facts.direction;
    this.name = facts.name;
    this.sessionId = facts.sessionId;
    this.profile = facts.profile;
    this.callUuid = facts.uuid;
    this.isDialplanHit = facts.direction === 'inbound';
    this.stamps = {
      created: facts.createdMicros,
      answered: 0,
      progress: 0,
      progressMedia: 0,
      bridged: 0,
      hungUp: 0,
    };
  }

  get isUp(): boolean {
    return this.cause === undefined;
  }

  get isAnswered(): boolean {
    return this.stamps.answered > 0;
  }

  variable(name: string): string | undefined {
    const value = this.variables.get(name);
    return typeof value === 'string' ? value : value?.[0];
  }

  isTrue(name: string): boolean {
    return /^(?:true|yes|on|t|y|enabled|active|allow|[1-9]\d*)$/i.test(this.variable(name) ?? '');
  }

  enter(state: ChannelState): void {
    this.runningState = state;
    this.stateNumber = STATE_NUMBERS[state];
  }

  snapshot(role: OtherLeg['role']): OtherLeg {
    const { uuid, name, direction, profile } = this;
    return { role, uuid, name, direction, profile, stamps: { ...this.stamps } };
  }
}
