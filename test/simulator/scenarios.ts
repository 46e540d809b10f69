import type { Dialplan } from '../../src/simulator/core.ts';
import type { FarEnd } from '../../src/simulator/far-end.ts';
import type { Action } from '../../src/simulator/leg.ts';
import type { EslClient } from './esl-client.ts';
import type { Stage } from './stage.ts';

/** One recorded call, played again. The far ends and the dialplan are those of the rig it was recorded on. */
export type Scenario = {
  readonly recording: string;
  readonly title: string;
  readonly farEnds?: Readonly<Record<string, FarEnd>>;
  readonly play: (stage: Stage, client: EslClient) => Promise<void>;
  /** Several threads raced on the real switch: the events of a leg are compared as a set. */
  readonly isOrderLoose?: boolean;
};

const ANSWERS: FarEnd = { kind: 'answers', afterMs: 500 };
const rejects = (cause: string): FarEnd => ({ kind: 'rejects', cause, afterMs: 5 });
const bridge = (dialString: string): readonly Action[] => [
  ['set', 'hangup_after_bridge=true'],
  ['bridge', dialString],
];

/** The dialplan of the rig. */
export const rigDialplan: Dialplan = ({ destination }) => {
  switch (destination) {
    case '3001':
    case '3002':
      return bridge(`sofia/internal/${destination}@127.0.0.1:5080`);
    case '6001':
      return bridge('sofia/internal/3001@127.0.0.1:5080,sofia/internal/3002@127.0.0.1:5081');
    case '6002':
      return bridge('loopback/9009/default,loopback/9002/default');
    case '8001':
      return [['answer'], ['park']];
    case '9000':
      return [['answer'], ['playback', 'silence_stream://-1']];
    case '9002':
      return [['ring_ready'], ['sleep', '600000']];
    case '9004':
      return [['hangup', 'USER_BUSY']];
    case '9005':
      return [['hangup', 'CALL_REJECTED']];
    case '9009':
      return [['ring_ready'], ['sleep', '2000'], ['answer'], ['playback', 'silence_stream://-1']];
    default:
      return undefined;
  }
};

const isBridged = (client: EslClient) => (): boolean => client.eventsNamed('CHANNEL_BRIDGE').length > 0;

/** A call from 1001 that is bridged; then whatever the scenario is about; then the caller hangs up. */
function bridged(
  to: string,
  then?: (stage: Stage, client: EslClient, aLeg: string, bLeg: string) => Promise<void>,
) {
  return async (stage: Stage, client: EslClient): Promise<void> => {
    const call = stage.sim.placeCall({ from: '1001', to });
    await stage.runUntil('a bridge', isBridged(client));
    await stage.run(800);
    const bLeg = client.eventsNamed('CHANNEL_BRIDGE')[0]?.['Bridge-B-Unique-ID'] ?? '';
    await then?.(stage, client, call.uuid, bLeg);
    await stage.run(2500);
    call.hangup();
    await stage.runUntilQuiet();
  };
}

/** As above, but the rig ended what was left. */
function swept(what: (aLeg: string) => string) {
  return bridged('3001', async (stage, client, aLeg) => {
    await client.ask(what(aLeg));
    await stage.run(2500);
    await client.ask('api hupall normal_clearing');
  });
}

async function failed(stage: Stage): Promise<void> {
  stage.sim.placeCall({ from: '1001', to: '3001' });
  await stage.runUntilQuiet();
}

export const SCENARIOS: readonly Scenario[] = [
  { recording: '02', title: 'an answered call, plain', play: bridged('3001') },
  { recording: '03', title: 'an answered call, json', play: bridged('3001') },
  {
    recording: '04',
    title: 'a caller who gives up while it rings',
    farEnds: { '3001': { kind: 'rings' } },
    async play(stage) {
      stage.sim.placeCall({ from: '1001', to: '3001', hangsUpAfterMs: 1500 });
      await stage.runUntilQuiet();
    },
  },
  {
    recording: '04b',
    title: 'an originate that nobody answers',
    farEnds: { '3001': { kind: 'rings' } },
    async play(stage, client) {
      const dial =
        '{originate_timeout=3,origination_caller_id_number=1001}sofia/internal/3001@127.0.0.1:5080';
      await client.ask(`bgapi originate ${dial} &park()`);
      await stage.runUntilQuiet();
    },
  },
  { recording: '05', title: 'a busy callee', farEnds: { '3001': rejects('USER_BUSY') }, play: failed },
  {
    recording: '05b',
    title: 'a callee who declines',
    farEnds: { '3001': rejects('CALL_REJECTED') },
    play: failed,
  },
  {
    recording: '05c',
    title: 'an unknown number',
    farEnds: { '3001': rejects('UNALLOCATED_NUMBER') },
    play: failed,
  },
  {
    recording: '05d',
    title: 'a carrier out of service',
    farEnds: { '3001': rejects('NORMAL_TEMPORARY_FAILURE') },
    play: failed,
  },
  {
    recording: '06',
    title: 'a fork of which one branch answers',
    farEnds: { '3001': { kind: 'answers', afterMs: 1000 }, '3002': { kind: 'rings' } },
    play: bridged('6001'),
  },
  {
    recording: '06b',
    title: 'a fork of two loopbacks',
    play: bridged('6002'),
    isOrderLoose: true,
  },
  {
    recording: '06c',
    title: 'a fork of which one branch refuses and one answers',
    farEnds: { '3001': { kind: 'answers', afterMs: 1000 }, '3002': rejects('NORMAL_TEMPORARY_FAILURE') },
    play: bridged('6001'),
  },
  {
    recording: '07',
    title: 'a blind transfer of the A leg',
    play: bridged(
      '3001',
      async (_, client, aLeg) => void (await client.ask(`api uuid_transfer ${aLeg} 9000 XML default`)),
    ),
  },
  {
    recording: '07b',
    title: 'a blind transfer of the B leg, which lives on alone',
    play: swept((aLeg) => `api uuid_transfer ${aLeg} -bleg 9000 XML default`),
  },
  {
    recording: '07c',
    title: 'a blind transfer of both legs',
    play: swept((aLeg) => `api uuid_transfer ${aLeg} -both 9000 XML default`),
  },
  {
    recording: '07d',
    title: 'a blind transfer to another number',
    play: bridged(
      '3001',
      async (_, client, aLeg) => void (await client.ask(`api uuid_transfer ${aLeg} 3002 XML default`)),
    ),
  },
  {
    recording: '08',
    title: 'two calls whose B legs are bridged, as in an attended transfer',
    async play(stage, client) {
      stage.sim.placeCall({ from: '1001', to: '3001' });
      await stage.run(1000);
      stage.sim.placeCall({ from: '1001', to: '3002' });
      await stage.runUntil('two bridges', () => client.eventsNamed('CHANNEL_BRIDGE').length === 2);
      const [first, second] = client
        .eventsNamed('CHANNEL_BRIDGE')
        .map((event) => event['Bridge-B-Unique-ID']);
      await client.ask(`api uuid_bridge ${first} ${second}`);
      await stage.run(2000);
      await client.ask(`api uuid_kill ${first}`);
      await stage.runUntilQuiet();
    },
  },
  {
    recording: '08b',
    title: 'two parked legs that are bridged',
    async play(stage, client) {
      const first = stage.sim.placeCall({ from: '1001', to: '8001' });
      await stage.run(700);
      const second = stage.sim.placeCall({ from: '1002', to: '8001' });
      await stage.run(100);
      await client.ask(`api uuid_bridge ${first.uuid} ${second.uuid}`);
      await stage.run(3000);
      first.hangup();
      await stage.runUntilQuiet();
    },
  },
  {
    recording: '09',
    title: 'a call that is killed',
    play: bridged(
      '3001',
      async (_, client, aLeg) => void (await client.ask(`api uuid_kill ${aLeg} ALLOTTED_TIMEOUT`)),
    ),
  },
  {
    recording: '10',
    title: 'a call that is cut by the scheduler',
    play: bridged('3001', async (stage, client, aLeg) => {
      await client.ask(`api sched_hangup +2 ${aLeg} ALLOTTED_TIMEOUT`);
      await stage.run(500);
    }),
  },
  {
    recording: '14',
    title: 'originate as a background job, plain',
    play: originates,
    isOrderLoose: true,
  },
  {
    recording: '14b',
    title: 'originate as a background job, json',
    play: originates,
    isOrderLoose: true,
  },
  {
    recording: '17',
    title: 'an orderly shutdown with a call up',
    async play(stage, client) {
      stage.sim.placeCall({ from: '1001', to: '3001' });
      await stage.runUntil('a bridge', isBridged(client));
      await stage.run(500);
      await client.ask('api fsctl shutdown');
      await stage.runUntil('the end of the connection', () => client.isClosed);
    },
  },
  {
    recording: '18',
    title: 'a REFER by the caller, whose partner lives on alone',
    async play(stage, client) {
      const call = stage.sim.placeCall({ from: '1001', to: '3001' });
      await stage.runUntil('a bridge', isBridged(client));
      await stage.run(1500);
      call.refer('9000');
      await stage.run(2000);
      await client.ask('api hupall normal_clearing');
      await stage.runUntilQuiet();
    },
  },
];

async function originates(stage: Stage, client: EslClient): Promise<void> {
  const job = async (text: string): Promise<void> => {
    const before = client.eventsNamed('BACKGROUND_JOB').length;
    await client.ask(`bgapi originate ${text}`);
    await stage.runUntil('a job to end', () => client.eventsNamed('BACKGROUND_JOB').length > before);
    await stage.run(200);
  };
  const id = (last: string): string => `0f0f0f0f-0000-4000-8000-0000000000${last}`;
  const as2000 = 'origination_caller_id_number=2000,origination_caller_id_name=Rig';
  await job(`{origination_uuid=${id('aa')},${as2000}}loopback/9000/default &park()`);
  await client.ask(`api uuid_kill ${id('aa')} ALLOTTED_TIMEOUT`);
  await stage.run(300);
  await job('loopback/9004/default &park()');
  stage.sim.endpoint('9000', { kind: 'answers', afterMs: 20, ringsAfterMs: 'never' });
  // The rig called itself: the far end of this one is a call of the same switch.
  const self = stage.sim.placeCall({ from: '0000000000', callerName: '', to: '9000', context: 'carrier' });
  await job(`{origination_uuid=${id('ab')}}sofia/internal/9000@127.0.0.1:5070 9000 XML default`);
  await client.ask(`api uuid_kill ${id('ab')}`);
  self.hangup();
  await stage.run(300);
  await job(`{origination_uuid=${id('ac')}}loopback/9000/default &park()`);
  await job(`{origination_uuid=${id('ac')}}loopback/9000/default &park()`);
  await client.ask('api hupall normal_clearing');
  await stage.runUntilQuiet();
}

/** What answers in a scenario that does not say otherwise. */
export const USUAL_FAR_ENDS: Readonly<Record<string, FarEnd>> = { '3001': ANSWERS, '3002': ANSWERS };
