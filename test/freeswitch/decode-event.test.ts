import { describe, expect, it } from 'vitest';
import { CUSTOMER_VARIABLES, type SwitchEvent } from '../../src/calls/switch-event.ts';
import {
  DEFAULT_ACCOUNT_FALLBACKS,
  VARIABLES_READ,
  VARIABLES_WRITTEN,
} from '../../src/calls/channel-variables.ts';
import { decodeEvent, decodeLeg } from '../../src/freeswitch/decode-event.ts';
import { toToken } from '../../src/freeswitch/tokens.ts';
import { readPlainEvent, type WireEvent } from '../../src/freeswitch/wire-event.ts';
import { READING, switchEventsOf, wireEventsOf } from './support/decode-bytes.ts';
import { recordedBytes, recordedEvents } from './support/recorded.ts';

const KINDS: Readonly<Record<string, SwitchEvent['kind']>> = {
  CHANNEL_CREATE: 'created',
  CHANNEL_ANSWER: 'answered',
  CHANNEL_BRIDGE: 'bridged',
  CHANNEL_UNBRIDGE: 'unbridged',
  CHANNEL_HANGUP: 'hung-up',
  CHANNEL_HANGUP_COMPLETE: 'completed',
  CHANNEL_DESTROY: 'destroyed',
  CHANNEL_PARK: 'parked',
  CHANNEL_UUID: 'renamed',
};

describe('recorded traffic', () => {
  it.each([
    '02-answered-bridged-plain',
    '03-answered-bridged-json',
    '04-cancelled-by-caller',
    '06b-fork-two-loopbacks',
    '07b-blind-transfer-bleg',
    '09-uuid_kill-ALLOTTED_TIMEOUT',
    '11d-latin1-caller-name-plain',
    '11e-latin1-caller-name-json',
    '12a-outbound-full-linger-bridge-caller-hangs-up',
    '12f-outbound-bridge-busy-then-decide',
  ])('%s decodes to the events that were listed when it was recorded', (name) => {
    const listed = recordedEvents(name).filter(({ event }) => event in KINDS);
    const decoded = switchEventsOf(recordedBytes(name)).filter(({ kind }) => kind !== 'heartbeat');
    expect(decoded.map(summaryOf)).toEqual(
      listed.map(({ event, uuid, direction, cause, occurredMicroseconds, billusec }) => ({
        kind: KINDS[event],
        uuid,
        direction,
        occurredAt: Math.floor(Number(occurredMicroseconds) / 1_000),
        cause: event.startsWith('CHANNEL_HANGUP') ? cause : undefined,
        billMicroseconds: event === 'CHANNEL_HANGUP_COMPLETE' ? Number(billusec) : undefined,
      })),
    );
  });

  it('gives plain and JSON the same facts', () => {
    const shape = (name: string): readonly unknown[] =>
      switchEventsOf(recordedBytes(name))
        .filter((event) => 'leg' in event)
        .map((event) => ({ kind: event.kind, ...('leg' in event ? factsOf(event.leg) : {}) }));
    expect(shape('02-answered-bridged-plain').length).toBeGreaterThan(10);
    expect(shape('02-answered-bridged-plain').toSorted(byText)).toEqual(
      shape('03-answered-bridged-json').toSorted(byText),
    );
  });

  it('knows both halves of a loopback, and who placed them', () => {
    const created = switchEventsOf(recordedBytes('06b-fork-two-loopbacks')).filter(
      ({ kind }) => kind === 'created',
    );
    const legs = created.map((event) => ('leg' in event ? event.leg : undefined));
    const aLeg = legs.find((leg) => leg?.loopback === false && leg.direction === 'inbound');
    expect(legs.map((leg) => leg?.loopback)).toEqual([false, true, true, true, true]);
    expect(legs.filter((leg) => leg?.originator === aLeg?.uuid)).toHaveLength(4);
  });

  it('reads a changed uuid, a heartbeat, a parked leg and a shutdown', () => {
    expect(switchEventsOf(recordedBytes('14b-channel-uuid-excerpt'))).toContainEqual(
      expect.objectContaining({ kind: 'renamed', oldUuid: expect.stringMatching(/^[0-9a-f-]{36}$/) }),
    );
    expect(switchEventsOf(recordedBytes('03b-heartbeat-excerpt'))).toEqual([
      expect.objectContaining({ kind: 'heartbeat', coreUuid: '7d9db474-0602-4ab5-b702-c16ab06e7ab1' }),
    ]);
    expect(switchEventsOf(recordedBytes('08b-park-excerpt')).map(({ kind }) => kind)).toEqual([
      'parked',
      'parked',
    ]);
    expect(switchEventsOf(recordedBytes('17-shutdown-excerpt'))).toEqual([
      expect.objectContaining({ kind: 'shutdown', node: READING.node }),
    ]);
  });

  it('reads an answered call and its end to the microsecond', () => {
    const completed = switchEventsOf(recordedBytes('02-answered-bridged-plain')).findLast(
      (event) => event.kind === 'completed',
    );
    expect(completed?.times).toEqual({
      startedAt: 1_795_331_507_643,
      answeredAt: 1_795_331_508_183,
      endedAt: 1_795_331_512_203,
      billMicroseconds: 4_020_010,
      billsec: 4,
    });
  });

  it('keeps a Latin-1 name from breaking anything', () => {
    for (const name of ['11d-latin1-caller-name-plain', '11e-latin1-caller-name-json']) {
      const [created] = switchEventsOf(recordedBytes(name));
      expect(created).toMatchObject({
        kind: 'created',
        leg: { callerName: expect.stringMatching(/^Andr\uFFFD/) },
      });
    }
  });
});

describe('the table of channel variables', () => {
  it('names each once in a way that FreeSWITCH can set, and says what it is for', () => {
    for (const table of [VARIABLES_READ, VARIABLES_WRITTEN]) {
      const variables = Object.values(table);
      expect(new Set(variables.map(({ name }) => name)).size).toBe(variables.length);
      for (const { name, doc } of variables) {
        expect(toToken('variable name', name)).toBe(name);
        expect(doc).toMatch(/^.{10,}\.$/);
      }
    }
  });
});

describe('decodeEvent', () => {
  it('drops a leg whose uuid could not be named in a command or a key', () => {
    for (const uuid of ['', 'a::b', '**', 'a b', 'x\ny', '-x', '../x', undefined]) {
      expect(decodeEvent(channelEvent({ 'Unique-ID': uuid }), READING)).toBeUndefined();
    }
  });

  it('passes over events that are none of ours', () => {
    expect(decodeEvent({ 'Event-Name': 'CHANNEL_STATE', 'Unique-ID': 'a' }, READING)).toBeUndefined();
    expect(decodeEvent({ 'Event-Name': 'CUSTOM' }, READING)).toBeUndefined();
    expect(decodeEvent({}, READING)).toBeUndefined();
  });

  it('takes control characters and changes of direction out of what strangers say, and bounds it', () => {
    const name = `\u001b[31mBob\r\n\u0000\u202Egnp${'x'.repeat(1_000)}`;
    const leg = decodeLeg(channelEvent({ 'Caller-Caller-ID-Name': name }), READING);
    // oxlint-disable-next-line no-control-regex -- they are what must not be there
    expect(leg?.callerName).not.toMatch(/[\u0000-\u001f\u007f\u202a-\u202e]/);
    expect(leg?.callerName).toHaveLength(256);
    expect(leg?.callerName.endsWith('…')).toBe(true);
  });

  it('never cuts an account path down to the path of its parent', () => {
    const long = Array.from({ length: 9 }, () => 'a'.repeat(64)).join('/');
    const leg = decodeLeg(channelEvent({ variable_tollgate_account: long }), READING);
    expect(leg?.gate.account?.endsWith('…')).toBe(true);
  });

  it('reads every variable of the table', () => {
    const event = channelEvent({
      variable_tollgate_account: 'acme/alice',
      variable_tollgate_callee: 'acme/bob',
      variable_tollgate_forwarder: 'acme/carol',
      variable_tollgate_route: 'trunk-1, rule-2,,',
      variable_tollgate_options: 'fax, CLIP',
      variable_tollgate_destination: '+4930',
      variable_tollgate_bridge: 'sofia/gateway/x/1',
      variable_tollgate_admission: 'aaaa.1',
      variable_tollgate_branch: '2',
      variable_tollgate_home: 'acme',
      variable_tollgate_metered: 'b2:acme',
      variable_tollgate_branches: 'b1,b2',
      variable_export_vars: 'a,b',
      variable_tollgate_next: 'go',
      variable_tollgate_ask: 'true',
      ...Object.fromEntries(
        CUSTOMER_VARIABLES.map((each) => [`variable_${VARIABLES_READ[each].name}`, each]),
      ),
    });
    const gate = decodeLeg(event, READING)?.gate;
    expect(gate).toEqual({
      account: 'acme/alice',
      callee: 'acme/bob',
      forwarder: 'acme/carol',
      routes: ['trunk-1', 'rule-2'],
      options: ['fax', 'CLIP'],
      destination: '+4930',
      metered: 'b2:acme',
      bridge: 'sofia/gateway/x/1',
      admission: 'aaaa.1',
      branch: '2',
      home: 'acme',
      branches: ['b1', 'b2'],
      exportVars: 'a,b',
      next: 'go',
      asks: true,
      customer: Object.fromEntries(CUSTOMER_VARIABLES.map((each) => [each, each])),
    });
    const { customer, ...others } = gate ?? {};
    expect(Object.keys({ ...others, ...customer }).toSorted()).toEqual(
      Object.keys(VARIABLES_READ).toSorted(),
    );
  });

  it('falls back to the configured variables for the account, and only then', () => {
    const both = { variable_accountcode: '1001', variable_tollgate_account: 'acme' };
    const account = (fields: Record<string, string>): string | undefined =>
      decodeLeg(channelEvent(fields), { ...READING, accountFallbacks: DEFAULT_ACCOUNT_FALLBACKS })?.gate
        .account;
    expect(account(both)).toBe('acme');
    expect(account({ variable_accountcode: '1001' })).toBe('1001');
    expect(account({ variable_accountcode: '', variable_tollgate_account: '' })).toBeUndefined();
  });

  it('takes an unanswered leg for unanswered, and an answer without a time for answered now', () => {
    expect(
      decodeLeg(channelEvent({ 'Caller-Channel-Answered-Time': '0' }), READING)?.answeredAt,
    ).toBeUndefined();
    const answer = decodeEvent(channelEvent({ 'Event-Name': 'CHANNEL_ANSWER' }), READING);
    expect(answer).toMatchObject({ kind: 'answered', answeredAt: 1_795_331_507_643 });
  });

  it('settles an end without durations from the times of the leg', () => {
    const completed = decodeEvent(
      channelEvent({
        'Event-Name': 'CHANNEL_HANGUP_COMPLETE',
        'Caller-Channel-Answered-Time': '1795331500000001',
        'Caller-Channel-Hangup-Time': '1795331507500000',
        'Hangup-Cause': 'x;rm -rf',
      }),
      READING,
    );
    expect(completed).toMatchObject({ cause: 'UNKNOWN', times: { billMicroseconds: 7_499_999, billsec: 7 } });
  });

  it('reads repeated headers as FreeSWITCH writes them in plain', () => {
    const leg = decodeLeg(channelEvent({ variable_tollgate_route: ['a', 'b'] }), READING);
    expect(leg?.gate.routes).toEqual(['ARRAY::a|:b']);
  });

  it('survives hostile headers: percent signs, names of Object, bytes that are no text', () => {
    const plain = Buffer.from(
      'Event-Name: CHANNEL_CREATE\nUnique-ID: a\n__proto__: x\nconstructor: y\nCaller-Caller-ID-Name: 100%E9 %zz %\n\n',
    );
    expect(decodeEvent(readPlainEvent(plain), READING)).toMatchObject({
      kind: 'created',
      leg: { callerName: '100\uFFFD %zz %' },
    });
    const [latin1] = wireEventsOf(recordedBytes('11e-latin1-caller-name-json'));
    expect(latin1).toBeDefined();
  });
});

function channelEvent(fields: Readonly<Record<string, unknown>>): WireEvent {
  return {
    'Event-Name': 'CHANNEL_CREATE',
    'Unique-ID': 'aaaa',
    'Event-Date-Timestamp': '1795331507643034',
    ...fields,
  };
}

function summaryOf(event: SwitchEvent): object {
  const leg = 'leg' in event ? event.leg : undefined;
  return {
    kind: event.kind,
    uuid: leg?.uuid,
    direction: leg?.direction,
    occurredAt: leg?.occurredAt,
    cause: 'cause' in event ? event.cause : undefined,
    billMicroseconds: event.kind === 'completed' ? event.times.billMicroseconds : undefined,
  };
}

/** What does not differ from call to call. */
function factsOf(leg: object): object {
  const { direction, callerNumber, callerName, destination, context, loopback, gate } = Object.fromEntries(
    Object.entries(leg),
  );
  return { direction, callerNumber, callerName, destination, context, loopback, gate };
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}
