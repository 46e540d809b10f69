import { describe, expect, it } from 'vitest';
import type { Action } from '../../src/simulator/leg.ts';
import type { EslClient } from './esl-client.ts';
import { Stage } from './stage.ts';

const PARKED: readonly Action[] = [['answer'], ['park']];

/** A call that is answered and parked, and a client to command it. */
async function parked(stage: Stage, actions: readonly Action[] = PARKED) {
  stage.sim.dialplan(() => actions);
  const client = await stage.login('event json ALL');
  const call = stage.sim.placeCall({ from: '1001', to: '8001' });
  await stage.runUntil('park', () => client.eventsNamed('CHANNEL_PARK').length > 0);
  return { client, call, uuid: call.uuid };
}

/** A bridged call between a caller and one far end. */
async function bridged(stage: Stage, before: readonly Action[] = [], dialString = 'sofia/gateway/pstn/3001') {
  stage.sim.endpoint(/./, { kind: 'answers', afterMs: 500 });
  stage.sim.dialplan(() => [...before, ['bridge', dialString]]);
  const client = await stage.login('event json ALL');
  const call = stage.sim.placeCall({ from: '1001', to: '3001' });
  await stage.runUntil('a bridge', () => client.eventsNamed('CHANNEL_BRIDGE').length > 0);
  const bLeg = client.eventsNamed('CHANNEL_BRIDGE')[0]?.['Bridge-B-Unique-ID'] ?? '';
  return { client, call, uuid: call.uuid, bLeg };
}

const secondsUp = (stage: Stage, uuid: string): number => {
  const truth = stage.sim.leg(uuid);
  return ((truth?.hungUpMicros ?? NaN) - (truth?.answeredMicros ?? NaN)) / 1_000_000;
};

describe('sched_hangup', () => {
  it('fires between N−1 and N+0.5 s, in whole seconds of the clock and half seconds of the loop', async () => {
    for (const [offsetMs, phaseMs] of [
      [0, 0],
      [990, 0],
      [10, 499],
      [500, 250],
    ] as const) {
      await using stage = await Stage.open({ schedulerPhaseMs: phaseMs });
      stage.time.advance(offsetMs);
      const { client, uuid } = await parked(stage);
      await client.ask(`api sched_hangup +4 ${uuid}`);
      await stage.runUntilQuiet();
      expect(secondsUp(stage, uuid)).toBeGreaterThan(2.9);
      expect(secondsUp(stage, uuid)).toBeLessThan(4.51);
      expect(stage.sim.leg(uuid)).toMatchObject({ cause: 'ALLOTTED_TIMEOUT', endedBy: 'scheduler' });
    }
  });

  it('accumulates: a later one does not replace an earlier one', async () => {
    await using stage = await Stage.open();
    const { client, uuid } = await parked(stage);
    expect(await client.ask(`api sched_hangup +3 ${uuid} allotted_timeout`)).toBe('+OK\n');
    expect(await client.ask(`api sched_hangup +60 ${uuid} NORMAL_CLEARING`)).toBe('+OK\n');
    expect(await client.ask('api show tasks as json')).toContain('"row_count":3');
    await stage.runUntilQuiet();
    expect(secondsUp(stage, uuid)).toBeLessThan(3.5);
    expect(stage.sim.leg(uuid)?.cause).toBe('ALLOTTED_TIMEOUT');
  });

  it('+0 kills at once', async () => {
    await using stage = await Stage.open();
    const { client, uuid } = await parked(stage);
    await client.ask(`api sched_hangup +0 ${uuid} NORMAL_CLEARING`);
    expect(stage.sim.leg(uuid)?.hungUpMicros).toBe(stage.time.nowMicros());
  });

  it('an absolute time in the past never comes', async () => {
    await using stage = await Stage.open();
    const { client, uuid } = await parked(stage);
    const past = Math.floor(stage.time.nowMicros() / 1_000_000) - 10;
    expect(await client.ask(`api sched_hangup ${past} ${uuid}`)).toBe('+OK\n');
    await stage.run(60_000);
    expect(stage.sim.leg(uuid)?.cause).toBeUndefined();
  });

  it('is deleted with its leg, as a group of its uuid; a group of another name stays', async () => {
    await using stage = await Stage.open();
    const { client, call, uuid } = await parked(stage);
    await client.ask(`api sched_hangup +50 ${uuid}`);
    await client.ask(`api sched_api +50 ${uuid} uuid_kill ${uuid}`);
    const added = await client.ask(`api sched_api +50 own-${uuid} uuid_kill ${uuid} ALLOTTED_TIMEOUT`);
    expect(added).toMatch(/^\+OK Added: \d+\n$/);
    call.hangup();
    await stage.runUntilQuiet();
    expect(await client.ask('api show tasks as json')).toContain(`own-${uuid}`);
    expect(await client.ask(`api sched_del own-${uuid}`)).toBe('+OK Deleted: 1\n');
    expect(await client.ask(`api sched_del ${uuid}`)).toBe('+OK Deleted: 0\n');
  });

  it('is re-armed without a gap by sched_api: the new task first, then the old one by id', async () => {
    await using stage = await Stage.open();
    const { client, uuid } = await parked(stage);
    const arm = async (seconds: number): Promise<string> => {
      const answer = await client.ask(
        `api sched_api +${seconds} own-${uuid} uuid_kill ${uuid} ALLOTTED_TIMEOUT`,
      );
      return answer.replace(/^\+OK Added: (\d+)\n$/, '$1');
    };
    const first = await arm(2);
    await arm(6);
    expect(await client.ask(`api sched_del ${first}`)).toBe('+OK Deleted: 1\n');
    await stage.runUntilQuiet();
    expect(secondsUp(stage, uuid)).toBeGreaterThan(4.9);
    expect(stage.sim.leg(uuid)?.endedBy).toBe('scheduler');
  });
});

describe('execute_on_answer', () => {
  it.each([
    ['a space', 'sched_hangup +2 allotted_timeout'],
    ['a colon', 'sched_hangup:+2 allotted_timeout'],
  ])('splits at the first space or colon and runs after the ANSWER: %s', async (_, value) => {
    await using stage = await Stage.open();
    const { client, uuid } = await bridged(stage, [['set', `execute_on_answer=${value}`]]);
    const names = client.events
      .filter((event) => event['Unique-ID'] === uuid)
      .map((event) => event['Application']);
    expect(names).toContain('sched_hangup');
    await stage.runUntilQuiet();
    expect(stage.sim.leg(uuid)?.cause).toBe('ALLOTTED_TIMEOUT');
  });

  it('acts on the far leg when it was exported with nolocal', async () => {
    await using stage = await Stage.open();
    const { uuid, bLeg } = await bridged(stage, [
      ['set', 'hangup_after_bridge=true'],
      ['export', 'nolocal:execute_on_answer=sched_hangup +2 allotted_timeout'],
    ]);
    await stage.runUntilQuiet();
    expect(stage.sim.leg(bLeg)).toMatchObject({ cause: 'ALLOTTED_TIMEOUT', endedBy: 'scheduler' });
    expect(stage.sim.leg(uuid)).toMatchObject({ cause: 'NORMAL_CLEARING', endedBy: 'other-leg' });
  });
});

describe('variables', () => {
  it('exported ones stand on the new leg at its CREATE, without their nolocal prefix', async () => {
    await using stage = await Stage.open();
    const { client, uuid, bLeg } = await bridged(
      stage,
      [
        ['export', 'both=1'],
        ['export', 'nolocal:theirs=2'],
        ['multiset', '^^;mine=3;other=a,b'],
      ],
      '{given=4}[branch=5]sofia/gateway/pstn/3001',
    );
    const created = client.eventsNamed('CHANNEL_CREATE', bLeg)[0];
    expect(created).toMatchObject({
      variable_both: '1',
      variable_theirs: '2',
      variable_given: '4',
      variable_branch: '5',
      'Other-Type': 'originator',
      'Other-Leg-Unique-ID': uuid,
    });
    expect(created).not.toHaveProperty('variable_mine');
    const placing = client.eventsNamed('CHANNEL_BRIDGE', uuid)[0];
    expect(placing).toMatchObject({ variable_both: '1', variable_mine: '3', variable_other: 'a,b' });
    expect(placing).not.toHaveProperty('variable_theirs');
  });

  it('export_vars set from outside exports too', async () => {
    await using stage = await Stage.open();
    const before: readonly Action[] = [
      ['set', 'export_vars=a,nolocal:b'],
      ['set', 'a=1'],
      ['set', 'nolocal:b=2'],
    ];
    const { client, bLeg } = await bridged(stage, before);
    expect(client.eventsNamed('CHANNEL_CREATE', bLeg)[0]).toMatchObject({ variable_a: '1', variable_b: '2' });
  });

  it('an unset one is _undef_, a profile field and a global are found by name', async () => {
    await using stage = await Stage.open();
    const { client, uuid } = await parked(stage);
    expect(await client.ask(`api uuid_getvar ${uuid} nosuch`)).toBe('_undef_');
    expect(await client.ask(`api uuid_getvar ${uuid} destination_number`)).toBe('8001');
    expect(await client.ask(`api uuid_getvar ${uuid} core_uuid`)).toBe(stage.sim.coreUuid);
    expect(await client.ask('api global_getvar core_uuid')).toBe(stage.sim.coreUuid);
    const answered = await client.ask(`api uuid_getvar ${uuid} answered_time`);
    expect(Number(answered)).toBe(stage.sim.leg(uuid)?.answeredMicros);
  });

  it('uuid_setvar_multi refuses what would be expanded, uuid_setvar does not', async () => {
    await using stage = await Stage.open();
    const { client, uuid } = await parked(stage);
    expect(await client.ask(`api uuid_setvar_multi ${uuid} a=1;b=two words;c=\${uuid}`)).toBe('+OK\n');
    expect(await client.ask(`api uuid_setvar ${uuid} d \${uuid}`)).toBe('+OK\n');
    const read = (name: string) => client.ask(`api uuid_getvar ${uuid} ${name}`);
    expect([await read('a'), await read('b'), await read('c'), await read('d')]).toEqual([
      '1',
      'two words',
      '_undef_',
      '${uuid}',
    ]);
  });

  it('are expanded in an application, again and again', async () => {
    await using stage = await Stage.open();
    const { client, uuid } = await parked(stage, [
      ['set', 'number=${destination_number}'],
      ['set', 'name=number'],
      ['set', 'value=<${number}>'],
      ['park'],
    ]);
    expect(await client.ask(`api uuid_getvar ${uuid} value`)).toBe('<8001>');
  });
});

describe('a parked call', () => {
  it('ends after park_timeout with its cause', async () => {
    await using stage = await Stage.open();
    const { call } = await parked(stage, [['set', 'park_timeout=5:NORMAL_TEMPORARY_FAILURE'], ['park']]);
    await stage.runUntilQuiet();
    expect(call.truth).toMatchObject({ cause: 'NORMAL_TEMPORARY_FAILURE', sipStatus: 503 });
  });

  it('goes on where it is transferred to, with the variables set before', async () => {
    await using stage = await Stage.open();
    const seen: (string | undefined)[] = [];
    stage.sim.dialplan((call) => {
      seen.push(call.variable('verdict'));
      return call.destination === '8001' ? [['park']] : [['respond', call.variable('verdict') ?? '500']];
    });
    const client: EslClient = await stage.login('event json CHANNEL_PARK');
    const call = stage.sim.placeCall({ from: '1001', to: '8001', variables: { gate: 'yes' } });
    await stage.runUntil('park', () => client.eventsNamed('CHANNEL_PARK').length > 0);
    expect(client.events[0]).toMatchObject({ variable_gate: 'yes', 'Answer-State': 'ringing' });
    client.write(
      `api uuid_setvar_multi ${call.uuid} verdict=402 Pay\n\napi uuid_transfer ${call.uuid} go XML public\n\n`,
    );
    await stage.runUntilQuiet();
    expect(seen).toEqual([undefined, '402 Pay']);
    expect(call.truth?.sipStatus).toBe(402);
  });

  it('obeys sendmsg of another connection, and is gone for commands while it goes down', async () => {
    await using stage = await Stage.open();
    const { client, uuid } = await parked(stage);
    await client.ask(`sendmsg ${uuid}\ncall-command: execute\nexecute-app-name: set\nexecute-app-arg: a=1`);
    await stage.run(100);
    expect(await client.ask(`api uuid_getvar ${uuid} a`)).toBe('1');
    expect(await client.ask(`api uuid_kill ${uuid} NOSUCH_CAUSE`)).toBe('+OK\n');
    expect(await client.ask(`api uuid_kill ${uuid}`)).toBe('-ERR No such channel!\n');
    expect(await client.ask(`api uuid_exists ${uuid}`)).toBe('false');
    await stage.runUntilQuiet();
    expect(stage.sim.leg(uuid)?.cause).toBe('NORMAL_CLEARING');
  });
});

describe('billsec', () => {
  it('is off by one where a call crosses a second, billusec is not', async () => {
    await using stage = await Stage.open();
    stage.time.advance(900);
    const { client, call } = await parked(stage);
    await stage.run(200 - (Math.round(stage.time.nowMicros() / 1000) % 1000) + 900);
    call.hangup();
    await stage.runUntilQuiet();
    const [end] = client.eventsNamed('CHANNEL_HANGUP_COMPLETE', call.uuid);
    const micros = (call.truth?.endedMicros ?? 0) - (call.truth?.answeredMicros ?? 0);
    expect(Number(end?.['variable_billusec'])).toBe(micros);
    expect(micros).toBeLessThan(1_000_000);
    expect(end?.['variable_billsec']).toBe('1');
  });
});
