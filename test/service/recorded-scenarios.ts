/** A recording, and what it comes to where every caller has an account and legs by no gate are admitted. */
export type Scenario = {
  readonly number: string;
  readonly title: string;
  /** Account → the legs it pays for, each by the start of its uuid. */
  readonly pays: Readonly<Record<string, readonly string[]>>;
  /** Legs that nobody answers for: no account can be told, so they are ended. */
  readonly kills?: readonly string[];
};

export const SCENARIOS: readonly Scenario[] = [
  { number: '02', title: 'an answered call is charged on its carrier leg', pays: { '1001': ['86923330'] } },
  { number: '03', title: 'an answered call told in JSON is charged alike', pays: { '1001': ['b2bf352e'] } },
  { number: '04', title: 'a call that its caller cancels costs nothing', pays: {} },
  {
    number: '04b',
    title: 'a leg of nobody that is never answered costs nothing',
    pays: {},
    kills: ['be36aa28'],
  },
  { number: '05', title: 'a busy callee costs nothing', pays: {} },
  { number: '05b', title: 'a callee that declines costs nothing', pays: {} },
  { number: '05c', title: 'a number that does not exist costs nothing', pays: {} },
  { number: '05d', title: 'a carrier that is out of order costs nothing', pays: {} },
  { number: '06', title: 'of a fork the leg that answers is charged', pays: { '1001': ['db7b991b'] } },
  {
    number: '06b',
    title: 'a call into loopback pairs is charged once, on the caller',
    pays: { '1001': ['330b4bdf'] },
  },
  {
    number: '06c',
    title: 'of a fork the leg that a carrier refuses is not charged',
    pays: { '1001': ['6e23474a'] },
  },
  {
    number: '07',
    title: 'a caller who is transferred has his carrier leg charged to its end',
    pays: { '1001': ['abb3834f'] },
  },
  {
    number: '07b',
    title: 'a carrier leg that is transferred is charged to its own end, the caller gone',
    pays: { '1001': ['915a1ca1'] },
  },
  {
    number: '07c',
    title: 'a carrier leg is charged to its own end when both are transferred',
    pays: { '1001': ['0993ff3a'] },
  },
  {
    number: '07d',
    title: 'a caller who is transferred to a second carrier leg pays for both, each for its own time',
    pays: { '1001': ['3a847ad6', '2a7773ab'] },
  },
  {
    number: '08',
    title: 'two carrier legs bridged to each other are charged to their own ends',
    pays: { '1001': ['3c283753', '1096ed6a'] },
  },
  {
    number: '08b',
    title: 'two callers parked and bridged to each other are each charged from their answer',
    pays: { '1001': ['08112944'], '1002': ['dfc0bea7'] },
  },
  { number: '09', title: 'a call that an operator killed is charged', pays: { '1001': ['50df9841'] } },
  {
    number: '10',
    title: 'a call that FreeSWITCH ended by its schedule is charged',
    pays: { '1001': ['28b32bf1'] },
  },
  {
    number: '11b',
    title: 'a caller with a name in UTF-8 is charged like any other',
    pays: { '1001': ['e0a94408'] },
  },
  {
    number: '14b',
    title: 'of legs that FreeSWITCH itself originates the one that names its account is charged',
    pays: { '0000000000': ['ef4a169e'] },
    kills: ['0f0f0f0f-0000-4000-8000-0000000000ab'],
  },
  {
    number: '17',
    title: 'calls that an orderly shutdown ends are settled from their full hang-ups',
    pays: { '1001': ['454b62b6'] },
  },
  {
    number: '18',
    title: 'a carrier leg that goes on after the REFER of its caller is charged to its own end',
    pays: { '1001': ['6facfdc1'] },
  },
];
