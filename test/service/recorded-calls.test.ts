import { afterEach, describe, expect, it } from 'vitest';
import { SCENARIOS } from './recorded-scenarios.ts';
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
