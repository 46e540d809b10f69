import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { LegUuid } from '../../src/units/ids.ts';
import { apiResponse, commandReply, readCommands } from '../freeswitch/support/scripted-peer.ts';
import { recordedChannelData, recordedSocketEvents } from './recorded-switch.ts';
import { openRecordedStage, priceOf, type RecordedStage } from './recorded-stage.ts';
import { eventually } from './stage.ts';

let recorded: RecordedStage;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await recorded.close();
});

type GateCall = { readonly commands: readonly string[]; readonly socket: Socket; closed(): boolean };

/** FreeSWITCH's end of the gate: the recorded channel data first, then a reply in its right shape to each command. */
function callGate(port: number, channelData: readonly Buffer[]): GateCall {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  const commands: string[] = [];
  let isClosed = false;
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isClosed = true;
  });
  readCommands(socket, [], (command) => {
    commands.push(command);
    if (command === 'connect') for (const piece of channelData) socket.write(piece);
    else if (command === 'exit') socket.end(commandReply('+OK bye'));
    else if (command.includes('call-command: hangup')) socket.end(commandReply('+OK'));
    else socket.write(command.startsWith('api ') ? apiResponse('+OK\n') : commandReply('+OK'));
  });
  return { commands, socket, closed: () => isClosed };
}

/** The variables that the answer sets on the leg. */
function variablesOf(commands: readonly string[], uuid: string): Readonly<Record<string, string>> {
  const start = `api uuid_setvar_multi ${uuid} `;
  const line = commands.find((command) => command.startsWith(start)) ?? '';
  const pairs = line.slice(start.length).split(';');
  return Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
}

const GATE_CALLS = ['12a', '12b', '12d', '12f', '12i'] as const;
/** The gate's calls go to 1000, which the recorded dialplan answers; here it is a number of a tariff. */
const ONE = 'prefix,rate,surcharge,minimum,increment\n1,1.00,0.05,1,1\n';

async function openGate(coreUuid: string, settings: Readonly<Record<string, string>> = {}): Promise<number> {
  recorded = await openRecordedStage(coreUuid, settings, async (stage) => {
    await stage.tariff('gate', ONE);
    await stage.account({ account: '1001', wallet: 'EUR', tariff: 'gate' });
    await stage.tariff('dear', 'prefix,rate\n1,100.01\n');
    await stage.account({ account: '1001/poor', wallet: 'EUR', tariff: 'dear' });
  });
  const { service } = recorded;
  await eventually(
    () => recorded.peer.commands.some((command) => command.startsWith('event json ')),
    (isUp) => isUp,
  );
  if (service.socketPort === undefined) throw new Error('the gate does not listen');
  return service.socketPort;
}

describe('a call that a real FreeSWITCH brings to the gate', () => {
  it.each(GATE_CALLS)('%s: is decided by its own bytes, and its money is held', async (number) => {
    const { bytes, fields } = recordedChannelData(number);
    const uuid = fields['Unique-ID'] ?? '';
    const port = await openGate(fields['Core-UUID'] ?? '');
    const call = callGate(port, [bytes]);
    await eventually(
      () => call.closed(),
      (isClosed) => isClosed,
    );

    expect(call.commands.map((command) => command.split(' ').slice(0, 2).join(' '))).toEqual([
      'connect',
      'api uuid_setvar_multi',
      'exit',
    ]);
    // 100.00 less the fee of 0.05, at 1.00 a minute; FreeSWITCH's own timer stands 2 s behind.
    const funded = Math.floor(((100_000_000 - 50_000) * 60) / 1_000_000);
    expect(variablesOf(call.commands, uuid)).toEqual({
      tollgate_decision: 'admitted',
      tollgate_reason: '',
      tollgate_limit: '',
      tollgate_account_limited: '',
      tollgate_cause: '',
      tollgate_admission: `${uuid}.1`,
      tollgate_branches: '1:b1:1001',
      tollgate_admitted_destination: '1000',
      tollgate_home: '1001',
      tollgate_funded_seconds: `${funded}`,
      'nolocal:execute_on_answer_tollgate': `sched_hangup +${funded + 2} allotted_timeout`,
      export_vars: 'tollgate_admission,tollgate_home,nolocal:execute_on_answer_tollgate',
    });
    const live = await recorded.stage.live();
    expect(await live.wallet('1001' as never)).toMatchObject({ committed: priceOf(1), legs: 1 });
    const [decision] = await eventually(
      () => recorded.stage.database.records.decisionsOf(uuid as LegUuid),
      (decisions) => decisions.length > 0,
    );
    expect(decision).toMatchObject({
      kind: 'admission',
      verdict: 'admitted',
      account: '1001',
      inputs: { via: 'socket', dialled: '1000', fundedSeconds: funded },
    });
  });

  it('is decided alike when its bytes come in pieces', async () => {
    const { bytes, fields } = recordedChannelData('12a');
    const port = await openGate(fields['Core-UUID'] ?? '');
    const end = bytes.length - 1;
    const cuts = [0, 3, bytes.indexOf('\n'), bytes.length >> 1, end, bytes.length];
    const call = callGate(
      port,
      cuts.slice(1).map((until, index) => bytes.subarray(cuts[index], until)),
    );
    await eventually(
      () => call.closed(),
      (isClosed) => isClosed,
    );
    expect(variablesOf(call.commands, fields['Unique-ID'] ?? '')).toMatchObject({
      tollgate_decision: 'admitted',
    });
  });

  it('is answered with 402 where its account cannot pay the first pulse', async () => {
    const { bytes, fields } = recordedChannelData('12f');
    const uuid = fields['Unique-ID'] ?? '';
    const port = await openGate(fields['Core-UUID'] ?? '');
    const named = Buffer.from(
      bytes.toString('latin1').replace('variable_sip_from_user: 1001', 'variable_sip_from_user: 1001/poor'),
      'latin1',
    );
    const call = callGate(port, [named]);
    await eventually(
      () => call.closed(),
      (isClosed) => isClosed,
    );
    expect(variablesOf(call.commands, uuid)).toMatchObject({
      tollgate_decision: 'refused',
      tollgate_reason: 'no_credit',
      tollgate_limit: 'credit',
      tollgate_account_limited: '1001/poor',
    });
    expect(call.commands.slice(2)).toEqual([
      'sendmsg\ncall-command: execute\nexecute-app-name: respond\nexecute-app-arg: 402 Payment Required',
      'sendmsg\ncall-command: hangup\nhangup-cause: CALL_REJECTED',
    ]);
    expect(await (await recorded.stage.live()).calls(undefined)).toEqual([]);
  });

  it('of which nothing more is heard has its hold given back at the next look at the channels', async () => {
    const { bytes, fields } = recordedChannelData('12i');
    const port = await openGate(fields['Core-UUID'] ?? '', { TOLLGATE_CONTROLLER_RESYNC_MS: '200' });
    const call = callGate(port, [bytes]);
    await eventually(
      () => call.closed(),
      (isClosed) => isClosed,
    );
    // The caller cancels. The recording's own events carry no variable of ours, so that nothing in them leads
    // to the admission: what its end leaves undone, the comparison with the channels must find.
    await recorded.peer.play(recordedSocketEvents('12i'));
    const live = await recorded.stage.live();
    await eventually(
      () => live.wallet('1001' as never),
      (wallet) => wallet?.committed === 0n && wallet.legs === 0,
    );
    expect(await recorded.stage.findings()).toEqual([]);
    expect(await recorded.stage.cdrs('1001')).toEqual([]);
  });
});
