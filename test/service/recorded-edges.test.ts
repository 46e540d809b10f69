import { afterEach, describe, expect, it } from 'vitest';
import type { LegUuid } from '../../src/units/ids.ts';
import { readRecordedStream } from './recorded-switch.ts';
import {
  asCdr,
  chargedLegs,
  FUNDS,
  legOf,
  openRecordedStage,
  priceOf,
  untilOver,
  type RecordedStage,
} from './recorded-stage.ts';
import { eventually, micros } from './stage.ts';

let recorded: RecordedStage;

afterEach(async () => {
  await recorded.close();
});

/** Where each message is cut in two. */
const CUTS: readonly { readonly where: string; readonly at: (message: Buffer) => number }[] = [
  { where: 'in the name of its first header', at: () => 5 },
  { where: 'before the line feed of its first header', at: (message) => message.indexOf('\n') },
  { where: 'between the two line feeds that end its headers', at: (message) => bodyAt(message) - 1 },
  { where: 'between its headers and its body', at: bodyAt },
  { where: 'in the middle of its body', at: (message) => (bodyAt(message) + message.length) >> 1 },
  { where: 'before its last byte', at: (message) => message.length - 1 },
];

function bodyAt(message: Buffer): number {
  return message.indexOf('\n\n') + 2;
}

/** Cuts the whole stream, so that a piece holds the end of one message and the beginning of the next. */
function cutEach(messages: readonly Buffer[], at: (message: Buffer) => number): readonly Buffer[] {
  const stream = Buffer.concat(messages);
  const pieces: Buffer[] = [];
  let messageAt = 0;
  let from = 0;
  for (const message of messages) {
    const until = messageAt + at(message);
    pieces.push(stream.subarray(from, until));
    from = until;
    messageAt += message.length;
  }
  return [...pieces, stream.subarray(from)];
}

function inPiecesOf(length: number, stream: Buffer): readonly Buffer[] {
  const count = Math.ceil(stream.length / length);
  return Array.from({ length: count }, (_, index) => stream.subarray(index * length, (index + 1) * length));
}

describe.each([
  { format: 'plain', number: '02', leg: '86923330' },
  { format: 'JSON', number: '03', leg: 'b2bf352e' },
])('the bytes of a call told in $format', ({ number, leg }) => {
  const replay = async (piecesOf: (messages: readonly Buffer[]) => readonly Buffer[]): Promise<object> => {
    const stream = readRecordedStream(number);
    recorded = await openRecordedStage(stream.coreUuid);
    const { stage, peer, service } = recorded;
    await peer.play(piecesOf(stream.messages));
    await untilOver(service, stream);
    await eventually(
      () => chargedLegs(stage),
      (found) => found.length > 0,
    );
    const known = stream.legs.filter(
      ({ uuid }) => service.controller.book.leg(uuid as LegUuid) !== undefined,
    );
    return {
      cdrs: await chargedLegs(stage),
      balance: await stage.balance('1001'),
      legs: service.controller.book.size(),
      known: known.length,
    };
  };
  const chargedOnce = (): object => {
    const charged = legOf(readRecordedStream(number), leg);
    const balance = micros(FUNDS) - priceOf(charged.billMicroseconds);
    return { cdrs: [asCdr(charged, '1001')], balance, legs: 2, known: 2 };
  };

  it.each(CUTS)('are charged alike when each message is cut $where', async ({ at }) => {
    expect(await replay((messages) => cutEach(messages, at))).toEqual(chargedOnce());
  });

  it('are charged alike in one piece', async () => {
    expect(await replay((messages) => [Buffer.concat(messages)])).toEqual(chargedOnce());
  });

  it('are charged alike in pieces of a few bytes', async () => {
    const pieces = (messages: readonly Buffer[]): readonly Buffer[] =>
      inPiecesOf(61, Buffer.concat(messages));
    expect(await replay(pieces)).toEqual(chargedOnce());
  });

  it('are charged once when every message comes twice', async () => {
    const twice = (messages: readonly Buffer[]): readonly Buffer[] =>
      messages.flatMap((message) => [message, message]);
    expect(await replay(twice)).toEqual(chargedOnce());
  });

  it('are charged once when the whole stream comes twice', async () => {
    expect(await replay((messages) => [...messages, ...messages])).toEqual(chargedOnce());
  });
});

describe('a caller with a name in UTF-8', () => {
  it('is charged when each character of several bytes is cut in two', async () => {
    const stream = readRecordedStream('11b');
    recorded = await openRecordedStage(stream.coreUuid);
    const { stage, peer, service } = recorded;
    const bytes = Buffer.concat(stream.messages);
    const inside = [...bytes.keys()].filter((at) => ((bytes[at] ?? 0) & 0xc0) === 0x80);
    expect(inside.length).toBeGreaterThan(0);
    const edges = [0, ...inside, bytes.length];
    await peer.play(edges.slice(1).map((until, index) => bytes.subarray(edges[index], until)));
    await untilOver(service, stream);
    const leg = legOf(stream, 'e0a94408');
    await eventually(
      () => chargedLegs(stage),
      (found) => found.length > 0,
    );
    expect(await chargedLegs(stage)).toEqual([asCdr(leg, '1001')]);
    expect(service.controller.book.leg(leg.uuid as LegUuid)?.facts.callerName).toMatch(
      /\p{Script=Latin}*[^ -~]/u,
    );
  });
});

describe('a FreeSWITCH killed with a call up', () => {
  it('has the call charged up to the last moment it was known alive, as an estimate', async () => {
    const stream = readRecordedStream('17b');
    recorded = await openRecordedStage(stream.coreUuid);
    const { stage, peer, service } = recorded;
    await peer.play(stream.pieces);
    const leg = '4848a87c-ea5a-42bc-85f8-937bf85b24a9' as LegUuid;
    const live = await stage.live();
    // The second second of the call has begun, and is committed.
    await eventually(
      () => live.wallet('1001' as never),
      (wallet) => wallet?.committed === priceOf(1_000_001),
    );
    peer.dieAndComeBackAs('11111111-2222-4333-8444-555555555555');
    const [cdr] = await eventually(
      () => stage.cdrs('1001'),
      (cdrs) => cdrs.length > 0,
    );
    expect(cdr).toMatchObject({ legUuid: leg, billedSeconds: 2, estimated: true, cause: 'UNKNOWN' });
    expect(await stage.balance('1001')).toBe(micros(FUNDS) - priceOf(cdr?.billMicroseconds ?? 0));
    expect(cdr?.billMicroseconds).toBeGreaterThan(1_000_000);
    expect(cdr?.billMicroseconds).toBeLessThanOrEqual(2_000_000);
    expect(await live.calls(undefined)).toEqual([]);
    expect(await stage.findings()).toEqual([]);
    await service.controller.idle();
  });
});

describe('a leg that came by no gate', () => {
  it('is admitted by a decision on record and guarded by a timer of FreeSWITCH until its end', async () => {
    const stream = readRecordedStream('02');
    recorded = await openRecordedStage(stream.coreUuid);
    const { stage, peer, service } = recorded;
    await peer.play(stream.pieces);
    await untilOver(service, stream);
    const { uuid } = legOf(stream, '86923330');
    const [decision] = await eventually(
      () => stage.database.records.decisionsOf(uuid as LegUuid),
      (decisions) => decisions.length > 0,
    );
    expect(decision).toMatchObject({
      kind: 'admission',
      verdict: 'admitted',
      account: '1001',
      legUuid: uuid,
      reason: 'per_minute',
      inputs: { via: 'no gate', dialled: '3001', destination: '3001', direction: 'outbound' },
    });
    const armed = peer.commands.filter((command) => command.startsWith('api sched_api '));
    expect(armed).toHaveLength(1);
    const [, seconds = '', group = ''] =
      /^api sched_api \+(\d+) (\S+) uuid_kill \S+ ALLOTTED_TIMEOUT$/.exec(armed[0] ?? '') ?? [];
    expect(armed[0]).toContain(uuid);
    // All that 100.00 could pay for at 0.05 and 1.00 a minute, and 2 s of slack, less what was talked by then.
    const fundable = Math.floor(((100_000_000 - 50_000) * 60) / 1_000_000) + 2;
    expect(Number(seconds)).toBeLessThanOrEqual(fundable);
    expect(Number(seconds)).toBeGreaterThan(fundable - 30);
    expect(peer.commands).toContain(`api sched_del ${group}`);
  });

  it('is ended where its account cannot be told, and the refusal is on record', async () => {
    const stream = readRecordedStream('04b');
    recorded = await openRecordedStage(stream.coreUuid);
    const { stage, peer, service } = recorded;
    await peer.play(stream.pieces);
    await untilOver(service, stream);
    const { uuid } = legOf(stream, 'be36aa28');
    const [decision] = await eventually(
      () => stage.database.records.decisionsOf(uuid as LegUuid),
      (decisions) => decisions.length > 0,
    );
    expect(decision).toMatchObject({ kind: 'refusal', reason: 'no_account', inputs: { via: 'no gate' } });
  });

  it.each([
    { policy: 'kill', kills: 1 },
    { policy: 'ignore', kills: 0 },
  ] as const)('is not admitted where the policy is $policy', async ({ policy, kills }) => {
    const stream = readRecordedStream('02');
    recorded = await openRecordedStage(stream.coreUuid, { TOLLGATE_GATES_UNGATED: policy });
    const { stage, peer, service } = recorded;
    await peer.play(stream.pieces);
    await untilOver(service, stream);
    expect(peer.commands.filter((command) => command.startsWith('api uuid_kill '))).toHaveLength(kills);
    expect(await stage.balance('1001')).toBe(micros(FUNDS));
    expect(await stage.findings()).toEqual([]);
  });
});
