import { afterEach, describe, expect, it } from 'vitest';
import { readRecordedStream } from './recorded-switch.ts';
import {
  ACCOUNTS,
  asCdr,
  chargedLegs,
  FUNDS,
  legOf,
  openRecordedStage,
  priceOf,
  sortedByLeg,
  untilOver,
  untilRead,
  type RecordedStage,
} from './recorded-stage.ts';
import { eventually, micros } from './stage.ts';

let recorded: RecordedStage;

afterEach(async () => {
  await recorded.close();
});

type Scenario = {
  readonly number: string;
  readonly title: string;
  /** Account → the legs it pays for, each by the start of its uuid. */
  readonly pays: Readonly<Record<string, readonly string[]>>;
  /** Legs that nobody answers for: no account can be told, so they are ended. */
  readonly kills?: readonly string[];
};

const SCENARIOS: readonly Scenario[] = [
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

/** A burst, as after a stall of the network; or what one read brings is carried out before the next one comes. */
const PACES = ['in a burst', 'read by read'] as const;

describe.each(PACES)('the bytes of a real FreeSWITCH, %s', (pace) => {
  it.each(SCENARIOS)('$number: $title', async ({ number, pays, kills = [] }) => {
    const stream = readRecordedStream(number);
    recorded = await openRecordedStage(stream.coreUuid);
    const { stage, peer, service } = recorded;
    await peer.play(stream.pieces, pace === 'in a burst' ? undefined : () => untilRead(service));
    await untilOver(service, stream);

    const expected = Object.entries(pays).flatMap(([account, starts]) =>
      starts.map((start) => asCdr(legOf(stream, start), account)),
    );
    await eventually(
      () => chargedLegs(stage),
      (cdrs) => cdrs.length >= expected.length,
    );
    expect(sortedByLeg(await chargedLegs(stage))).toEqual(sortedByLeg(expected));
    for (const account of ACCOUNTS) {
      const legs = (pays[account] ?? []).map((start) => legOf(stream, start));
      const due = legs.reduce((sum, leg) => sum + priceOf(leg.billMicroseconds), 0n);
      expect(await stage.balance(account)).toBe(micros(FUNDS) - due);
      // Nothing is held any more, not even until the next look at the channels.
      expect(await (await stage.live()).wallet(account)).toMatchObject({ committed: 0n, legs: 0 });
    }
    expect(await (await stage.live()).calls(undefined)).toEqual([]);
    expect(await stage.findings()).toEqual([]);
    const killed = peer.commands.filter((command) => command.startsWith('api uuid_kill '));
    expect(killed).toEqual(kills.map((start) => `api uuid_kill ${legOf(stream, start).uuid} CALL_REJECTED`));
  });
});
