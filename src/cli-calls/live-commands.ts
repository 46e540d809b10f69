import { moneyJson } from '../cli-accounts/account-view.ts';
import {
  BadInputError,
  done,
  failed,
  type Command,
  type CommandContext,
  type CommandLine,
  type Result,
} from '../command-line/command.ts';
import { readFlags } from '../command-line/flag-values.ts';
import { columns } from '../command-line/help.ts';
import type { LiveCall } from '../command-line/live-state.ts';
import { showMoment } from '../command-line/moment.ts';
import { parseAccountPath, parseLegUuid } from '../units/ids.ts';
import { formatMicros } from '../units/money.ts';
import { toIsoUtc, type EpochMs } from '../units/time.ts';

export const LIVE_COMMANDS: readonly Command[] = [
  {
    name: 'calls',
    summary: 'the calls that are up, what they have committed and when their money ends',
    operands: [],
    flags: { account: { value: 'ACCOUNT', doc: 'only of this account and those below it' } },
    run: listCalls,
  },
  {
    name: 'kill',
    summary: 'ends a call, or all calls of an account and those below it',
    operands: ['UUID'],
    optionalOperands: 1,
    flags: { account: { value: 'ACCOUNT', doc: 'instead of UUID' } },
    run: kill,
  },
];

async function listCalls(line: CommandLine, context: CommandContext): Promise<Result> {
  const flags = readFlags(line);
  const under = flags.parsed('account', parseAccountPath, 'a path such as acme/retail');
  flags.check();
  const calls = await (await context.live()).calls(under);
  const now = context.now();
  return done(calls.map(callJson), [
    ...columns(calls.map((call) => callCells(call, now))),
    calls.length === 1 ? '1 call' : `${calls.length} calls`,
  ]);
}

async function kill(line: CommandLine, context: CommandContext): Promise<Result> {
  const flags = readFlags(line);
  const account = flags.parsed('account', parseAccountPath, 'a path such as acme/retail');
  const typed = line.operands[0];
  const uuid = typed === undefined ? undefined : parseLegUuid(typed);
  if (typed !== undefined && uuid === undefined) {
    flags.complain({ field: 'UUID', value: typed, expected: "a channel's uuid" });
  }
  flags.check();
  if (uuid !== undefined && account === undefined) {
    const verdict = await (await context.live()).killLeg(uuid);
    return verdict === 'unknown'
      ? failed(`no live call ${uuid}`, { uuid })
      : done({ uuid, result: verdict }, [`${uuid}: asked to end`]);
  }
  if (account !== undefined && uuid === undefined) {
    const legs = await (await context.live()).killAccount(account);
    return done({ account, legs }, [`${account}: ${legs} legs asked to end`]);
  }
  const value = uuid === undefined ? 'nothing' : uuid;
  throw new BadInputError([{ field: 'UUID', value, expected: 'either a uuid or --account ACCOUNT' }]);
}

export function callJson(call: LiveCall): Readonly<Record<string, unknown>> {
  return {
    ...call,
    admittedAt: toIsoUtc(call.admittedAt),
    answeredAt: call.answeredAt === undefined ? undefined : toIsoUtc(call.answeredAt),
    cutoffAt: call.cutoffAt === undefined ? undefined : toIsoUtc(call.cutoffAt),
    committed: call.committed.map(({ payer, amount, currency }) => ({
      payer,
      ...moneyJson(amount, currency),
    })),
  };
}

export function callCells(call: LiveCall, now: EpochMs): readonly string[] {
  const since = call.answeredAt ?? call.admittedAt;
  const committed = call.committed.map(
    ({ payer, amount, currency }) => `${payer} ${formatMicros(amount)} ${currency}`,
  );
  return [
    call.uuid ?? '(no channel yet)',
    call.account,
    `${call.callerNumber} → ${call.destination}`,
    `${call.state} ${Math.max(0, Math.floor((now - since) / 1000))} s`,
    committed.join(', '),
    call.cutoffAt === undefined ? '' : `until ${showMoment(call.cutoffAt)}`,
  ];
}
