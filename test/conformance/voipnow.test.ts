import { describe } from 'vitest';
import { times, type AccountSpec, type Call, type Case, type Limits } from './cases.ts';
import { runCases } from './run-cases.ts';

/** VoipNow's levels: service provider, organization, user, extension. */
const PROVIDER = 'acme';
const ORGANIZATION = 'acme/org';
const USER = 'acme/org/user';
const EXTENSION = 'acme/org/user/001';
const LEVELS = [PROVIDER, ORGANIZATION, USER, EXTENSION];

function house(limits: Readonly<Record<string, AccountSpec>> = {}): Case['accounts'] {
  const paths = [
    ...LEVELS,
    'acme/org/user/002',
    'acme/org/user/011',
    'acme/org/second',
    'acme/org/second/101',
    'other',
    'other/201',
  ];
  return Object.fromEntries(paths.map((path) => [path, limits[path] ?? {}]));
}

const ROUTES: Readonly<Record<string, Limits>> = { channel: {} };

const OUT = `${EXTENSION} → channel`;
const IN = `channel → ${EXTENSION}`;
const INSIDE = `${EXTENSION} → acme/org/second/101`;

const PUBLIC_OUT = { calls: 1, resourceConsumingCalls: 1, outboundCalls: 1, publicCalls: 1 };
const PUBLIC_IN = { calls: 1, resourceConsumingCalls: 1, inboundCalls: 1, publicCalls: 1 };

const levels = LEVELS.flatMap((level): readonly Case[] => {
  const isPhone = level === EXTENSION;
  return [
    {
      title: `publicCalls of ${level} hold for calls out and calls in together, and not for internal ones`,
      accounts: house({ [level]: { publicCalls: 2 } }),
      routes: ROUTES,
      steps: [
        [OUT, 'rings'],
        [IN, 'rings'],
        [OUT, `503 publicCalls of ${level}`],
        [IN, `486 publicCalls of ${level}`],
        [INSIDE, 'rings'],
      ],
    },
    {
      title: `internalCalls of ${level} hold for calls within the house, and not for public ones`,
      accounts: house({ [level]: { internalCalls: 1 } }),
      routes: ROUTES,
      steps: [
        [INSIDE, 'rings'],
        [INSIDE, `503 internalCalls of ${level}`],
        // The other way round it is the called side that is full; what both sides share is still the caller's.
        [
          `acme/org/second/101 → ${EXTENSION}`,
          `${isPhone || level === USER ? 486 : 503} internalCalls of ${level}`,
        ],
        [OUT, 'rings'],
        [IN, 'rings'],
      ],
    },
  ];
});

const counted: readonly Case[] = [
  {
    title: 'local to local: the chains of caller and callee are counted, what they share once',
    accounts: house(),
    routes: ROUTES,
    steps: [
      [INSIDE, 'rings'],
      { use: EXTENSION, is: { calls: 1, outboundCalls: 1, internalCalls: 1 } },
      { use: USER, is: { calls: 1, outboundCalls: 1, internalCalls: 1 } },
      { use: ORGANIZATION, is: { calls: 1, inboundCalls: 1, outboundCalls: 1, internalCalls: 1 } },
      { use: PROVIDER, is: { calls: 1, inboundCalls: 1, outboundCalls: 1, internalCalls: 1 } },
      { use: 'acme/org/second', is: { calls: 1, inboundCalls: 1, internalCalls: 1 } },
      { use: 'acme/org/second/101', is: { calls: 1, inboundCalls: 1, internalCalls: 1 } },
      { use: 'channel', is: {} },
    ],
  },
  {
    title: 'local to local of another provider: both whole chains are counted, each in its own books',
    accounts: house({ other: { internalCalls: 1 } }),
    routes: ROUTES,
    steps: [
      [`${EXTENSION} → other/201`, 'rings'],
      { use: PROVIDER, is: { calls: 1, outboundCalls: 1, internalCalls: 1 } },
      { use: 'other', is: { calls: 1, inboundCalls: 1, internalCalls: 1 } },
      { use: 'other/201', is: { calls: 1, inboundCalls: 1, internalCalls: 1 } },
      // What the caller's side had taken by then is given back.
      [`${EXTENSION} → other/201`, '486 internalCalls of other'],
      { use: PROVIDER, is: { calls: 1, outboundCalls: 1, internalCalls: 1 } },
    ],
  },
  {
    title: "local to public: the caller's chain and the channel are counted",
    accounts: house(),
    routes: ROUTES,
    steps: [
      [OUT, 'rings'],
      ...LEVELS.map((level) => ({ use: level, is: PUBLIC_OUT })),
      { use: 'channel', is: { calls: 1, outboundCalls: 1 } },
    ],
  },
  {
    title: "public to local: the channel and the callee's chain are counted",
    accounts: house(),
    routes: ROUTES,
    steps: [
      [IN, 'rings'],
      ...LEVELS.map((level) => ({ use: level, is: PUBLIC_IN })),
      { use: 'channel', is: { calls: 1, inboundCalls: 1 } },
    ],
  },
  {
    title: 'a channel that is full refuses in both directions, and leaves nothing taken in the chains',
    accounts: house(),
    routes: { channel: { calls: 1 } },
    steps: [
      [IN, 'rings'],
      [OUT, '503 calls of channel'],
      [IN, '503 calls of channel'],
      ...LEVELS.map((level) => ({ use: level, is: PUBLIC_IN })),
    ],
  },
  {
    title: 'a call over two channels is counted in each of them',
    accounts: house(),
    routes: { channel: {}, rule: { calls: 1 } },
    steps: [
      [`${EXTENSION} → channel by rule`, 'rings'],
      { use: 'channel', is: { calls: 1, outboundCalls: 1 } },
      { use: 'rule', is: { calls: 1, outboundCalls: 1 } },
      [`${EXTENSION} → channel by rule`, '503 calls of rule'],
      [OUT, 'rings'],
    ],
  },
  {
    title: 'a channel without limits of its own is no holder, and refuses nobody',
    accounts: house(),
    routes: {},
    steps: times(3, [OUT, 'rings']),
  },
];

const forks: readonly Case[] = [
  {
    title: 'a caller who dials three extensions at once is counted for each, and the refused one is left out',
    accounts: house({ [EXTENSION]: { internalCalls: 2 } }),
    routes: ROUTES,
    steps: [
      [
        { call: INSIDE, fork: ['acme/org/user/002', 'acme/org/user/011', 'acme/org/second/101'] },
        'rings 002 011',
      ],
      { use: EXTENSION, is: { calls: 2, outboundCalls: 2, internalCalls: 2 } },
      { use: 'acme/org/second/101', is: {} },
    ],
  },
  {
    title: 'a full extension in the middle of a fork is left out, and the others ring',
    accounts: house({ 'acme/org/user/011': { calls: 0 } }),
    routes: ROUTES,
    steps: [
      [
        { call: INSIDE, fork: ['acme/org/user/002', 'acme/org/user/011', 'channel at 4930777'] },
        'rings 002 4930777',
      ],
    ],
  },
  {
    title: 'a fork of which nothing is admitted is refused as its first branch is',
    accounts: house({ [USER]: { internalCalls: 0 } }),
    routes: ROUTES,
    steps: [
      [{ call: INSIDE, fork: ['acme/org/user/002', 'acme/org/second/101'] }, `503 internalCalls of ${USER}`],
    ],
  },
];

/**
 * The page's scenario: 0003*001 transfers to 002, 011 and 0804993222 and calls itself as well. The incoming call is
 * public; a branch of the rule is placed by the account that forwards (ruling 13).
 */
const EXAMPLE: Call = {
  call: IN,
  forwards: true,
  fork: ['acme/org/user/002', 'acme/org/user/011', 'channel at 0804993222', EXTENSION],
};

const example = [
  { publicCalls: 1, internalCalls: 1, rings: 'rings 002' },
  { publicCalls: 1, internalCalls: 3, rings: 'rings 001 002 011' },
  { publicCalls: 2, internalCalls: 1, rings: 'rings 002 0804993222' },
  { publicCalls: 2, internalCalls: 2, rings: 'rings 002 011 0804993222' },
  { publicCalls: 2, internalCalls: 3, rings: 'rings 001 002 011 0804993222' },
].map(({ rings, ...limits }): Case => ({
  title: `public ${limits.publicCalls} and internal ${limits.internalCalls}: the page's scenario ${rings}`,
  accounts: house({ [USER]: limits }),
  routes: ROUTES,
  steps: [[EXAMPLE, rings]],
}));

describe('call limitation as VoipNow has it', () => {
  runCases([...levels, ...counted, ...forks, ...example]);
});
