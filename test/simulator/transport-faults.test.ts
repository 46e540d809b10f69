import { describe, expect, it } from 'vitest';
import { EslClient } from './esl-client.ts';
import { Stage } from './stage.ts';

describe('faults of the transport', () => {
  it('every write is broken at every byte', async () => {
    await using stage = await Stage.open();
    stage.sim.faults.chunkBytes = 1;
    stage.sim.dialplan(() => [['answer'], ['park']]);
    const client = await stage.login('event json CHANNEL_ANSWER CHANNEL_HANGUP_COMPLETE');
    stage.sim.placeCall({ from: '1001', to: '1', hangsUpAfterMs: 1000 });
    await stage.runUntilQuiet();
    await stage.runUntil('the last byte', () => client.events.length === 2);
    expect(client.events.map((event) => event['Event-Name'])).toEqual([
      'CHANNEL_ANSWER',
      'CHANNEL_HANGUP_COMPLETE',
    ]);
  });

  it('bytes trickle', async () => {
    await using stage = await Stage.open();
    const client = await stage.login();
    stage.sim.faults.chunkBytes = 10;
    stage.sim.faults.chunkEveryMs = 100;
    client.write('api hostname\n\n');
    await stage.run(300);
    expect(client.replies).toHaveLength(1);
    expect(client.rest.length).toBeGreaterThan(0);
    await stage.run(1000);
    expect(client.replies).toHaveLength(2);
  });

  it.each([
    ['before', 0],
    ['header', 10],
    ['body', 'half'],
  ] as const)('a reset or a FIN breaks a reply off: %s', async (where, left) => {
    for (const how of ['reset', 'finish'] as const) {
      await using stage = await Stage.open();
      const client = await stage.login();
      stage.sim.faults.cutAt({ at: 'reply', where, how });
      client.write('api version\n\n');
      await stage.runUntil('the end', () => client.isClosed);
      expect(client.hadError).toBe(how === 'reset');
      expect(client.replies).toHaveLength(1);
      const rest = client.rest.length;
      expect(left === 'half' ? rest > 10 && rest < 170 : rest === left).toBe(true);
    }
  });

  it('a silent peer accepts and says nothing', async () => {
    await using stage = await Stage.open();
    stage.sim.faults.isSilent = true;
    const client = await stage.connect('no greeting');
    client.write('auth ClueCon\n\n');
    await stage.runUntil('the connection', () => stage.sim.connectionCount === 1);
    await stage.run(5000);
    expect(client.bytes).toHaveLength(0);
    expect(client.isClosed).toBe(false);
  });

  it('connections are refused, then accepted again, while an old one stands', async () => {
    await using stage = await Stage.open();
    const old = await stage.login();
    stage.sim.refuseConnections();
    const refused = await EslClient.open(stage.sim.port);
    expect(refused).toMatchObject({ isClosed: true, hadError: true });
    expect(await old.ask('api hostname')).toBe('simulator');
    await stage.sim.acceptConnections();
    const again = await stage.login();
    expect(await again.ask('api hostname')).toBe('simulator');
  });

  it('a stranger is rejected, and a peer that does not authenticate is dropped after 25 s', async () => {
    const strangers = await Stage.open({ allows: () => false });
    const stranger = await strangers.connect();
    await strangers.runUntil('the end', () => stranger.isClosed);
    expect(stranger.bytes.toString()).toBe(
      'Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n',
    );
    await strangers.close();
    await using stage = await Stage.open();
    const idle = await stage.connect();
    await stage.run(24_900);
    expect(idle.isClosed).toBe(false);
    await stage.run(200);
    expect(idle.isClosed).toBe(true);
  });

  it('an outbound connection ends as soon as it stands, and the next host is tried', async () => {
    await using stage = await Stage.open();
    let connections = 0;
    const port = await stage.listen(() => {
      connections += 1;
    });
    stage.sim.faults.cutAt({ at: 'outbound-connect', where: 'before', how: 'reset' });
    stage.sim.dialplan(() => [['socket', `127.0.0.1:${port}|127.0.0.1:${port} async full`]]);
    const call = stage.sim.placeCall({ from: '1001', to: '1' });
    await stage.runUntil('two connections', () => connections === 2);
    call.hangup();
    await stage.runUntilQuiet();
    expect(call.truth?.cause).toBe('ORIGINATOR_CANCEL');
  });

  it('bytes are spoiled on their way', async () => {
    await using stage = await Stage.open();
    const client = await stage.login();
    stage.sim.faults.mangle = (bytes) =>
      Buffer.from(bytes.toString().replace(/Content-Length: \d+/, 'Content-Length: 3'));
    client.write('api hostname\n\n');
    await stage.runUntil('a reply', () => client.replies.length === 2);
    expect(client.replies.at(-1)?.body.toString()).toBe('sim');
    stage.sim.faults.clear();
    expect(stage.sim.faults.mangle).toBeUndefined();
  });
});

describe('a switch that goes down', () => {
  it('crashes without a word and starts again with another Core-UUID on the same port', async () => {
    await using stage = await Stage.open();
    stage.sim.dialplan(() => [['answer'], ['park']]);
    const client = await stage.login('event json ALL');
    const call = stage.sim.placeCall({ from: '1001', to: '1' });
    await stage.run(100);
    const { coreUuid, port } = stage.sim;
    const seen = client.events.length;
    await stage.sim.crash();
    await stage.runUntil('the end', () => client.isClosed);
    expect(client.events).toHaveLength(seen);
    expect(call.truth).toMatchObject({ endedBy: 'crash', cause: undefined });
    expect(stage.time.pendingCount).toBe(0);
    await stage.sim.restart();
    expect(stage.sim.port).toBe(port);
    const after = await stage.login();
    const now = await after.ask('api global_getvar core_uuid');
    expect(now).not.toBe(coreUuid);
    expect(await after.ask('api show channels as json')).toBe('{"row_count": 0}\n');
  });

  it('shuts down with full hang-ups, a notice and a FIN', async () => {
    await using stage = await Stage.open();
    stage.sim.dialplan(() => [['answer'], ['park']]);
    const client = await stage.login('event json SHUTDOWN CHANNEL_HANGUP_COMPLETE');
    stage.sim.placeCall({ from: '1001', to: '1' });
    await stage.run(100);
    const down = stage.sim.shutdown();
    await stage.run(1000);
    await down;
    expect(client.events.map((event) => event['Hangup-Cause'] ?? event['Event-Info'])).toEqual([
      'System Shutting Down',
      'SYSTEM_SHUTDOWN',
    ]);
    expect(client.messages.at(-1)?.body.toString()).toBe('The system is being shut down.\n');
    expect(client.isClosed).toBe(true);
  });
});
