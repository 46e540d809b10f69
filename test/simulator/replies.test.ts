import { describe, expect, it } from 'vitest';
import type { WireMessage } from './esl-client.ts';
import { readRecording } from './recording.ts';
import { rigDialplan } from './scenarios.ts';
import { Stage } from './stage.ts';

/** Answered by modules that the simulator does not have. */
const OF_THE_RIG = /^api (?:sofia|json) /;

describe('replies are those recorded, byte for byte but for ids and times:', () => {
  it.each([
    ['01a', 'a wrong password'],
    ['01b', 'a command before authentication'],
    ['01d', 'pipelined commands and CRLF'],
  ])('%s %s', async (number) => {
    await using stage = await Stage.open();
    // The rig had been up for nine minutes.
    stage.time.advance(540_000);
    const recording = readRecording(number);
    const client = await stage.connect();
    client.write(recording.sent);
    await stage.runUntil('the end of the connection', () => client.isClosed);
    expect(client.messages.map(shapeOf)).toEqual(recording.messages.map(shapeOf));
  });

  it('01c every command and error', async () => {
    await using stage = await Stage.open({ hostname: 'vm' });
    stage.sim.dialplan(rigDialplan);
    // Nothing listens at this address of the rig.
    stage.sim.endpoint(/127\.0\.0\.1:5099/, { kind: 'rejects', cause: 'NORMAL_TEMPORARY_FAILURE' });
    const recording = readRecording('01c');
    const recorded = repliesOf(recording.messages).slice(1);
    const client = await stage.login();
    const compared: string[] = [];
    const expected: string[] = [];
    const questions = recording.commands.slice(1, -1);
    expect(questions.length).toBeGreaterThan(100);
    for (const [index, command] of questions.entries()) {
      const before = client.replies.length;
      await stage.ask(client, command);
      if (OF_THE_RIG.test(command)) continue;
      compared.push(`${command} → ${shapeOf(client.replies[before])}`);
      expected.push(`${command} → ${shapeOf(recorded[index])}`);
    }
    expect(compared).toEqual(expected);
  });
});

function repliesOf(messages: readonly WireMessage[]): readonly WireMessage[] {
  return messages.filter(({ headers }) =>
    /^(?:command\/reply|api\/response)$/.test(headers.get('Content-Type') ?? ''),
  );
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** The message without what no two switches share; its length goes with that. */
function shapeOf(message: WireMessage | undefined): string {
  const text = message?.raw.toString('latin1') ?? 'nothing';
  const isStatus = text.includes('\nUP ');
  const masked = text
    .replace(/^UP [^\n]*$/m, 'UP for a while')
    .replaceAll(UUID, (uuid) => (/^(?:0{8}|1{8}-2222)/.test(uuid) ? uuid : 'an id'))
    .replaceAll(/^\d+ session\(s\).*$/gm, 'sessions')
    .replaceAll(/^min idle cpu.*$/gm, 'idle')
    .replaceAll(/\b20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\b/g, 'a date')
    .replaceAll(/\b1[67]\d{8}\b/g, 'a second');
  return isStatus ? masked.replace(/^Content-Length: \d+$/m, 'Content-Length: some') : masked;
}
