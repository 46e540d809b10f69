import { classificationsOn, parseAccount, toAccountDocument } from '../accounts/account-document.ts';
import type { Account } from '../accounts/account.ts';
import { DEFAULT_CLASSIFICATIONS, toLimitsDocument } from '../accounts/limits-document.ts';
import {
  BadInputError,
  type Command,
  type CommandContext,
  type CommandLine,
  type InputProblem,
  type Result,
} from '../command-line/command.ts';
import { readTextFile } from '../command-line/document-file.ts';
import { accountOperand, readFlags } from '../command-line/flag-values.ts';
import { importKazooLimits, type KazooLimits } from '../imports/kazoo-limits.ts';
import { rootOf, type AccountPath } from '../units/ids.ts';
import { applyDescribed, YES_FLAG } from './account-apply-command.ts';

const KAZOO_CURRENCY = 'USD';

export const ACCOUNT_KAZOO_COMMAND: Command = {
  name: 'account import-kazoo',
  summary: 'takes over a limits document of Kazoo, and says what it could not take over',
  operands: ['ACCOUNT', 'FILE'],
  flags: {
    money: { value: 'units|dollars', doc: 'what a bare integer of money means: 100 is $0.01 or $100' },
    ...YES_FLAG,
  },
  notes: [
    'FILE is the document as Kazoo stores it, JSON with its pvt_ names; - is standard input.',
    'What the document does not say stays as it is set.',
    'tollgate account import-kazoo acme/retail limits.json --money units',
  ],
  run: importLimits,
};

async function importLimits(line: CommandLine, context: CommandContext): Promise<Result> {
  const path = accountOperand(line);
  const file = line.operands[1] ?? '-';
  const flags = readFlags(line);
  const money = flags.choice('money', ['units', 'dollars']);
  flags.check();
  const text = await readTextFile(file, 'FILE');
  const { accounts } = await context.stores();
  const onRecord = await accounts.loadAll();
  const classificationsOf = classificationsOn(onRecord.accounts);
  const classifications = classificationsOf(rootOf(path)) ?? DEFAULT_CLASSIFICATIONS;
  const imported = importKazooLimits(text, { money, classifications });
  if (imported.kind === 'bad') throw badFile(file, imported.problems);
  const before = onRecord.accounts.find((account) => account.path === path);
  const parsed = parseAccount(mergedDocument(path, before, imported), { classificationsOf });
  if (parsed.kind === 'bad') throw badFile(file, parsed.problems);
  const described = { accounts: [parsed.value], routes: [] };
  const result = await applyDescribed(described, { onRecord, confirmed: line.flags.has('yes') }, context);
  const notes = [...imported.notes, ...moneyNotes(imported, before), ...numberNotes(onRecord.accounts, path)];
  return withNotes(result, notes);
}

function mergedDocument(path: AccountPath, before: Account | undefined, imported: KazooLimits): unknown {
  const document = before === undefined ? { account: path } : toAccountDocument(before);
  return {
    ...document,
    operator: { ...toLimitsDocument(before?.operator ?? {}), ...imported.operator },
    customer: { ...toLimitsDocument(before?.customer ?? {}), ...imported.customer },
  };
}

function moneyNotes({ operator }: KazooLimits, before: Account | undefined): readonly string[] {
  const currency = before?.walletCurrency;
  if (operator['maxPostpay'] === undefined || currency === KAZOO_CURRENCY) return [];
  return [
    currency === undefined
      ? 'pvt_max_postpay_amount: the account has no wallet yet, so there is nothing to go below zero'
      : `pvt_max_postpay_amount: dollars in Kazoo, taken over as ${currency} without converting`,
  ];
}

/** What Kazoo does by its classifiers, whatever the limits document says. */
function numberNotes(accounts: readonly Account[], path: AccountPath): readonly string[] {
  const numbering = accounts.find((account) => account.path === rootOf(path))?.numbering;
  if (numbering?.country === '1' || numbering?.classifiers !== undefined) return [];
  return [
    `numbers: calls to toll-free numbers are free, and service numbers emergencies, as in Kazoo only where the numbering of ${rootOf(path)} is of country 1 or has classifiers that say so`,
  ];
}

function withNotes(result: Result, notes: readonly string[]): Result {
  const json = typeof result.json === 'object' ? { ...result.json, notes } : result.json;
  const lines = notes.length === 0 ? [] : ['not as in Kazoo:', ...notes.map((note) => `  ${note}`)];
  return { ...result, json, lines: [...lines, ...result.lines] };
}

function badFile(file: string, problems: readonly InputProblem[]): BadInputError {
  return new BadInputError(problems.map((problem) => ({ ...problem, field: `${file}: ${problem.field}` })));
}
