import { describe, expect, it } from 'vitest';
import { parseDialString, parseVariables } from '../../src/simulator/dial-string.ts';
import { Stage } from './stage.ts';

describe('the grammar of dial strings', () => {
  it('forks, fails over, and gives each branch its variables, the narrower bracket winning', () => {
    const { variables, groups } = parseDialString('<a=1>{b=2,c=3}[c=4]sofia/x/1,[d=5]sofia/x/2|sofia/y/3');
    expect(Object.fromEntries(variables)).toEqual({ a: '1', b: '2', c: '3' });
    const told = groups.map((group) =>
      group.map((branch) => [branch.address, Object.fromEntries(branch.variables)]),
    );
    expect(told).toEqual([
      [
        ['sofia/x/1', { a: '1', b: '2', c: '4' }],
        ['sofia/x/2', { a: '1', b: '2', c: '3', d: '5' }],
      ],
      [['sofia/y/3', { a: '1', b: '2', c: '3' }]],
    ]);
  });

  it.each([
    ['a=b,c=d', { a: 'b', c: 'd' }],
    ['^^:a=b,c:d=e', { a: 'b,c', d: 'e' }],
    [`a='b,c',d=e`, { a: 'b,c', d: 'e' }],
    ['a=b\\,c,d=e', { a: 'b,c', d: 'e' }],
    ['a=b=c', { a: 'b=c' }],
    ['a', { a: '' }],
  ])('%s', (text, expected) => {
    expect(Object.fromEntries(parseVariables(text))).toEqual(expected);
  });
});

describe('dial strings', () => {
  const causesOf = (stage: Stage) =>
    Object.fromEntries(stage.sim.legs().map((leg) => [`${leg.direction} ${leg.destination}`, leg.cause]));

  it('a fork ends its losers with LOSE_RACE, which stays on the caller', async () => {
    await using stage = await Stage.open();
    stage.sim.endpoint('2', { kind: 'rings' });
    stage.sim.dialplan(() => [
      ['set', 'hangup_after_bridge=true'],
      ['bridge', 'sofia/gateway/a/1,sofia/gateway/a/2'],
    ]);
    stage.sim.endpoint('1', { kind: 'answers', afterMs: 300, hangsUpAfterMs: 1000 });
    const call = stage.sim.placeCall({ from: '1001', to: '9' });
    await stage.runUntilQuiet();
    expect(causesOf(stage)).toEqual({
      'inbound 9': 'NORMAL_CLEARING',
      'outbound 1': 'NORMAL_CLEARING',
      'outbound 2': 'LOSE_RACE',
    });
    expect(call.truth?.variable('originate_disposition')).toBe('SUCCESS');
  });

  it('a failover goes on to the next group, and only then fails', async () => {
    await using stage = await Stage.open();
    stage.sim.endpoint('1', { kind: 'rejects', cause: 'NORMAL_TEMPORARY_FAILURE' });
    stage.sim.endpoint('2', { kind: 'rejects', cause: 'USER_BUSY', afterMs: 200 });
    stage.sim.dialplan(() => [['bridge', 'sofia/gateway/a/1|sofia/gateway/b/2']]);
    stage.sim.placeCall({ from: '1001', to: '9' });
    await stage.runUntilQuiet();
    expect(causesOf(stage)).toEqual({
      'inbound 9': 'USER_BUSY',
      'outbound 1': 'NORMAL_TEMPORARY_FAILURE',
      'outbound 2': 'USER_BUSY',
    });
  });

  it('continue_on_fail lets the dialplan go on', async () => {
    await using stage = await Stage.open();
    stage.sim.endpoint('1', { kind: 'rejects', cause: 'USER_BUSY' });
    stage.sim.dialplan(() => [
      ['set', 'continue_on_fail=USER_BUSY,NO_ANSWER'],
      ['bridge', 'sofia/gateway/a/1'],
      ['respond', '402 Payment Required'],
    ]);
    const call = stage.sim.placeCall({ from: '1001', to: '9' });
    await stage.runUntilQuiet();
    expect(call.truth).toMatchObject({ cause: 'CALL_REJECTED', sipStatus: 402 });
  });

  it('leg_timeout ends a branch and call_timeout the whole', async () => {
    await using stage = await Stage.open();
    stage.sim.endpoint(/./, { kind: 'rings' });
    stage.sim.dialplan(() => [
      ['set', 'call_timeout=5'],
      ['bridge', '[leg_timeout=2]sofia/gateway/a/1,sofia/gateway/a/2'],
    ]);
    stage.sim.placeCall({ from: '1001', to: '9' });
    await stage.runUntilQuiet();
    const lasted = stage.sim.legs().map((leg) => ((leg.hungUpMicros ?? 0) - leg.createdMicros) / 1_000_000);
    expect(lasted.map(Math.round)).toEqual([5, 2, 5]);
    expect(new Set(Object.values(causesOf(stage)))).toEqual(new Set(['NO_ANSWER']));
  });

  it('early media bridges before the answer, and the answers follow', async () => {
    await using stage = await Stage.open();
    stage.sim.endpoint('1', { kind: 'answers', afterMs: 1000, earlyMediaAfterMs: 200 });
    stage.sim.dialplan(() => [['bridge', 'sofia/gateway/a/1']]);
    const client = await stage.login('event json CHANNEL_BRIDGE CHANNEL_ANSWER');
    const call = stage.sim.placeCall({ from: '1001', to: '9', hangsUpAfterMs: 3000 });
    await stage.runUntilQuiet();
    expect(client.events.map((event) => `${event['Call-Direction']} ${event['Event-Name']}`)).toEqual([
      'inbound CHANNEL_BRIDGE',
      'outbound CHANNEL_ANSWER',
      'inbound CHANNEL_ANSWER',
    ]);
    expect(call.truth?.cause).toBe('NORMAL_CLEARING');
  });

  it.each([
    ['nosuch/endpoint', 'CHAN_NOT_IMPLEMENTED'],
    ['user/1000', 'SUBSCRIBER_ABSENT'],
    ['error/USER_BUSY', 'USER_BUSY'],
  ])('%s fails with %s', async (dialString, cause) => {
    await using stage = await Stage.open();
    const client = await stage.login();
    expect(await stage.ask(client, `api originate ${dialString} &park()`)).toBe(`-ERR ${cause}\n`);
  });

  it('a uuid that is taken is replaced without a word', async () => {
    await using stage = await Stage.open();
    stage.sim.endpoint('1', { kind: 'answers', afterMs: 10 });
    const client = await stage.login();
    const dial = '{origination_uuid=0f0f0f0f-0000-4000-8000-000000000001}sofia/gateway/a/1 &park()';
    expect(await stage.ask(client, `api originate ${dial}`)).toBe(
      '+OK 0f0f0f0f-0000-4000-8000-000000000001\n',
    );
    const second = await stage.ask(client, `api originate ${dial}`);
    expect(second).toMatch(/^\+OK [0-9a-f-]{36}\n$/);
    expect(second).not.toContain('0f0f0f0f-0000-4000-8000-000000000001');
  });
});
