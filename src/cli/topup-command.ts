import { ForeignRecordError } from '../controller/shared-record.ts';
import { systemLedger, walletLedger, type Transfer } from '../records/records.ts';
import { rootOf } from '../units/ids.ts';
import { formatMicros } from '../units/money.ts';
import { moneyJson } from './account-view.ts';
import { done, failed, type Command, type CommandContext, type CommandLine, type Result } from './command.ts';
import { accountOperand, readFlags } from './flag-values.ts';

const ID = /^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,127}$/;
const REFERENCE = /^[^\p{Cc}]{0,200}$/u;

export const TOPUP_COMMAND: Command = {
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
};

/** Ruling 9: the record first, by its unique id; then the live state, once by the same id. */
async function topUp(line: CommandLine, context: CommandContext): Promise<Result> {
  const account = accountOperand(line);
  const flags = readFlags(line);
  const amount = flags.amount('amount');
  const id = flags.parsed('id', matching(ID), 'letters, digits and _ . : / -, at most 128');
  const reference =
    flags.parsed('reference', matching(REFERENCE), 'one line of at most 200 characters') ?? '';
  for (const name of ['amount', 'id'].filter((each) => !flags.isSet(each))) {
    flags.complain({ field: `--${name}`, value: 'nothing', expected: 'a value' });
  }
  if (amount === 0n) flags.complain({ field: '--amount', value: '0', expected: 'more than nothing' });
  flags.check();
  if (amount === undefined || id === undefined) return failed('no amount or id');

  const { accounts, records } = await context.stores();
  const tree = await accounts.loadAll();
  const found = tree.accounts.find(({ path }) => path === account);
  if (found === undefined) return failed(`no account ${account}`);
  if (found.walletCurrency === undefined) return failed(`${account} has no wallet`);
  const transfer: Transfer = {
    id: `topup:${id}`,
    kind: 'topup',
    debit: systemLedger('cash', rootOf(account)),
    credit: walletLedger(account),
    amount,
    currency: found.walletCurrency,
    at: context.now(),
    reference,
  };
  await refuseOtherRecord(context);
  const written = await records.insertTransfer(transfer);
  const standing = written === 'conflict' ? await records.transfer(transfer.id) : undefined;
  if (standing !== undefined && !isSameMovement(standing, transfer)) {
    const moved = `${formatMicros(standing.amount)} ${standing.currency} to ${standing.credit}`;
    return failed(`the id ${id} has been used before: it moved ${moved}`, { id });
  }
  const live = await fundLive(transfer, account, context);
  const balance = await records.balance(transfer.credit, transfer.currency);
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
  transfer: Transfer,
  account: ReturnType<typeof accountOperand>,
  context: CommandContext,
): Promise<'moved' | 'already' | 'no_wallet' | 'unknown'> {
  try {
    const live = await context.live();
    return await live.fund({ account, transferId: transfer.id, amount: transfer.amount });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    context.say(`the money is on record, but running calls do not know of it: ${reason}`);
    context.say('repeat the same command, or let tollgate verify --fix bring it to them');
    return 'unknown';
  }
}

/** Sent again at another moment it is the same top-up. */
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

function matching(pattern: RegExp): (text: string) => string | undefined {
  return (text) => (pattern.test(text) ? text : undefined);
}
