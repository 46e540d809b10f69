import { describe, expect, it } from 'vitest';
import { SwitchEvent } from '../../src/simulator/event.ts';
import type { EslClient } from './esl-client.ts';
import { Stage } from './stage.ts';

const ENDS = 'event json CHANNEL_CREATE CHANNEL_ANSWER CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE';

/** A call that is answered at once and hung up by the caller after a second. */
async function shortCall(stage: Stage): Promise<string> {
  stage.sim.dialplan(() => [['answer'], ['park']]);
  const call = stage.sim.placeCall({ from: '1001', to: '1', hangsUpAfterMs: 1000 });
  await stage.runUntilQuiet();
  return call.uuid;
}

const namesOf = (client: EslClient) =>
  client.events.map((event) => event['Event-Name']?.replace('CHANNEL_', ''));
const named = (name: string) => (event: SwitchEvent) => event.name === name;

describe('faults of events', () => {
  it.each([
    ['drop', ['CREATE', 'HANGUP', 'HANGUP_COMPLETE']],
    ['duplicate', ['CREATE', 'ANSWER', 'ANSWER', 'HANGUP', 'HANGUP_COMPLETE']],
    ['swap', ['CREATE', 'HANGUP', 'ANSWER', 'HANGUP_COMPLETE']],
    [{ delayMs: 5000 }, ['CREATE', 'HANGUP', 'HANGUP_COMPLETE', 'ANSWER']],
    [{ holdUntil: named('CHANNEL_HANGUP_COMPLETE') }, ['CREATE', 'HANGUP', 'HANGUP_COMPLETE', 'ANSWER']],
  ] as const)('%j', async (fate, names) => {
    await using stage = await Stage.open();
    stage.sim.faults.onEvent((event) => (event.name === 'CHANNEL_ANSWER' ? fate : undefined));
    const client = await stage.login(ENDS);
    await shortCall(stage);
    await stage.run(5000);
    expect(namesOf(client)).toEqual(names);
  });

  it('another event takes its place', async () => {
    await using stage = await Stage.open();
    stage.sim.faults.onEvent((event) => {
      if (event.name !== 'CHANNEL_ANSWER') return undefined;
      const headers = event.headers.filter(([name]) => name !== 'Caller-Channel-Answered-Time');
      return { instead: new SwitchEvent(event.name, headers) };
    });
    const client = await stage.login(ENDS);
    await shortCall(stage);
    expect(client.eventsNamed('CHANNEL_ANSWER')).toHaveLength(1);
    expect(client.eventsNamed('CHANNEL_ANSWER')[0]).not.toHaveProperty('Caller-Channel-Answered-Time');
  });

  it('an orphan is hung up that was never created', async () => {
    await using stage = await Stage.open();
    const client = await stage.login(ENDS);
    const uuid = stage.sim.fireOrphanHangup();
    await stage.settle();
    expect(
      client.events.map((event) => [event['Event-Name'], event['Unique-ID'], event['Hangup-Cause']]),
    ).toEqual([
      ['CHANNEL_HANGUP', uuid, 'WRONG_CALL_STATE'],
      ['CHANNEL_HANGUP_COMPLETE', uuid, 'WRONG_CALL_STATE'],
    ]);
  });

  it('HANGUP_COMPLETE lags behind when CDRs are posted slowly', async () => {
    await using stage = await Stage.open();
    stage.sim.faults.hangupCompleteDelayMs = 7000;
    const client = await stage.login(ENDS);
    const uuid = await shortCall(stage);
    const at = (name: string) => Number(client.eventsNamed(name, uuid)[0]?.['Event-Date-Timestamp']);
    expect(at('CHANNEL_HANGUP_COMPLETE') - at('CHANNEL_HANGUP')).toBeGreaterThanOrEqual(7_000_000);
    expect(stage.sim.leg(uuid)?.endedMicros).toBeLessThan(at('CHANNEL_HANGUP') + 1_000_000);
  });

  it('the clock of FreeSWITCH is not ours, and may jump; durations follow it', async () => {
    await using stage = await Stage.open();
    stage.sim.faults.clockOffsetMs = -5000;
    const client = await stage.login(ENDS);
    stage.sim.dialplan(() => [['answer'], ['park']]);
    const call = stage.sim.placeCall({ from: '1001', to: '1' });
    await stage.run(1000);
    stage.sim.faults.clockOffsetMs = 5000;
    call.hangup();
    await stage.runUntilQuiet();
    const [answer] = client.eventsNamed('CHANNEL_ANSWER');
    expect(Number(answer?.['Event-Date-Timestamp'])).toBe((call.truth?.answeredMicros ?? 0) - 5_000_000);
    const billed = Number(client.eventsNamed('CHANNEL_HANGUP_COMPLETE')[0]?.['variable_billusec']);
    expect(billed).toBe((call.truth?.endedMicros ?? 0) - (call.truth?.answeredMicros ?? 0) + 10_000_000);
  });

  it('a coarse clock gives several events one stamp', async () => {
    await using stage = await Stage.open({ clockStepMs: 20 });
    const client = await stage.login(ENDS);
    stage.time.advance(13);
    await shortCall(stage);
    for (const event of client.events) expect(Number(event['Event-Date-Timestamp']) % 20_000).toBe(0);
  });

  it('the scheduler is held up', async () => {
    await using stage = await Stage.open();
    stage.sim.faults.schedulerLateMs = 3000;
    stage.sim.dialplan(() => [['answer'], ['sched_hangup', '+2'], ['park']]);
    const call = stage.sim.placeCall({ from: '1001', to: '1' });
    await stage.runUntilQuiet();
    const lasted = ((call.truth?.hungUpMicros ?? 0) - (call.truth?.answeredMicros ?? 0)) / 1_000_000;
    expect(lasted).toBeGreaterThan(4.9);
    expect(lasted).toBeLessThan(5.6);
  });

  it('the heartbeat stops', async () => {
    await using stage = await Stage.open({ heartbeatMs: 1000 });
    const client = await stage.login('event json HEARTBEAT');
    await stage.run(3000);
    expect(client.events).toHaveLength(3);
    expect(client.events[0]).toMatchObject({ 'Session-Count': '0', 'Event-Info': 'System Ready' });
    stage.sim.faults.hasHeartbeat = false;
    await stage.run(3000);
    expect(client.events).toHaveLength(3);
  });
});

describe('faults of replies', () => {
  it('one is lost, and the next is taken for it', async () => {
    await using stage = await Stage.open();
    stage.sim.faults.onReply((command) => (command === 'api hostname' ? 'lose' : undefined));
    const client = await stage.login();
    client.write('api hostname\n\napi strepoch\n\n');
    await stage.settle();
    expect(client.replies.at(-1)?.body.toString()).toMatch(/^\d+$/);
    expect(client.replies).toHaveLength(2);
    expect(stage.sim.commands().map(({ text }) => text)).toContain('api hostname');
  });

  it('one comes late, and those behind it wait', async () => {
    await using stage = await Stage.open();
    stage.sim.faults.onReply((command) => (command === 'api hostname' ? { delayMs: 3000 } : undefined));
    const client = await stage.login();
    client.write('api hostname\n\napi switchname\n\n');
    await stage.run(2900);
    expect(client.replies).toHaveLength(1);
    await stage.run(200);
    expect(client.replies.slice(1).map(({ body }) => body.toString())).toEqual(['simulator', 'simulator']);
  });

  it('api is refused as a command', async () => {
    await using stage = await Stage.open();
    stage.sim.faults.isApiDenied = true;
    const client = await stage.login();
    await client.ask('api status');
    expect(client.replies.at(-1)?.headers.get('Content-Type')).toBe('command/reply');
  });

  it('a kill says +OK and nothing happens', async () => {
    await using stage = await Stage.open();
    stage.sim.faults.isUnkillable = () => true;
    stage.sim.dialplan(() => [['answer'], ['park']]);
    const client = await stage.login();
    const call = stage.sim.placeCall({ from: '1001', to: '1' });
    expect(await client.ask(`api uuid_kill ${call.uuid} ALLOTTED_TIMEOUT`)).toBe('+OK\n');
    await stage.run(1000);
    expect(call.truth).toMatchObject({ cause: undefined, killReceivedMicros: expect.any(Number) as number });
  });

  it('the table of channels is frozen, empty or disabled', async () => {
    await using stage = await Stage.open();
    stage.sim.dialplan(() => [['answer'], ['park']]);
    const client = await stage.login();
    const rows = async () => (await client.ask('api show channels as json')).slice(0, 16);
    stage.sim.placeCall({ from: '1001', to: '1' });
    stage.sim.faults.channelTable = 'frozen';
    expect(await rows()).toBe('{"row_count":1,"');
    stage.sim.placeCall({ from: '1001', to: '1' });
    expect(await rows()).toBe('{"row_count":1,"');
    stage.sim.faults.channelTable = 'empty';
    expect(await rows()).toBe('{"row_count": 0}');
    stage.sim.faults.channelTable = 'disabled';
    expect(await rows()).toContain('-ERR SQL disable');
    stage.sim.faults.channelTable = 'live';
    expect(await rows()).toBe('{"row_count":2,"');
  });
});
