import { describe, expect, it } from 'vitest';
import type { EslClient, WireEvent, WireMessage } from './esl-client.ts';
import { connectBlockOf, readRecording } from './recording.ts';
import { USUAL_FAR_ENDS } from './scenarios.ts';
import { Stage } from './stage.ts';
import { tellStory } from './story.ts';

type Played = { readonly stage: Stage; readonly controller: EslClient };

/** A call to a dialplan whose only action is a socket, ruled by a controller that sends what was recorded. */
type OutboundScenario = {
  readonly recording: string;
  readonly title: string;
  /** The recorded commands after which the controller waits, by their number, and for what. */
  readonly pauses?: Readonly<Record<number, (controller: EslClient) => boolean>>;
  readonly finally?: (played: Played) => void;
  readonly farEndIsBusy?: boolean;
};

const hasSeen = (name: string) => (controller: EslClient) => controller.eventsNamed(name).length > 0;
const hasReplied = (count: number) => (controller: EslClient) => controller.replies.length >= count;

const SCENARIOS: readonly OutboundScenario[] = [
  {
    recording: '12a',
    title: 'lingers to the last event of a call that the caller ends',
    pauses: { 6: hasSeen('CHANNEL_HANGUP_COMPLETE') },
  },
  { recording: '12b', title: 'closes with the call when it does not linger' },
  {
    recording: '12f',
    title: 'decides what to do after a busy callee',
    farEndIsBusy: true,
    pauses: {
      5: (controller) =>
        controller.eventsNamed('CHANNEL_EXECUTE_COMPLETE').some((event) => event['Application'] === 'bridge'),
      11: hasSeen('CHANNEL_HANGUP_COMPLETE'),
    },
  },
  {
    recording: '12i',
    title: 'hears of a caller who gives up',
    pauses: { 4: hasSeen('CHANNEL_HANGUP_COMPLETE') },
  },
];

describe('an outbound socket', () => {
  it.each(SCENARIOS.map((scenario) => [scenario.recording, scenario.title, scenario] as const))(
    '%s %s',
    async (_, __, scenario) => {
      const recording = readRecording(scenario.recording);
      const { stage, controller } = await playOutbound(scenario, recording.commands);
      await stage.close();
      expect(storyOf(controller.events)).toEqual(storyOf(recording.events));
      expect(repliesAndNotices(controller)).toEqual(repliesAndNotices(recording));
    },
  );

  it('12b answers connect with one block of headers, its content type near the end', async () => {
    const recording = readRecording('12b');
    const { stage, controller } = await playOutbound({ recording: '12b', title: '' }, recording.commands);
    await stage.close();
    const recorded = connectBlockOf(recording.messages) ?? {};
    const simulated = connectBlockOf(controller.messages) ?? {};
    const tail = ['Content-Type', 'Reply-Text', 'Socket-Mode', 'Control'];
    expect(Object.keys(simulated).slice(-4)).toEqual(tail);
    expect(tail.map((name) => simulated[name])).toEqual(tail.map((name) => recorded[name]));
    expect(controller.bytes.toString()).toContain(
      'Reply-Text: %2BOK%0A\nSocket-Mode: async\nControl: full\n\n',
    );
    const profile = (block: WireEvent) =>
      Object.keys(block).filter((name) => /^(?:Channel|Caller)-/.test(name));
    expect(profile(simulated)).toEqual(profile(recorded));
    expect(storyOf([simulated])).toEqual(storyOf([recorded]));
  });

  it('12e lets the dialplan go on when the controller closes in mid-call', async () => {
    await using stage = await Stage.open();
    const recording = readRecording('12e');
    let controller: EslClient | undefined;
    const port = await stage.listen((client) => {
      controller = client;
      for (const command of recording.commands) client.write(`${command}\n\n`);
    });
    const inbound = await stage.login('event plain ALL');
    stage.sim.dialplan(() => [
      ['socket', `127.0.0.1:${port} async full`],
      ['playback', 'silence_stream://-1'],
    ]);
    const call = stage.sim.placeCall({ from: '1001', to: '1000' });
    await stage.runUntil('the answer', () => controller?.eventsNamed('CHANNEL_ANSWER').length === 1);
    await stage.run(100);
    controller?.close();
    await stage.runUntil('the next action', () =>
      inbound.eventsNamed('CHANNEL_EXECUTE').some((event) => event['Application'] === 'playback'),
    );
    expect(storyOf(controller?.events ?? [])).toEqual(storyOf(recording.events));
    expect(call.truth?.cause).toBeUndefined();
  });

  it('12h ends the call when nobody listens and nothing follows', async () => {
    await using stage = await Stage.open();
    const recording = readRecording('12h');
    const port = await unusedPort();
    stage.sim.dialplan(() => [['socket', `127.0.0.1:${port} async full`]]);
    const client = await stage.login(recording.commands[1]);
    stage.sim.placeCall({ from: '1001', to: '1000' });
    await stage.runUntilQuiet();
    expect(storyOf(client.events)).toEqual(storyOf(recording.events));
  });

  it('tries the hosts in turn and then goes on with the dialplan', async () => {
    await using stage = await Stage.open();
    const [closed, silent] = [await unusedPort(), await unusedPort()];
    let connections = 0;
    const port = await stage.listen((client) => {
      connections += 1;
      client.close();
    });
    stage.sim.dialplan(() => [
      ['socket', `127.0.0.1:${closed}|127.0.0.1:${silent}|127.0.0.1:${port} async full`],
      ['respond', '503 Nobody'],
    ]);
    const call = stage.sim.placeCall({ from: '1001', to: '1000' });
    await stage.runUntilQuiet();
    expect(connections).toBe(1);
    expect(call.truth?.sipStatus).toBe(503);
  });

  it('without full refuses everything that is not about its own leg', async () => {
    await using stage = await Stage.open();
    let controller: EslClient | undefined;
    const port = await stage.listen((client) => void (controller = client));
    stage.sim.dialplan(() => [['socket', `127.0.0.1:${port} async`]]);
    stage.sim.placeCall({ from: '1001', to: '1000' });
    await stage.runUntil('the connection', () => controller !== undefined);
    const ask = (command: string) => stage.ask(controller as EslClient, command);
    expect(await ask('connect')).toBe('%2BOK%0A');
    for (const command of ['api status', 'bgapi status', 'event plain ALL', 'linger', 'log info', 'nosuch']) {
      expect(await ask(command)).toBe('-ERR command not found');
    }
    expect(await ask('myevents json')).toBe('+OK Events Enabled');
    expect(await ask('getvar sip_from_user')).toBe('1001');
    expect(await ask('getvar nosuchvar')).toBe('-ERR command not found');
    expect(await ask('sendmsg\ncall-command: bogus')).toBe('+OK');
  });

  it('without async runs an application before it answers', async () => {
    await using stage = await Stage.open();
    let controller: EslClient | undefined;
    const port = await stage.listen((client) => void (controller = client));
    stage.sim.dialplan(() => [
      ['socket', `127.0.0.1:${port} full`],
      ['hangup', 'USER_BUSY'],
    ]);
    const call = stage.sim.placeCall({ from: '1001', to: '1000' });
    await stage.runUntil('the connection', () => controller !== undefined);
    controller?.write(
      'connect\n\nsendmsg\ncall-command: execute\nexecute-app-name: sleep\nexecute-app-arg: 500\n\n',
    );
    await stage.run(300);
    expect(controller?.replies).toHaveLength(1);
    await stage.run(300);
    expect(controller?.replies).toHaveLength(2);
    controller?.write('exit\n\n');
    await stage.runUntilQuiet();
    expect(call.truth?.cause).toBe('USER_BUSY');
  });

  it('says +OK to an unknown application, which then kills the call', async () => {
    await using stage = await Stage.open();
    let controller: EslClient | undefined;
    const port = await stage.listen((client) => void (controller = client));
    stage.sim.dialplan(() => [['socket', `127.0.0.1:${port} async full`]]);
    const call = stage.sim.placeCall({ from: '1001', to: '1000' });
    await stage.runUntil('the connection', () => controller !== undefined);
    const execute = 'sendmsg\ncall-command: execute\nexecute-app-name: nosuchapp';
    expect(await stage.ask(controller as EslClient, execute)).toBe('+OK');
    await stage.runUntilQuiet();
    expect(call.truth?.cause).toBe('DESTINATION_OUT_OF_ORDER');
  });
});

async function playOutbound(scenario: OutboundScenario, commands: readonly string[]): Promise<Played> {
  const stage = await Stage.open();
  for (const [number, farEnd] of Object.entries(USUAL_FAR_ENDS)) stage.sim.endpoint(number, farEnd);
  if (scenario.farEndIsBusy === true) stage.sim.endpoint('3001', { kind: 'rejects', cause: 'USER_BUSY' });
  let controller: EslClient | undefined;
  const port = await stage.listen((client) => void (controller = client));
  stage.sim.dialplan(() => [['socket', `127.0.0.1:${port} async full`]]);
  const call = stage.sim.placeCall({ from: '1001', to: '1000' });
  await stage.runUntil('the connection', () => controller !== undefined);
  const connected = controller as unknown as EslClient;
  for (const [index, command] of commands.entries()) {
    const pause = scenario.pauses?.[index];
    if (pause !== undefined && index === commands.length - 1) {
      await stage.run(1000);
      call.hangup();
    }
    if (pause !== undefined) await stage.runUntil(`the recorded pause ${index}`, () => pause(connected));
    connected.write(`${command}\n\n`);
    if (index < 3) await stage.runUntil('a reply', () => hasReplied(index + 1)(connected));
  }
  await stage.runUntil('the end of the connection', () => connected.isClosed);
  await stage.runUntilQuiet();
  return { stage, controller: connected };
}

/** The recordings name their controller's port; ours has another. */
function storyOf(events: readonly WireEvent[]) {
  return tellStory(events.filter((event) => event['Event-Name'] !== 'CHANNEL_PARK'));
}

function repliesAndNotices(of: { readonly messages: readonly WireMessage[] }) {
  const kinds = /^(?:command\/reply|text\/disconnect-notice)$/;
  const wanted = of.messages.filter(({ headers }) => kinds.test(headers.get('Content-Type') ?? ''));
  // The linger notice may come before or after the last events: only its place among the replies is fixed.
  return wanted.map(({ headers, body }) => [
    headers.get('Content-Type'),
    headers.get('Reply-Text'),
    headers.get('Content-Disposition'),
    headers.get('Linger-Time'),
    body.toString(),
  ]);
}

async function unusedPort(): Promise<number> {
  const stage = await Stage.open();
  const { port } = stage.sim;
  await stage.close();
  return port;
}
