import { describe, expect, it } from 'vitest';
import type { EslClient, WireEvent } from './esl-client.ts';
import { readRecording } from './recording.ts';
import { SCENARIOS, USUAL_FAR_ENDS, rigDialplan, type Scenario } from './scenarios.ts';
import { Stage } from './stage.ts';
import { orderOf, tellStory, type StoryEvent } from './story.ts';

describe('the simulator tells each recorded call as FreeSWITCH did:', () => {
  it.each(SCENARIOS.map((scenario) => [scenario.recording, scenario.title, scenario] as const))(
    '%s %s',
    async (_, __, scenario) => {
      const recording = readRecording(scenario.recording);
      const client = await replay(scenario, recording.commands);
      const tell = scenario.isOrderLoose === true ? tellLoosely : tellStory;
      expect(tell(client.events)).toEqual(tell(recording.events));
    },
  );
});

/** What must come before what, wherever both occur. Held against the recordings as well, so that no rule is invented. */
const ORDER: readonly (readonly [before: string, after: string])[] = [
  ['inbound 3001 CHANNEL_CREATE', 'outbound 3001 CHANNEL_CREATE'],
  ['outbound 3001 CHANNEL_CREATE', 'outbound 3001 CHANNEL_ANSWER'],
  ['outbound 3001 CHANNEL_PROGRESS', 'inbound 3001 CHANNEL_PROGRESS'],
  ['outbound 3001 CHANNEL_ANSWER', 'inbound 3001 CHANNEL_ANSWER'],
  ['outbound 3001 CHANNEL_ANSWER', 'inbound 6001 CHANNEL_ANSWER'],
  ['outbound 3001 CHANNEL_ANSWER', 'outbound 3002 CHANNEL_DESTROY'],
  ['inbound 3001 CHANNEL_ANSWER', 'inbound 3001 CHANNEL_BRIDGE'],
  ['inbound 3001 CHANNEL_BRIDGE', 'inbound 3001 CHANNEL_HANGUP'],
  ['inbound 3001 CHANNEL_BRIDGE', 'outbound 3001 CHANNEL_HANGUP'],
  ['inbound 3001 CHANNEL_UNBRIDGE', 'inbound 3001 CHANNEL_HANGUP_COMPLETE'],
  ['inbound 3001 CHANNEL_HANGUP_COMPLETE', 'inbound 3001 CHANNEL_DESTROY'],
  ['outbound 3001 CHANNEL_HANGUP', 'outbound 3001 CHANNEL_HANGUP_COMPLETE'],
  ['outbound 3001 CHANNEL_HANGUP_COMPLETE', 'outbound 3001 CHANNEL_DESTROY'],
];

describe('the recordings', () => {
  it.each(SCENARIOS.map(({ recording }) => recording))('%s is read whole', (number) => {
    const recording = readRecording(number);
    expect(recording.eventCount).toBeGreaterThan(0);
    expect(recording.events).toHaveLength(recording.eventCount);
  });
});

it('every HANGUP_COMPLETE says its cause twice, as recorded', async () => {
  await using stage = await Stage.open();
  stage.sim.dialplan(rigDialplan);
  const client = await stage.login('event json CHANNEL_HANGUP_COMPLETE');
  stage.sim.placeCall({ from: '1001', to: '9004' });
  await stage.runUntilQuiet();
  const causes = client.bytes.toString().match(/"Hangup-Cause":"USER_BUSY"/g);
  expect(causes).toHaveLength(2);
});

describe('the order between the legs is that of the recording:', () => {
  const ordered = SCENARIOS.filter(
    ({ isOrderLoose, recording }) => isOrderLoose !== true && recording !== '06c',
  );
  it.each(ordered.map((scenario) => [scenario.recording, scenario.title, scenario] as const))(
    '%s %s',
    async (_, __, scenario) => {
      const recording = readRecording(scenario.recording);
      const client = await replay(scenario, recording.commands);
      expect(violations(orderOf(recording.events))).toEqual([]);
      expect(violations(orderOf(client.events))).toEqual([]);
    },
  );
});

async function replay(scenario: Scenario, commands: readonly string[]): Promise<EslClient> {
  await using stage = await Stage.open();
  stage.sim.dialplan(rigDialplan);
  for (const [number, farEnd] of Object.entries({ ...USUAL_FAR_ENDS, ...scenario.farEnds })) {
    stage.sim.endpoint(number, farEnd);
  }
  const client = await stage.login(commands.find((command) => command.startsWith('event ')));
  await scenario.play(stage, client);
  return client;
}

function violations(order: readonly string[]): readonly string[] {
  return ORDER.filter(([before, after]) => {
    const [first, second] = [order.indexOf(before), order.indexOf(after)];
    return first !== -1 && second !== -1 && first > second;
  }).map(([before, after]) => `${after} came before ${before}`);
}

/** Where threads raced, a leg's events are a set, and only its last two say the same every time. */
function tellLoosely(events: readonly WireEvent[]) {
  const isSettled = ({ name }: StoryEvent): boolean =>
    name === 'CHANNEL_HANGUP_COMPLETE' || name === 'CHANNEL_DESTROY';
  const legs = Object.entries(tellStory(events)).map(([role, told]) => {
    return [role, { names: told.map(({ name }) => name).toSorted(), settled: told.filter(isSettled) }];
  });
  return Object.fromEntries(legs) as unknown;
}
