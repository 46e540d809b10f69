import type convict from 'convict';
import { DECISION_SCHEMA } from './decision-schema.ts';
import { LOG_LEVELS, type Settings } from './settings.ts';

/** What convict holds every setting against. README's table of settings is tested against this. */
export const SCHEMA: convict.Schema<Settings> = {
  freeswitch: {
    nodes: {
      doc: 'The FreeSWITCH servers: a list of {id, host, port, password}. Empty: the one of host, port and password.',
      format: 'nodes',
      default: [],
      env: 'TOLLGATE_FREESWITCH_NODES',
      sensitive: true,
    },
    host: {
      doc: 'Event Socket host of the only FreeSWITCH, where nodes is empty.',
      format: 'host',
      default: '127.0.0.1',
      env: 'TOLLGATE_FREESWITCH_HOST',
    },
    port: {
      doc: 'Event Socket port of the only FreeSWITCH.',
      format: 'tcp-port',
      default: 8021,
      env: 'TOLLGATE_FREESWITCH_PORT',
    },
    password: {
      doc: 'Event Socket password of the only FreeSWITCH.',
      format: 'secret',
      default: 'ClueCon',
      env: 'TOLLGATE_FREESWITCH_PASSWORD',
      sensitive: true,
    },
    replyTimeoutMs: {
      doc: 'A command unanswered for so long drops its connection.',
      format: 'milliseconds',
      default: 5000,
      env: 'TOLLGATE_FREESWITCH_REPLY_TIMEOUT_MS',
    },
    commandConnections: {
      doc: 'Connections for commands to each FreeSWITCH, beside the one for events.',
      format: 'some',
      default: 2,
      env: 'TOLLGATE_FREESWITCH_COMMAND_CONNECTIONS',
    },
    accountVariables: {
      doc: 'Channel variables that name the account where tollgate_account is unset; the first found counts.',
      format: 'variable-names',
      default: ['accountcode'],
      env: 'TOLLGATE_FREESWITCH_ACCOUNT_VARIABLES',
    },
  },
  gates: {
    socket: {
      enabled: {
        doc: 'Listen for calls that the dialplan sends by `socket`.',
        format: 'flag',
        default: true,
        env: 'TOLLGATE_GATES_SOCKET_ENABLED',
      },
      host: {
        doc: 'Address the `socket` gate listens on.',
        format: 'host',
        default: '127.0.0.1',
        env: 'TOLLGATE_GATES_SOCKET_HOST',
      },
      port: {
        doc: 'Port the `socket` gate listens on; 0: any free one, told in the log.',
        format: 'tcp-port-or-any',
        default: 8084,
        env: 'TOLLGATE_GATES_SOCKET_PORT',
      },
      maxOpen: {
        doc: 'Connections of the `socket` gate open at once; further ones are closed unheard.',
        format: 'some',
        default: 10000,
        env: 'TOLLGATE_GATES_SOCKET_MAX_OPEN',
      },
    },
    park: {
      enabled: {
        doc: 'Answer calls that the dialplan parks with tollgate_ask=true.',
        format: 'flag',
        default: true,
        env: 'TOLLGATE_GATES_PARK_ENABLED',
      },
    },
    decisionTimeoutMs: {
      doc: 'A decision that takes longer is given up, and the call fails as store.onDown says.',
      format: 'milliseconds',
      default: 3000,
      env: 'TOLLGATE_GATES_DECISION_TIMEOUT_MS',
    },
    refusal: {
      doc: 'What a refused call does: end with its cause, or continue in the dialplan, which may play an announcement.',
      format: ['end', 'continue'],
      default: 'end',
      env: 'TOLLGATE_GATES_REFUSAL',
    },
    ungated: {
      doc: 'What becomes of a leg that passed no gate: admit and meter it, kill it, or ignore it.',
      format: ['admit', 'kill', 'ignore'],
      default: 'admit',
      env: 'TOLLGATE_GATES_UNGATED',
    },
    causes: {
      doc: 'How refused calls end, by kind (concurrency, busy, rate, credit, barred, storeDown): {sipCode, reason, cause}. What is left out keeps its default.',
      format: 'causes',
      default: {},
      env: 'TOLLGATE_GATES_CAUSES',
    },
  },
  ...DECISION_SCHEMA,
  store: {
    onDown: {
      doc: 'A new call while Redis cannot answer, where its account says nothing else.',
      format: ['refuse', 'allow'],
      default: 'refuse',
      env: 'TOLLGATE_STORE_ON_DOWN',
    },
  },
  redis: {
    url: {
      doc: 'The Redis that holds the live state.',
      format: 'redis-url',
      default: 'redis://127.0.0.1:6379',
      env: 'TOLLGATE_REDIS_URL',
      sensitive: true,
    },
    commandTimeoutMs: {
      doc: 'Redis counts as down when a command takes longer.',
      format: 'milliseconds',
      default: 2000,
      env: 'TOLLGATE_REDIS_COMMAND_TIMEOUT_MS',
    },
  },
  database: {
    url: {
      doc: 'The SQL record: the path of an SQLite file, or postgres://user:password@host:5432/database.',
      format: 'database-url',
      default: '.tollgate/tollgate.sqlite',
      env: 'TOLLGATE_DATABASE_URL',
      sensitive: true,
    },
    connectionsMax: {
      doc: 'Connections to PostgreSQL at once, beside the one that the CDRs are written by.',
      format: 'some',
      default: 5,
      env: 'TOLLGATE_DATABASE_CONNECTIONS_MAX',
    },
    connectTimeoutMs: {
      doc: 'PostgreSQL counts as down when a connection takes longer.',
      format: 'milliseconds',
      default: 5000,
      env: 'TOLLGATE_DATABASE_CONNECT_TIMEOUT_MS',
    },
    statementTimeoutMs: {
      doc: 'PostgreSQL gives up a statement that takes longer.',
      format: 'milliseconds',
      default: 60000,
      env: 'TOLLGATE_DATABASE_STATEMENT_TIMEOUT_MS',
    },
  },
  controller: {
    id: {
      doc: 'Name of this controller among those that share the Redis. Empty: host name and process id.',
      format: 'controller-id',
      default: '',
      env: 'TOLLGATE_CONTROLLER_ID',
    },
    leaseMs: {
      doc: 'A controller silent for so long loses its FreeSWITCH servers to another.',
      format: 'milliseconds',
      default: 3000,
      env: 'TOLLGATE_CONTROLLER_LEASE_MS',
    },
    resyncMs: {
      doc: 'How often the channels of each FreeSWITCH are compared with ours.',
      format: 'milliseconds',
      default: 30000,
      env: 'TOLLGATE_CONTROLLER_RESYNC_MS',
    },
  },
  cutoff: {
    earlyMs: {
      doc: 'How long before a cutoff its job fires, to look again and set the exact timer.',
      format: 'milliseconds-or-none',
      default: 1000,
      env: 'TOLLGATE_CUTOFF_EARLY_MS',
    },
    warningSeconds: {
      doc: 'How long before its cutoff a leg that pays is played the warning; empty: never.',
      format: 'seconds-list',
      default: [60, 10],
      env: 'TOLLGATE_CUTOFF_WARNING_SECONDS',
    },
    warningSound: {
      doc: 'What it is played: a file that FreeSWITCH can read, or a tone.',
      format: 'sound',
      default: 'tone_stream://%(250,0,800)',
      env: 'TOLLGATE_CUTOFF_WARNING_SOUND',
    },
  },
  deadman: {
    slackSeconds: {
      doc: "How long after the last funded second FreeSWITCH's own timer ends a call.",
      format: 'seconds',
      default: 2,
      env: 'TOLLGATE_DEADMAN_SLACK_SECONDS',
    },
    secondsMax: {
      doc: "The longest that FreeSWITCH's own timer is set for.",
      format: 'seconds',
      default: 86400,
      env: 'TOLLGATE_DEADMAN_SECONDS_MAX',
    },
  },
  shutdown: {
    graceMs: {
      doc: 'How long a stop waits for what has begun.',
      format: 'milliseconds',
      default: 10000,
      env: 'TOLLGATE_SHUTDOWN_GRACE_MS',
    },
  },
  log: {
    level: {
      doc: 'The least severe messages that are logged.',
      format: [...LOG_LEVELS],
      default: 'info',
      env: 'TOLLGATE_LOG_LEVEL',
    },
  },
  http: {
    host: {
      doc: 'Address of the health page.',
      format: 'host',
      default: '127.0.0.1',
      env: 'TOLLGATE_HTTP_HOST',
    },
    port: {
      doc: 'Port of the health page; 0: none.',
      format: 'tcp-port-or-off',
      default: 0,
      env: 'TOLLGATE_HTTP_PORT',
    },
  },
};
