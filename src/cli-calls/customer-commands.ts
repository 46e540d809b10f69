import { randomUUID } from 'node:crypto';
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
import { paymentId, readFlags } from '../command-line/flag-values.ts';
import { columns } from '../command-line/help.ts';
import type { CustomerExtension, LiveCustomer } from '../command-line/live-state.ts';
import type { CustomerTotals } from '../records/record-store.ts';
import {
  customerOf,
  customerPath,
  parseAccountPath,
  parseCustomerId,
  type AccountPath,
} from '../units/ids.ts';
import { formatMicros } from '../units/money.ts';
import { callCells, callJson } from './live-commands.ts';

const NAMED = [
  'CUSTOMER is a name such as john, or the path of one below an account: acme/retail/adhoc.john',
];
const SECONDS_MAX = 1_000_000_000;

/** For customers that only channel variables name: they are there as long as they have calls. */
export const CUSTOMER_COMMANDS: readonly Command[] = [
  {
    name: 'customers',
    summary: 'the customers of channel variables that have calls: their money and their seconds',
    operands: [],
    flags: {},
    run: listCustomers,
  },
  {
    name: 'customer show',
    summary: 'one of them, with his calls',
    operands: ['CUSTOMER'],
    flags: {},
    notes: NAMED,
    run: showCustomer,
  },
  {
    name: 'customer extend',
    summary: 'gives a customer more money or seconds while he talks; his calls go on',
    operands: ['CUSTOMER'],
    flags: {
      credit: { value: 'AMOUNT', doc: 'so much more money for all of his calls' },
      seconds: { value: 'N', doc: 'so many more seconds for all of his calls' },
      id: {
        value: 'ID',
        doc: 'the same id extends once, however often it is sent; a new one where it is left out',
      },
    },
    notes: [...NAMED, 'tollgate customer extend john --credit 10.00 --id INVOICE-1'],
    run: extendCustomer,
  },
  {
    name: 'customer terminate',
    summary: 'ends all calls of a customer',
    operands: ['CUSTOMER'],
    flags: {},
    notes: NAMED,
    run: terminateCustomer,
  },
  {
    name: 'customer statistics',
    summary: 'all of them in numbers: with calls now, and on record why calls were ended or refused',
    operands: [],
    flags: {},
    run: showStatistics,
  },
];

async function listCustomers(_line: CommandLine, context: CommandContext): Promise<Result> {
  const customers = await (await context.live()).customers();
  return done(customers.map(customerJson), [
    ...columns(customers.map(customerCells)),
    customers.length === 1 ? '1 customer' : `${customers.length} customers`,
  ]);
}

async function showCustomer(line: CommandLine, context: CommandContext): Promise<Result> {
  const path = customerOperand(line);
  const live = await context.live();
  const found = (await live.customers()).find((customer) => customer.path === path);
  if (found === undefined) return failed(`${path} has no calls`, { path });
  const calls = await live.calls(path);
  const now = context.now();
  return done({ ...customerJson(found), calls: calls.map(callJson) }, [
    ...columns([customerCells(found)]),
    ...columns(calls.map((call) => callCells(call, now))),
  ]);
}

async function extendCustomer(line: CommandLine, context: CommandContext): Promise<Result> {
  const path = customerOperand(line);
  const flags = readFlags(line);
  const amount = flags.amount('credit');
  const seconds = flags.wholeNumber('seconds', SECONDS_MAX);
  const given = paymentId(flags);
  if (flags.isSet('credit') === flags.isSet('seconds')) {
    const value = flags.isSet('credit') ? 'both' : 'nothing';
    flags.complain({ field: '--credit', value, expected: 'either --credit AMOUNT or --seconds N' });
  }
  if (amount === 0n || seconds === 0) {
    const field = amount === 0n ? '--credit' : '--seconds';
    flags.complain({ field, value: '0', expected: 'more than nothing' });
  }
  flags.check();
  const id = given ?? randomUUID();
  const by = byOf(amount, seconds);
  const result = await (await context.live()).extendCustomer({ path, id, by });
  if (result === 'no_pool') {
    const what = by.kind === 'credit' ? 'money' : 'seconds';
    return failed(`no call of ${path} has ${what} to extend`, { path, id });
  }
  const more = by.kind === 'credit' ? formatMicros(by.amount) : `${by.seconds} s`;
  const words = result === 'moved' ? `extended by ${more}` : 'extended before, nothing changed';
  return done({ path, id, result }, [`${path}: ${words}`]);
}

async function terminateCustomer(line: CommandLine, context: CommandContext): Promise<Result> {
  const path = customerOperand(line);
  const legs = await (await context.live()).killAccount(path);
  return done({ path, legs }, [`${path}: ${legs} legs asked to end`]);
}

async function showStatistics(_line: CommandLine, context: CommandContext): Promise<Result> {
  const customers = await (await context.live()).customers();
  const totals = await (await context.stores()).records.customerTotals();
  const calls = customers.reduce((sum, customer) => sum + customer.calls, 0);
  const active = { customers: customers.length, calls };
  return done({ active, onRecord: totals }, [
    ...columns([
      ['with calls now', `${active.customers} customers, ${active.calls} calls`],
      ['on record', `${totals.customers} customers, ${totals.calls} calls, ${totals.answered} answered`],
      ['ended', endedWords(totals)],
      ['refused', refusedWords(totals)],
    ]),
  ]);
}

function endedWords({ ended }: CustomerTotals): string {
  return `${ended.credit} for want of money, ${ended.time} of seconds`;
}

function refusedWords({ refused }: CustomerTotals): string {
  const { credit, time, channels, other } = refused;
  return `${credit} for want of money, ${time} of seconds, ${channels} of channels, ${other} for other reasons`;
}

function byOf(
  amount: Extract<CustomerExtension['by'], { readonly kind: 'credit' }>['amount'] | undefined,
  seconds = 0,
): CustomerExtension['by'] {
  return amount === undefined ? { kind: 'seconds', seconds } : { kind: 'credit', amount };
}

/** A name alone is that of a customer of no stored account. */
function customerOperand(line: CommandLine): AccountPath {
  const value = line.operands[0] ?? '';
  const id = parseCustomerId(value);
  const path = id === undefined ? parseAccountPath(value) : customerPath(id, undefined);
  if (path !== undefined && customerOf(path) !== undefined) return path;
  const expected = 'a name such as john, or a path such as acme/retail/adhoc.john';
  throw new BadInputError([{ field: 'CUSTOMER', value, expected }]);
}

function customerJson({ credit, time, ...customer }: LiveCustomer): Readonly<Record<string, unknown>> {
  return {
    ...customer,
    credit: credit && {
      amount: moneyJson(credit.amount, credit.currency),
      spent: moneyJson(credit.spent, credit.currency),
      left: moneyJson(credit.left, credit.currency),
    },
    time,
  };
}

function customerCells({ path, calls, answered, credit, time }: LiveCustomer): readonly string[] {
  return [
    path,
    `${calls === 1 ? '1 call' : `${calls} calls`}, ${answered} answered`,
    credit === undefined
      ? ''
      : `${formatMicros(credit.spent)} of ${formatMicros(credit.amount)} ${credit.currency} spent`,
    time === undefined ? '' : `${time.usedSeconds} of ${time.seconds} s used`,
  ];
}
