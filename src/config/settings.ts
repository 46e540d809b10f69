/** Every setting by its key, as the file and the environment give it. Units are in the names. */
export type Settings = {
  readonly freeswitch: {
    readonly nodes: readonly NodeSettings[];
    readonly host: string;
    readonly port: number;
    readonly password: string;
    readonly replyTimeoutMs: number;
    readonly commandConnections: number;
    readonly accountVariables: readonly string[];
  };
  readonly gates: {
    readonly socket: {
      readonly enabled: boolean;
      readonly host: string;
      readonly port: number;
      readonly maxOpen: number;
    };
    readonly park: { readonly enabled: boolean };
    readonly decisionTimeoutMs: number;
    readonly refusal: 'end' | 'continue';
    readonly ungated: 'admit' | 'kill' | 'ignore';
    readonly causes: Readonly<Partial<Record<CauseKind, Partial<Cause>>>>;
  };
  readonly admission: {
    readonly unfunded: 'refuse' | 'allow';
    readonly emergencyNumbers: readonly string[];
  };
  readonly customers: { readonly currency: string };
  readonly rating: {
    readonly unrated: 'refuse' | 'allow';
    readonly unratedInbound: 'refuse' | 'allow';
    readonly seconds: 'up' | 'down' | 'nearest';
    readonly periods: 'start' | 'split';
  };
  readonly accounts: { readonly defaults: Readonly<Record<string, unknown>> };
  readonly store: { readonly onDown: 'refuse' | 'allow' };
  readonly redis: { readonly url: string; readonly commandTimeoutMs: number };
  readonly database: {
    readonly url: string;
    readonly connectionsMax: number;
    readonly connectTimeoutMs: number;
    readonly statementTimeoutMs: number;
  };
  readonly controller: { readonly id: string; readonly leaseMs: number; readonly resyncMs: number };
  readonly cutoff: {
    readonly earlyMs: number;
    readonly warningSeconds: readonly number[];
    readonly warningSound: string;
  };
  readonly deadman: { readonly slackSeconds: number; readonly secondsMax: number };
  readonly shutdown: { readonly graceMs: number };
  readonly log: { readonly level: LogLevel };
  readonly http: { readonly host: string; readonly port: number };
};

/** One FreeSWITCH and how to reach its Event Socket. */
export type NodeSettings = {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly password: string;
};

/** What refused a call, as far as the caller is told. */
export const CAUSE_KINDS = ['concurrency', 'busy', 'rate', 'credit', 'barred', 'storeDown'] as const;
export type CauseKind = (typeof CAUSE_KINDS)[number];

/** How a refused call ends: by this answer where it is unanswered, by this cause where it is not. */
export type Cause = { readonly sipCode: number; readonly reason: string; readonly cause: string };

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** DESIGN 4: no cause of FreeSWITCH becomes a 402, therefore the code is given as well. */
export const DEFAULT_CAUSES: Readonly<Record<CauseKind, Cause>> = {
  concurrency: { sipCode: 503, reason: 'Service Unavailable', cause: 'CALL_REJECTED' },
  busy: { sipCode: 486, reason: 'Busy Here', cause: 'USER_BUSY' },
  rate: { sipCode: 503, reason: 'Service Unavailable', cause: 'CALL_REJECTED' },
  credit: { sipCode: 402, reason: 'Payment Required', cause: 'CALL_REJECTED' },
  barred: { sipCode: 403, reason: 'Forbidden', cause: 'CALL_REJECTED' },
  storeDown: { sipCode: 503, reason: 'Service Unavailable', cause: 'CALL_REJECTED' },
};
