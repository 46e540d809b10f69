import {
  done,
  failed,
  type Command,
  type CommandContext,
  type CommandLine,
  type Result,
} from '../command-line/command.ts';
import { accountOperand, paymentId, readFlags, type FlagReader } from '../command-line/flag-values.ts';
import type { LiveState } from '../command-line/live-state.ts';
import { systemLedger, walletLedger, type Transfer } from '../records/records.ts';
import { rootOf, type AccountPath } from '../units/ids.ts';
import { formatMicros, negateMicros, parseMicros, type Micros } from '../units/money.ts';
import { ForeignRecordError } from '../upkeep/shared-record.ts';
import { moneyJson } from './account-view.ts';

const REFERENCE = /^[^\p{Cc}]{0,200}$/u;

export const MONEY_COMMANDS: readonly Command[] = [
  {
    name: 'account topup',
    summary: 'puts money into a wallet, once for each id',
    operands: ['ACCOUNT'],
    flags: {
      amount: { value: 'AMOUNT', doc: 'how much, in the currency of the wallet' },
      id: { value: 'ID', doc: 'of the payment: the same id moves money once, however often it is sent' },
      reference: { value: 'TEXT', doc: 'what the books say beside it' },
    },
    notes: ['tollgate account topup acme/retail --amount 10.00 --id INVOICE-1'],
    run: topUp,
  },
  {
    name: 'account adjust',
    summary: 'puts a wallet right, up or down, once for each id; what was moved before stays in the books',
    operands: ['ACCOUNT'],
    flags: {
      amount: { value: 'AMOUNT', doc: 'how much more, or with a minus how much less, there is to be' },
      id: { value: 'ID', doc: 'of the correction: the same id moves money once, however often it is sent' },
      reference: { value: 'TEXT', doc: 'why: what the books say beside it' },
    },
    notes: [
      "tollgate account adjust acme/retail --amount -2.50 --id TICKET-7 --reference 'top-up booked twice'",
      'It may take a balance below zero. Running calls end when the money does, as after any other movement.',
    ],
    run: adjust,
  },
];

async function topUp(line: CommandLine, context: CommandContext): Promise<Result> {
  const account = accountOperand(line);
  const flags = readFlags(line);
  const amount = flags.amount('amount');
  const id = paymentId(flags);
  const reference = readReference(flags) ?? '';
  demand(flags, ['amount', 'id']);
  if (amount === 0n) flags.complain({ field: '--amount', value: '0', expected: 'more than nothing' });
  flags.check();
  if (amount === undefined || id === undefined) return failed('no amount or id');
  return await move({ kind: 'topup', other: 'cash', account, id, reference, amount }, context);
}

async function adjust(line: CommandLine, context: CommandContext): Promise<Result> {
  const account = accountOperand(line);
  const flags = readFlags(line);
  const amount = flags.parsed(
    'amount',
    otherThanZero,
    'a decimal such as 0.10 or -0.10, not zero, with at most six decimals',
  );
  const id = paymentId(flags);
  const reference = readReference(flags);
  demand(flags, ['amount', 'id', 'reference']);
  flags.check();
  if (amount === undefined || id === undefined) return failed('no amount or id');
  const why = reference ?? '';
  return await move({ kind: 'adjustment', other: 'adjust', account, id, reference: why, amount }, context);
}

function readReference(flags: FlagReader): string | undefined {
  return flags.parsed(
    'reference',
    (text) => (REFERENCE.test(text) ? text : undefined),
    'one line of at most 200 characters',
  );
}

function demand(flags: FlagReader, names: readonly string[]): void {
  for (const name of names.filter((each) => !flags.isSet(each))) {
    flags.complain({ field: `--${name}`, value: 'nothing', expected: 'a value' });
  }
}

type Move = {
  readonly kind: 'topup' | 'adjustment';
  /** The transfer's other side (ruling 10). */
  readonly other: 'cash' | 'adjust';
  readonly account: AccountPath;
  readonly id: string;
  readonly reference: string;
  /** Below zero: out of the wallet. */
  readonly amount: Micros;
};

/** Ruling 9: the record first, by its unique id; then the live state, once by the same id. */
async function move(
  { kind, other, account, id, reference, amount }: Move,
  context: CommandContext,
): Promise<Result> {
  const { accounts, records } = await context.stores();
  const tree = await accounts.loadAll();
  const found = tree.accounts.find(({ path }) => path === account);
  if (found === undefined) return failed(`no account ${account}`);
  if (found.walletCurrency === undefined) return failed(`${account} has no wallet`);
  const wallet = walletLedger(account);
  const outside = systemLedger(other, rootOf(account));
  const transfer: Transfer = {
    id: `${kind}:${id}`,
    kind,
    ...(amount > 0n ? { debit: outside, credit: wallet } : { debit: wallet, credit: outside }),
    amount: amount > 0n ? amount : negateMicros(amount),
    currency: found.walletCurrency,
    at: context.now(),
    reference,
  };
  await refuseOtherRecord(context);
  const written = await records.insertTransfer(transfer);
  const standing = written === 'conflict' ? await records.transfer(transfer.id) : undefined;
  if (standing !== undefined && !isSameMovement(standing, transfer)) {
    const moved = `${formatMicros(standing.amount)} ${standing.currency} from ${standing.debit} to ${standing.credit}`;
    return failed(`the id ${id} has been used before: it moved ${moved}`, { id });
  }
  const live = await fundLive({ account, transferId: transfer.id, amount }, context);
  const balance = await records.balance(wallet, transfer.currency);
  const json = {
    account,
    id,
    result: written === 'inserted' ? 'moved' : 'already',
    live,
    amount: moneyJson(amount, transfer.currency),
    balance: moneyJson(balance, transfer.currency),
  };
  const said = written === 'inserted' ? 'moved' : 'moved before, nothing changed';
  const lines = [
    `${account}: ${formatMicros(amount)} ${transfer.currency} ${said}; balance ${formatMicros(balance)}`,
  ];
  return live === 'unknown' ? { done: false, json, lines } : done(json, lines);
}

/** Before money is in a record that no controller reads. Whether Redis can be asked otherwise is seen later. */
async function refuseOtherRecord(context: CommandContext): Promise<void> {
  try {
    await context.live();
  } catch (error) {
    if (error instanceof ForeignRecordError) throw error;
  }
}

async function fundLive(
  funding: Parameters<LiveState['fund']>[0],
  context: CommandContext,
): Promise<'moved' | 'already' | 'no_wallet' | 'unknown'> {
  try {
    const live = await context.live();
    return await live.fund(funding);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    context.say(`the money is on record, but running calls do not know of it: ${reason}`);
    context.say('repeat the same command, or let tollgate verify --fix bring it to them');
    return 'unknown';
  }
}

/** Sent again at another moment it is the same one. */
function isSameMovement(standing: Transfer, offered: Transfer): boolean {
  const { kind, debit, credit, amount, currency } = standing;
  return (
    kind === offered.kind &&
    debit === offered.debit &&
    credit === offered.credit &&
    amount === offered.amount &&
    currency === offered.currency
  );
}

function otherThanZero(text: string): Micros | undefined {
  const micros = parseMicros(text);
  return micros === 0n ? undefined : micros;
}
