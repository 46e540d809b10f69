import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromBytes } from '../../src/simulator/event.ts';
import type { CallRequest } from '../../src/simulator/inbound-call.ts';
import type { LegTruth } from '../../src/simulator/ledger.ts';
import type { Cdr } from '../../src/records/records.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { useGates } from './acts.ts';
import { startProcess, type ServiceProcess } from './service-process.ts';
import { createStage, eventually, type Stage } from './stage.ts';

/** One service for them all: whatever one call does, the next one must still be served. */
let stage: Stage;
let service: ServiceProcess;

beforeAll(async () => {
  await freshRedis();
  stage = await createStage(redisUrl());
  await stage.tariff('standard', 'prefix,rate,minimum,increment\n49,1.00,1,1\n');
  await stage.account({ account: 'acme', wallet: 'EUR', tariff: 'standard' });
  await stage.account({ account: 'acme/desk' });
  await stage.topUp('acme', '100.00');
  stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 5 });
  stage.sim.endpoint(/desk/, { kind: 'answers', afterMs: 5 });
  service = await startProcess(stage.environment({ TOLLGATE_CONTROLLER_RESYNC_MS: '500' }));
});

afterAll(async () => {
  await service.stop();
  await stage.close();
});

const SHELL = '${system(touch /tmp/was-here)}';

/** What strangers may put into names and numbers. */
const HOSTILE: readonly (readonly [what: string, text: string])[] = [
  ['CR and LF and a command', '4930123\r\n\r\napi fsctl shutdown\r\n\r\n'],
  ['an empty line and a command', '4930123\n\nbgapi hupall'],
  ['an expansion', SHELL],
  ['an expansion behind a number', `4930123${SHELL}`],
  ['percent-encoded line feeds', '4930123%0a%0aapi fsctl shutdown'],
  ['quotes', `4930'12"3`],
  ['a failover', '4930123|sofia/gateway/pstn/4930999'],
  ['a fork', '4930123,sofia/gateway/pstn/4930999'],
  ['another variable', '4930123;tollgate_decision=admitted'],
  ['brackets', '[origination_uuid=1]4930123'],
  ['braces', '{hangup_after_bridge=false}4930123'],
  ['another delimiter', '^^:4930123:x'],
  ['a backslash', '4930123\\'],
  ['NUL', '4930\u0000123'],
  ['Latin-1 bytes', fromBytes(Buffer.from([0x34, 0x39, 0xe9, 0xff, 0x31]))],
  ['a lone percent and a byte that is no UTF-8', '49%E9%'],
  ['text that turns its direction', '4930\u202e321'],
  ['only spaces', '   '],
];

/** Spaces alone are nothing, as if the variable were unset. */
const NAMED = HOSTILE.filter(([, text]) => text.trim() !== '');

/** What no dial string may hold. Characters that control or turn text have become spaces by then. */
const UNDIALLABLE = /[$'"\\^\u0080-\u2000\u2100-\uffff]/;
const LONG = '4'.repeat(100_000);

let placed = 0;

/** One call through the gate, to its end. */
async function call(request: Partial<CallRequest>): Promise<LegTruth> {
  const uuid = `00000000-0000-4000-8000-${`${(placed += 1)}`.padStart(12, '0')}`;
  const placing = stage.sim.placeCall({
    from: '1001',
    to: '4930123',
    uuid,
    hangsUpAfterAnswerMs: 20,
    ...request,
    variables: { tollgate_account: 'acme', ...request.variables },
  });
  const truth = await eventually(
    () => placing.truth,
    (leg) => leg?.endedMicros !== undefined,
  );
  if (truth === undefined) throw new Error('the call was never placed');
  return truth;
}

/** The legs that a call placed: none of them may be there that nobody admitted. */
function placedBy(aLeg: LegTruth): readonly LegTruth[] {
  return stage.sim.legs().filter((leg) => leg.variable('originator') === aLeg.uuid);
}

async function cdrOf(aLeg: LegTruth): Promise<Cdr> {
  const cdrs = await eventually(
    () => stage.database.records.cdrsOfCall(aLeg.uuid as never),
    (found) => found.length > 0,
  );
  return cdrs[0] as Cdr;
}

describe.each(['socket', 'park'] as const)('through the gate %s', (gate) => {
  beforeAll(() => {
    useGates(stage.sim, gate, [service]);
  });

  it.concurrent.each(HOSTILE)('a caller whose name is %s has a normal call', async (_, name) => {
    const aLeg = await call({ callerName: name });
    expect(aLeg.answeredMicros).toBeDefined();
    expect(await cdrOf(aLeg)).toMatchObject({ account: 'acme', destination: '4930123', billedSeconds: 1 });
  });

  it.concurrent.each(HOSTILE)('a caller whose number is %s has a normal call', async (_, from) => {
    const aLeg = await call({ from });
    expect(aLeg.answeredMicros).toBeDefined();
    const { callerNumber } = await cdrOf(aLeg);
    expect(callerNumber).not.toMatch(CONTROL);
  });

  it.concurrent.each(HOSTILE)('a call to %s is refused, and nothing is dialled', async (_, to) => {
    const aLeg = await call({ to });
    expect(placedBy(aLeg)).toEqual([]);
    expect(aLeg).toMatchObject({ answeredMicros: undefined, sipStatus: 403 });
    expect(aLeg.variable('tollgate_decision')).toBe('refused');
    expect(aLeg.variable('tollgate_reason')).toBe('bad_destination');
  });

  it.concurrent.each(HOSTILE)('an internal call to %s is refused, though nobody rates it', async (_, to) => {
    const aLeg = await call({ to, variables: { tollgate_callee: 'acme/desk' } });
    expect(placedBy(aLeg)).toEqual([]);
    expect(aLeg).toMatchObject({ answeredMicros: undefined, sipStatus: 403 });
  });

  it.concurrent.each(HOSTILE)(
    'an account, a callee or a forwarder that is %s refuses the call',
    async (_, name) => {
      for (const variable of ['tollgate_account', 'tollgate_callee', 'tollgate_forwarder']) {
        const aLeg = await call({ variables: { [variable]: name } });
        // What is empty, or what FreeSWITCH itself takes for an expansion and drops, names nobody.
        expect(placedBy(aLeg)).toEqual([]);
        expect(aLeg).toMatchObject({ answeredMicros: undefined, sipStatus: 403 });
      }
    },
  );

  it.concurrent.each(NAMED)('a route that is %s refuses the call', async (_, name) => {
    const aLeg = await call({ variables: { tollgate_route: name } });
    expect(placedBy(aLeg)).toEqual([]);
    expect(aLeg).toMatchObject({ answeredMicros: undefined, sipStatus: 403 });
  });

  it.concurrent.each(NAMED.filter(([, text]) => UNDIALLABLE.test(text)))(
    'a bridge that is %s is refused',
    async (_, bridge) => {
      const aLeg = await call({ variables: { tollgate_bridge: bridge } });
      expect(placedBy(aLeg)).toEqual([]);
      expect(aLeg).toMatchObject({ answeredMicros: undefined, sipStatus: 403 });
    },
  );

  it.concurrent.each(NAMED.filter(([, text]) => !UNDIALLABLE.test(text)))(
    'a bridge that is %s dials nothing but what it says',
    async (_, bridge) => {
      const aLeg = await call({ variables: { tollgate_bridge: bridge } });
      const others = placedBy(aLeg).filter(({ name }) => !bridge.includes(name.split('/').at(-1) ?? ''));
      expect(others).toEqual([]);
      expect(aLeg.endedMicros).toBeDefined();
    },
  );

  it.concurrent.each([
    ['no end', '[{"dial":"sofia/gateway/pstn/4930123"'],
    ['no dial', '[{"destination":"4930123"}]'],
    ['a word too many', '[{"dial":"sofia/gateway/pstn/4930123","extra":1}]'],
    ['two endpoints in one branch', '[{"dial":"sofia/gateway/pstn/4930123,sofia/gateway/pstn/4930999"}]'],
    ['an expansion', `[{"dial":"sofia/gateway/pstn/${SHELL}"}]`],
    ['a quote', '[{"dial":"sofia/gateway/pstn/49\'30123"}]'],
    ['a number for a callee', '[{"dial":"sofia/gateway/pstn/4930123","callee":7}]'],
    [
      '33 branches',
      JSON.stringify(Array.from({ length: 33 }, () => ({ dial: 'sofia/gateway/pstn/4930123' }))),
    ],
  ])('a list of branches that has %s is refused whole', async (_, bridge) => {
    const aLeg = await call({ variables: { tollgate_bridge: bridge } });
    expect(placedBy(aLeg)).toEqual([]);
    expect(aLeg).toMatchObject({ answeredMicros: undefined, sipStatus: 403 });
  });

  it.concurrent('a number that is rated as another one is decided once and goes through', async () => {
    const aLeg = await call({ to: '030123', variables: { tollgate_destination: '4930123' } });
    expect(aLeg.answeredMicros).toBeDefined();
    expect(await cdrOf(aLeg)).toMatchObject({ dialled: '4930123', destination: '4930123' });
    expect(aLeg.variable('tollgate_admission')).toBe(`${aLeg.uuid}.1`);
  });

  it.concurrent('a route that nobody configured has no limits and is named on the record', async () => {
    const aLeg = await call({ variables: { tollgate_route: 'nowhere' } });
    expect(await cdrOf(aLeg)).toMatchObject({ routes: ['nowhere'] });
  });

  it.concurrent.each([
    ['name', { callerName: LONG }],
    ['number', { from: LONG }],
  ])('a caller with a %s of 100 KB ends his call, and the service stays up', async (_, request) => {
    const aLeg = await call(request);
    expect(aLeg.endedMicros).toBeDefined();
  });

  it.concurrent.each([
    ['destination', { to: LONG }],
    ['account', { variables: { tollgate_account: LONG } }],
    ['route', { variables: { tollgate_route: LONG } }],
    ['bridge', { variables: { tollgate_bridge: `sofia/gateway/pstn/${LONG}` } }],
  ])('a call with a %s of 100 KB places no leg', async (_, request) => {
    const aLeg = await call(request);
    expect(placedBy(aLeg)).toEqual([]);
    expect(aLeg.answeredMicros).toBeUndefined();
  });
});

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2028\u2029]/;

/** Every command the adapter has, with what it may carry. */
const COMMANDS: readonly RegExp[] = [
  /^auth \S+$/,
  /^(?:connect|exit|sendmsg|myevents json)$/,
  /^sendmsg [0-9a-f-]{36}$/,
  /^event json [A-Z_ ]+$/,
  /^api (?:global_getvar core_uuid|show channels as json)$/,
  /^api uuid_(?:dump [0-9a-f-]{36} json|kill [0-9a-f-]{36} [A-Z_]+)$/,
  /^api uuid_setvar_multi [0-9a-f-]{36} (?:(?:nolocal:)?\w+=[\w.:@+\-/,=*#()!~?% ]*;?)+$/,
  /^api uuid_transfer [0-9a-f-]{36} [\w+*#.@-]+ XML [\w.:@-]+$/,
  /^api sched_api \+\d+ tollgate_[\w.-]+ uuid_kill [0-9a-f-]{36} ALLOTTED_TIMEOUT$/,
  /^api sched_del [\w.-]+$/,
];

describe('after all of them', () => {
  it('FreeSWITCH was told nothing but well-formed commands', () => {
    const odd = stage.sim.commands().filter(({ text }) => !COMMANDS.some((known) => known.test(text)));
    expect(odd).toEqual([]);
    expect(stage.sim.commands().length).toBeGreaterThan(100);
  });

  it('the log has a JSON object a line, and no control character anywhere in it', () => {
    const dirty = service.log.filter((line) => CONTROL.test(line) || hasControl(JSON.parse(line)));
    expect(dirty).toEqual([]);
    expect(service.log.length).toBeGreaterThan(10);
  });

  it('the service is up, charges the next call and has lost nothing', async () => {
    const aLeg = await call({});
    expect(await cdrOf(aLeg)).toMatchObject({ billedSeconds: 1 });
    await eventually(
      async () => await stage.findings(),
      (findings) => findings.length === 0,
    );
    expect(await (await stage.live()).calls(undefined)).toEqual([]);
    expect(stage.sim.liveCount).toBe(0);
  });
});

function hasControl(value: unknown, field = ''): boolean {
  // A stack is of our own making, and has line ends.
  if (typeof value === 'string') return field !== 'stack' && CONTROL.test(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, part]) => hasControl(part, name));
}
