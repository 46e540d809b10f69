import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallControl, DeadmanTask } from '../../src/calls/switch.ts';
import type { LegUuid } from '../../src/units/ids.ts';
import { createCallControl, EslCommandError } from '../../src/freeswitch/call-control.ts';
import type { EslCommand } from '../../src/freeswitch/command.ts';
import { systemTiming } from '../../src/freeswitch/timing.ts';
import { DEFAULT_FRAME_LIMITS, Framer } from '../../src/freeswitch/framer.ts';
import { nodeNamed } from './support/decode-bytes.ts';
import { recordedBytes } from './support/recorded.ts';

const LEG = legNamed('14ba6049-38c2-4720-bddf-60ca5435ce1e');
const GONE = '-ERR No such channel!\n';
const NO_VARIABLES: ReadonlyMap<string, string> = new Map();
const VARIABLES = new Map([
  ['tollgate_decision', 'admit'],
  ['export_vars', 'tollgate_admission,nolocal:execute_on_answer'],
  ['nolocal:execute_on_answer', 'sched_hangup +62 ALLOTTED_TIMEOUT'],
]);
const SET =
  `api uuid_setvar_multi ${LEG} tollgate_decision=admit;export_vars=tollgate_admission,nolocal:execute_on_answer;` +
  'nolocal:execute_on_answer=sched_hangup +62 ALLOTTED_TIMEOUT';

describe('call control', () => {
  it('spells each verb as FreeSWITCH reads it, in one write where it has two commands', async () => {
    const { control, writes } = controlAnswering(() => '+OK\n');
    await control.kill(LEG, 'ALLOTTED_TIMEOUT');
    await control.setVariables(LEG, VARIABLES);
    await control.goOn(LEG, VARIABLES, { extension: '+4930', context: 'public' });
    await control.execute(LEG, VARIABLES, 'respond', '402 Payment Required');
    await control.execute(LEG, NO_VARIABLES, 'bridge', '[tollgate_branch=1]user/1001');
    await control.warn(LEG, 'tone_stream://%(200,0,800)');
    await control.dropScheduledHangup(LEG);
    expect(writes).toEqual([
      [`api uuid_kill ${LEG} ALLOTTED_TIMEOUT`],
      [SET],
      [SET, `api uuid_transfer ${LEG} +4930 XML public`],
      [
        SET,
        `sendmsg ${LEG}\ncall-command: execute\nexecute-app-name: respond\nexecute-app-arg: 402 Payment Required`,
      ],
      [
        `sendmsg ${LEG}\ncall-command: execute\nexecute-app-name: bridge\n` +
          'execute-app-arg: [tollgate_branch=1]user/1001',
      ],
      [`api uuid_displace ${LEG} start tone_stream://%(200,0,800) 0 m`],
      [`api sched_del ${LEG}`],
    ]);
  });

  it('adds the new dead-man before it deletes the old one, each in a group of its own', async () => {
    const { control, writes } = controlAnswering(() => '+OK Added: 7\n');
    const first = await control.armDeadman(LEG, 62, undefined);
    const second = await control.armDeadman(LEG, 122, first);
    await control.disarmDeadman(second);
    expect(first).not.toBe(second);
    expect(first.startsWith(`tollgate_${LEG}`)).toBe(true);
    expect(writes.flat()).toEqual([
      `api sched_api +62 ${first} uuid_kill ${LEG} ALLOTTED_TIMEOUT`,
      `api sched_api +122 ${second} uuid_kill ${LEG} ALLOTTED_TIMEOUT`,
      `api sched_del ${first}`,
      `api sched_del ${second}`,
    ]);
  });

  it('keeps the old dead-man when the new one does not stand', async () => {
    const { control, writes } = controlAnswering((line) =>
      line.includes('+122') ? '-ERR Invalid' : '+OK Added: 7',
    );
    const first = await control.armDeadman(LEG, 62, undefined);
    await expect(control.armDeadman(LEG, 122, first)).rejects.toThrow(EslCommandError);
    expect(writes.flat().some((line) => line.startsWith('api sched_del'))).toBe(false);
  });

  it('tells a leg that is gone from a command that failed', async () => {
    const { control: gone } = controlAnswering((line) =>
      line.startsWith('sendmsg') ? `-ERR invalid session id [${LEG}]` : GONE,
    );
    expect(await gone.kill(LEG, 'ALLOTTED_TIMEOUT')).toBe('gone');
    expect(await gone.setVariables(LEG, VARIABLES)).toBe('gone');
    expect(await gone.goOn(LEG, NO_VARIABLES, { extension: '1', context: 'public' })).toBe('gone');
    expect(await gone.execute(LEG, NO_VARIABLES, 'respond', '503 Busy')).toBe('gone');
    expect(await gone.inspect(LEG)).toBeUndefined();

    for (const refusal of [
      '-USAGE: <uuid> [cause]\n',
      'USAGE: x',
      '-ERROR\n',
      '-ERR permission denied',
      '',
      'false',
    ]) {
      const { control } = controlAnswering(() => refusal);
      await expect(control.kill(LEG, 'ALLOTTED_TIMEOUT')).rejects.toThrow(EslCommandError);
    }
  });

  it('lists recorded channels', async () => {
    const { control } = controlAnswering(() => recordedBody('"row_count":2,"rows":[{"uuid"'));
    expect(await control.channels()).toEqual([
      expect.objectContaining({ direction: 'inbound', answered: true, destination: '3001', accountCode: '' }),
      expect.objectContaining({ direction: 'outbound', createdEpochSeconds: 1_795_331_552, answered: true }),
    ]);
  });

  it('takes no rows for no channels, and a count that does not match for no answer', async () => {
    const listing = async (reply: string): Promise<unknown> =>
      controlAnswering(() => reply).control.channels();
    expect(await listing('{"row_count": 0}\n')).toEqual([]);
    await expect(listing('{"row_count":2,"rows":[]}')).rejects.toThrow(EslCommandError);
    await expect(listing('{"row_count":1}')).rejects.toThrow(EslCommandError);
    await expect(listing('{}')).rejects.toThrow(EslCommandError);
    await expect(listing('-ERR SQL disabled, no data available!\n')).rejects.toThrow(EslCommandError);
    await expect(listing('{"row_count":1,"rows":[{"uu')).rejects.toThrow(EslCommandError);
  });

  it('is not blinded by an error text in a caller name, nor by a uuid it cannot name', async () => {
    const rows = [
      { uuid: 'a', direction: 'inbound', cid_name: '-ERR gotcha', callstate: 'EARLY', dest: '1\n2' },
      { uuid: 'b c', direction: 'inbound' },
    ];
    const { control } = controlAnswering(() => JSON.stringify({ row_count: 2, rows }));
    expect(await control.channels()).toEqual([
      expect.objectContaining({ uuid: 'a', answered: false, destination: '1 2', accountCode: '' }),
    ]);
  });

  it('inspects a recorded live leg: its facts, and no durations yet', async () => {
    const { control } = controlAnswering(() => recordedBody('{"Event-Name":"CHANNEL_DATA"'));
    const found = await control.inspect(LEG);
    expect(found).toMatchObject({ leg: { direction: 'inbound', destination: '3001' }, times: undefined });
    expect(found?.leg.answeredAt).toBe(1_795_331_553_063);
  });

  it('lets nothing a caller supplies reach a second line, a second command or an expansion', async () => {
    const { control, writes } = controlAnswering(() => '+OK\n');
    const hostile = fc.oneof(
      fc.constantFrom(
        'x\n\napi fsctl shutdown',
        'x\r\nevent-lock: true',
        'x\nContent-Length: 2147483647',
        '${system(reboot)}',
        "';api",
        'a;b=c',
        '\0',
        'x y z',
        '-both',
        '',
      ),
      fc.string({ unit: 'binary' }),
      fc.string({
        unit: fc.constantFrom('\n', '\r', '\0', '$', '{', '}', ';', ' ', "'", '"', '\\', 'a', '1', '+'),
      }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...verbs(control)),
        fc.array(hostile, { minLength: 4, maxLength: 4 }),
        async (verb, texts) => {
          writes.length = 0;
          await verb(texts).catch(() => undefined);
          for (const line of writes.flat()) {
            const [first = '', ...headers] = line.split('\n');
            expect(line).not.toMatch(/[\r\0$'"\\]/);
            expect(first).toMatch(/^(?:api (?:uuid_\w+|sched_\w+|show channels as json)|sendmsg) ?[^\n]*$/);
            expect(
              headers.every((header) => /^(?:call-command|execute-app-name|execute-app-arg): /.test(header)),
            ).toBe(true);
            expect(headers.length === 0 || headers.length === 3).toBe(true);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

/** Every verb that takes an argument, fed with four texts from strangers. */
function verbs(control: CallControl): readonly ((texts: readonly string[]) => Promise<unknown>)[] {
  const leg = (text: string | undefined): LegUuid => legNamed(text ?? '');
  return [
    ([a, b = '']) => control.kill(leg(a), b),
    ([, b = '']) => control.kill(LEG, b),
    ([a, b = '', c = '']) => control.setVariables(leg(a), new Map([[b, c]])),
    ([, b = '', c = '']) => control.setVariables(LEG, new Map([[b, c]])),
    ([, , c = '']) => control.setVariables(LEG, new Map([['tollgate_reason', c]])),
    ([a, b = '', c = '']) => control.goOn(leg(a), NO_VARIABLES, { extension: b, context: c }),
    ([, b = '']) => control.goOn(LEG, NO_VARIABLES, { extension: b, context: 'public' }),
    ([, , c = '']) => control.goOn(LEG, NO_VARIABLES, { extension: '1', context: c }),
    ([a, b = '', c = '']) => control.execute(leg(a), NO_VARIABLES, b, c),
    ([, b = '', c = '']) => control.execute(LEG, NO_VARIABLES, b, c),
    ([, , c = '']) => control.execute(LEG, NO_VARIABLES, 'bridge', c),
    ([, , c = '']) => control.execute(LEG, NO_VARIABLES, 'respond', c),
    ([, , c = '']) => control.execute(LEG, NO_VARIABLES, 'playback', c),
    ([, b = '']) => control.warn(LEG, b),
    ([a]) => control.armDeadman(leg(a), 1, undefined),
    ([, b = '']) => control.armDeadman(LEG, 1, taskNamed(b)),
    ([a]) => control.armDeadman(LEG, Number(a), undefined),
    ([a]) => control.disarmDeadman(taskNamed(a ?? '')),
    ([a]) => control.dropScheduledHangup(leg(a)),
    ([a]) => control.inspect(leg(a)),
  ];
}

function controlAnswering(reply: (line: string) => string): {
  readonly control: CallControl;
  readonly writes: (readonly string[])[];
} {
  const writes: (readonly string[])[] = [];
  const control = createCallControl({
    node: nodeNamed('fs1'),
    accountFallbacks: ['accountcode'],
    timing: systemTiming,
    send: (commands) => {
      writes.push(commands.map(textOf));
      return Promise.resolve(commands.map(({ line }) => reply(line)));
    },
  });
  return { control, writes };
}

function textOf({ line, headers }: EslCommand): string {
  return [line, ...[...headers].map(([name, value]) => `${name}: ${value}`)].join('\n');
}

function recordedBody(beginning: string): string {
  const bodies: string[] = [];
  new Framer(DEFAULT_FRAME_LIMITS).push(recordedBytes('02b-show-and-dump-excerpt'), ({ body }) => {
    bodies.push(body?.toString('utf8') ?? '');
  });
  const found = bodies.find((body) => body.includes(beginning));
  if (found === undefined) throw new Error(`nothing recorded begins with ${beginning}`);
  return found;
}

/** Brands without a check: it is the edge that must not trust it. */
function legNamed(text: string): LegUuid {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a careless caller could do
  return text as LegUuid;
}

function taskNamed(text: string): DeadmanTask {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return text as DeadmanTask;
}
