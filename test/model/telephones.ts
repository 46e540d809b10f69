import type { CallControl, ChannelRow, DeadmanTask } from '../../src/calls/switch.ts';
import type { GateAnswer, GateKeeper } from '../../src/calls/gate.ts';
import type { LegFacts, SwitchEvent } from '../../src/calls/switch-event.ts';
import { decodeEvent, decodeLeg, decodeTimes } from '../../src/freeswitch/decode-event.ts';
import type { LegUuid, NodeId } from '../../src/units/ids.ts';
import { assert } from '../../src/units/assert.ts';
import type { VirtualTime } from './virtual-time.ts';

export const NODE = 'fs1' as NodeId;
export const CORE = 'core-1';

/** One leg, as FreeSWITCH has it. */
export type Channel = {
  readonly uuid: LegUuid;
  readonly originator: LegUuid | undefined;
  readonly destination: string;
  readonly variables: Map<string, string>;
  readonly createdAt: number;
  answeredAt: number | undefined;
  endedAt: number | undefined;
};

/**
 * A FreeSWITCH in virtual time: channels, their variables, and what is told of them in FreeSWITCH's own words. It does
 * what it is asked and has no mind of its own; what it is told to kill is listed until somebody fetches it.
 */
export type Telephones = {
  readonly control: CallControl;
  place(destination: string, variables: Readonly<Record<string, string>>): Channel;
  /** The leg that `a` places: it inherits what was exported. */
  ring(a: Channel, branch: string | undefined): Channel;
  ask(a: Channel, keeper: GateKeeper): Promise<GateAnswer>;
  answer(channel: Channel): void;
  bridge(a: Channel, b: Channel): void;
  unbridge(a: Channel, b: Channel): void;
  areBridged(a: Channel, b: Channel | undefined): boolean;
  /** Its places are free from now on; how long it talked may be told later. */
  hangUp(channel: Channel, cause: string): void;
  /** The legs of which the end has been told since it was asked last. */
  completed(): readonly Channel[];
  /** The legs that were killed since it was asked last. */
  killed(): readonly Channel[];
  /** Legs that its own timers would have ended by now. */
  overtaken(): readonly LegUuid[];
  up(): readonly Channel[];
};

export function createTelephones(
  time: VirtualTime,
  options: {
    readonly tell: (event: SwitchEvent) => void;
    /** Every event comes twice, as after a reconnection. */
    readonly twice: boolean;
    /** HANGUP_COMPLETE lags so far behind HANGUP. */
    readonly completesAfterMs: number;
  },
): Telephones {
  const channels = new Map<string, Channel>();
  const killed: Channel[] = [];
  const completed: Channel[] = [];
  const bridges = new Map<Channel, Channel>();
  const deadmen = new Map<DeadmanTask, { readonly uuid: LegUuid; readonly firesAt: number }>();
  let legs = 0;
  let tasks = 0;

  const headersOf = (channel: Channel, name: string): Readonly<Record<string, string>> => {
    const { uuid, originator, destination, answeredAt, endedAt } = channel;
    const talkedMs = answeredAt === undefined ? 0 : (endedAt ?? time.now()) - answeredAt;
    return {
      'Event-Name': name,
      'Unique-ID': uuid,
      'Core-UUID': CORE,
      'Call-Direction': originator === undefined ? 'inbound' : 'outbound',
      'Event-Date-Timestamp': `${time.now()}000`,
      'Caller-Channel-Created-Time': `${channel.createdAt}000`,
      'Caller-Channel-Answered-Time': `${answeredAt ?? 0}000`,
      'Caller-Caller-ID-Number': '1001',
      'Caller-Destination-Number': destination,
      ...(originator === undefined ? {} : { variable_originator: originator }),
      ...(endedAt === undefined
        ? {}
        : {
            variable_end_uepoch: `${endedAt}000`,
            variable_answer_uepoch: `${answeredAt ?? 0}000`,
            variable_billusec: `${talkedMs}000`,
            variable_billsec: `${Math.floor(talkedMs / 1000)}`,
          }),
      ...Object.fromEntries([...channel.variables].map(([key, value]) => [`variable_${key}`, value])),
    };
  };
  const reading = () => ({ node: NODE, receivedAt: time.now(), accountFallbacks: [] });
  const tell = (channel: Channel, name: string, more: Readonly<Record<string, string>> = {}): void => {
    const event = decodeEvent({ ...headersOf(channel, name), ...more }, reading());
    assert(event !== undefined, 'an event of a channel is one of ours');
    options.tell(event);
    if (options.twice) options.tell(event);
  };
  const factsOf = (channel: Channel): LegFacts => {
    const facts = decodeLeg(headersOf(channel, 'CHANNEL_DATA'), reading());
    assert(facts !== undefined, 'a channel has an id');
    return facts;
  };
  const create = (
    prefix: string,
    originator: LegUuid | undefined,
    destination: string,
    variables: Map<string, string>,
  ): Channel => {
    const uuid = `${prefix}${(legs += 1)}` as LegUuid;
    const channel: Channel = {
      uuid,
      originator,
      destination,
      variables,
      createdAt: time.now(),
      answeredAt: undefined,
      endedAt: undefined,
    };
    channels.set(uuid, channel);
    tell(channel, 'CHANNEL_CREATE');
    return channel;
  };
  const between = (name: string, a: Channel, b: Channel): void =>
    tell(a, name, { 'Bridge-A-Unique-ID': a.uuid, 'Bridge-B-Unique-ID': b.uuid });
  const up = (): readonly Channel[] => [...channels.values()].filter(({ endedAt }) => endedAt === undefined);

  const control: CallControl = {
    kill(uuid, _cause, ...others) {
      killed.push(...[uuid, ...others].flatMap((each) => channels.get(each) ?? []));
      return Promise.resolve('started');
    },
    armDeadman(uuid, seconds, previous) {
      const task = `task-${(tasks += 1)}` as DeadmanTask;
      deadmen.set(task, { uuid, firesAt: time.now() + seconds * 1000 });
      if (previous !== undefined) deadmen.delete(previous);
      return Promise.resolve(task);
    },
    disarmDeadman(task) {
      deadmen.delete(task);
      return Promise.resolve();
    },
    dropScheduledHangup: () => Promise.resolve(),
    setVariables: () => Promise.resolve('set'),
    goOn: () => Promise.resolve('started'),
    execute: () => Promise.resolve('started'),
    warn: () => Promise.resolve('started'),
    channels: () =>
      Promise.resolve(
        up().map(({ uuid, originator, createdAt, answeredAt, destination }): ChannelRow => ({
          uuid,
          direction: originator === undefined ? 'inbound' : 'outbound',
          createdEpochSeconds: Math.floor(createdAt / 1000),
          answered: answeredAt !== undefined,
          destination,
          accountCode: '',
        })),
      ),
    inspect(uuid) {
      const channel = channels.get(uuid);
      if (channel === undefined || channel.endedAt !== undefined) return Promise.resolve(undefined);
      return Promise.resolve({
        leg: factsOf(channel),
        times: decodeTimes(headersOf(channel, 'CHANNEL_DATA')),
      });
    },
  };

  return {
    control,
    place: (destination, variables) =>
      create('a', undefined, destination, new Map(Object.entries(variables))),
    ring(a, branch) {
      const exported = (a.variables.get('export_vars') ?? '').split(',');
      const inherited = exported.flatMap((name) => {
        const value = a.variables.get(name);
        return value === undefined ? [] : [[name, value] as const];
      });
      const own = branch === undefined ? [] : [['tollgate_branch', branch] as const];
      return create('b', a.uuid, a.destination, new Map([...inherited, ...own]));
    },
    async ask(a, keeper) {
      const answer = await keeper({ via: 'socket', leg: factsOf(a) });
      for (const [name, value] of answer.variables) a.variables.set(name, value);
      return answer;
    },
    answer(channel) {
      channel.answeredAt = time.now();
      tell(channel, 'CHANNEL_ANSWER');
    },
    bridge(a, b) {
      bridges.set(a, b);
      between('CHANNEL_BRIDGE', a, b);
    },
    unbridge(a, b) {
      bridges.delete(a);
      between('CHANNEL_UNBRIDGE', a, b);
    },
    areBridged: (a, b) => b !== undefined && bridges.get(a) === b,
    hangUp(channel, cause) {
      if (channel.endedAt !== undefined) return;
      tell(channel, 'CHANNEL_HANGUP', { 'Hangup-Cause': cause });
      channel.endedAt = time.now();
      const complete = (): void => {
        tell(channel, 'CHANNEL_HANGUP_COMPLETE', { 'Hangup-Cause': cause });
        completed.push(channel);
      };
      if (options.completesAfterMs === 0) complete();
      else time.after(options.completesAfterMs, complete);
    },
    completed: () => completed.splice(0),
    killed: () => killed.splice(0),
    overtaken: () =>
      [...deadmen.values()].flatMap(({ uuid, firesAt }) =>
        firesAt <= time.now() && channels.get(uuid)?.endedAt === undefined ? [uuid] : [],
      ),
    up,
  };
}
