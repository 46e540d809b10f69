import {
  classificationsOn,
  lostClassifications,
  parseAccounts,
  rulesOn,
} from '../accounts/account-document.ts';
import type { RemoveVerdict, SaveVerdict } from '../accounts/account-store.ts';
import { createAccountLookup, type AccountLookup } from '../accounts/account-tree.ts';
import type { Account } from '../accounts/account.ts';
import { serviceDefaultsOf } from '../accounts/effective-limits.ts';
import { tariffAt, tariffsInWords, type TariffAssignments } from '../accounts/tariff-assignments.ts';
import { announce } from '../command-line/announcement.ts';
import {
  BadInputError,
  done,
  failed,
  type Command,
  type CommandContext,
  type CommandLine,
  type Result,
} from '../command-line/command.ts';
import { readDocumentFile } from '../command-line/document-file.ts';
import { accountOperand, readFlags } from '../command-line/flag-values.ts';
import { columns } from '../command-line/help.ts';
import type { LiveWallet } from '../command-line/live-state.ts';
import { walletLedger } from '../records/records.ts';
import { assertNever } from '../units/assert.ts';
import { isWithin, parseAccountPath, type AccountPath } from '../units/ids.ts';
import { formatMicros, toMicros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';
import { ACCOUNT_APPLY_COMMAND } from './account-apply-command.ts';
import { ACCOUNT_FLAGS, accountByFlags } from './account-flags.ts';
import { ACCOUNT_KAZOO_COMMAND } from './account-kazoo-command.ts';
import { idleWords, refusalOf } from './account-refusal.ts';
import { accountJson, accountLines } from './account-view.ts';

export { refusalOf };

export const ACCOUNT_COMMANDS: readonly Command[] = [
  {
    name: 'account set',
    summary: 'creates an account, or changes what the flags name',
    operands: ['ACCOUNT'],
    optionalOperands: 1,
    flags: {
      ...ACCOUNT_FLAGS,
      file: {
        value: 'FILE',
        doc: 'instead of ACCOUNT and flags: one account or many, as YAML or JSON; - is standard input',
      },
    },
    notes: [
      'A flag with the value "unset" takes back what was set. A file says all of an account: what it leaves out is unset.',
      'tollgate account set acme/retail --wallet EUR --tariff standard --calls 10 --max-postpay 5.00',
    ],
    run: (line, context) => (line.flags.has('file') ? setByFile(line, context) : setByFlags(line, context)),
  },
  ACCOUNT_APPLY_COMMAND,
  ACCOUNT_KAZOO_COMMAND,
  {
    name: 'account show',
    summary: 'one account: what is set, what holds, who pays, and its money',
    operands: ['ACCOUNT'],
    flags: {},
    run: showAccount,
  },
  {
    name: 'account list',
    summary: 'all accounts, with their wallets',
    operands: [],
    flags: { under: { value: 'ACCOUNT', doc: 'only this account and those below it' } },
    run: listAccounts,
  },
  {
    name: 'account remove',
    summary: 'removes an account that has none below it; its records stay',
    operands: ['ACCOUNT'],
    flags: {},
    run: removeAccount,
  },
];

async function setByFlags(line: CommandLine, context: CommandContext): Promise<Result> {
  const path = accountOperand(line);
  const { accounts } = await context.stores();
  const tree = await accounts.loadAll();
  const account = accountByFlags(path, line, {
    before: tree.accounts.find((each) => each.path === path),
    rules: { classificationsOf: classificationsOn(tree.accounts) },
    now: context.now(),
  });
  const verdict = await accounts.saveAccount(account);
  if (verdict.kind === 'refused')
    return failed(refusalOf(path, verdict), { account: path, reason: verdict.reason });
  if (verdict.kind === 'saved') await announce(context, (live) => live.announceAccounts([path]));
  for (const words of idleWords([account])) context.say(words);
  return done({ account: path, result: verdict.kind }, [`${path}: ${verdict.kind}`]);
}

async function setByFile(line: CommandLine, context: CommandContext): Promise<Result> {
  const file = readFlags(line).text('file') ?? '-';
  const others = [...line.operands, ...Object.keys(ACCOUNT_FLAGS).filter((name) => line.flags.has(name))];
  if (others.length > 0) {
    throw new BadInputError([
      { field: '--file', value: file, expected: `nothing beside it, and not ${others.join(', ')}` },
    ]);
  }
  const document = await readDocumentFile(file);
  const { accounts } = await context.stores();
  const onRecord = (await accounts.loadAll()).accounts;
  const parsed = parseAccounts(document, rulesOn(onRecord, context.now()));
  if (parsed.kind === 'bad') {
    throw new BadInputError(
      parsed.problems.map((problem) => ({ ...problem, field: `${file}: ${problem.field}` })),
    );
  }
  const lost = lostClassifications(onRecord, parsed.value);
  if (lost.length > 0) throw new BadInputError(lost);
  const results: { readonly account: Account; readonly verdict: SaveVerdict }[] = [];
  for (const account of parsed.value.toSorted(parentsFirst)) {
    results.push({ account, verdict: await accounts.saveAccount(account) });
  }
  const saved = results.filter(({ verdict }) => verdict.kind === 'saved').map(({ account }) => account.path);
  if (saved.length > 0) await announce(context, (live) => live.announceAccounts(saved));
  for (const words of idleWords(parsed.value)) context.say(words);
  return {
    done: results.every(({ verdict }) => verdict.kind !== 'refused'),
    json: results.map(({ account: { path }, verdict }) => ({
      account: path,
      result: verdict.kind,
      ...(verdict.kind === 'refused' ? { reason: verdict.reason, error: refusalOf(path, verdict) } : {}),
    })),
    lines: results.map(({ account: { path }, verdict }) =>
      verdict.kind === 'refused' ? refusalOf(path, verdict) : `${path}: ${verdict.kind}`,
    ),
  };
}

async function showAccount(line: CommandLine, context: CommandContext): Promise<Result> {
  const path = accountOperand(line);
  const { records } = await context.stores();
  const node = (await loadLookup(context)).node(path);
  if (node === undefined) return failed(`no account ${path}`);
  const currency = node.account.walletCurrency;
  const balance = currency === undefined ? undefined : await records.balance(walletLedger(path), currency);
  const live = currency === undefined ? undefined : await liveWallet(path, context);
  const view = { node, balance, live, at: context.now() };
  return done(accountJson(view), accountLines(view));
}

async function liveWallet(path: AccountPath, context: CommandContext): Promise<LiveWallet | undefined> {
  try {
    const live = await context.live();
    return await live.wallet(path);
  } catch (error) {
    // The record answers without Redis; what calls have committed is then not known.
    context.say(`without live state: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

async function listAccounts(line: CommandLine, context: CommandContext): Promise<Result> {
  const flags = readFlags(line);
  const under = flags.parsed('under', parseAccountPath, 'a path such as acme/retail');
  flags.check();
  const { records } = await context.stores();
  const lookup = await loadLookup(context);
  const balances = new Map<string, bigint>();
  for await (const { ledger, currency, balance } of records.walletBalances()) {
    balances.set(`${ledger} ${currency}`, balance);
  }
  const nodes = lookup.nodes.filter(({ path }) => under === undefined || isWithin(path, under));
  const at = context.now();
  const views = [];
  for (const node of nodes.toSorted((left, right) => (left.path < right.path ? -1 : 1))) {
    const currency = node.account.walletCurrency;
    const known = balances.get(`${walletLedger(node.path)} ${currency}`);
    const balance = currency === undefined ? undefined : toMicros(known ?? 0n);
    views.push({ node, balance, live: undefined, at });
  }
  return done(
    views.map(accountJson),
    columns(
      views.map(({ node, balance }) => [
        node.path,
        balance === undefined ? '-' : `${formatMicros(balance)} ${node.account.walletCurrency}`,
        tariffCell(node.account.tariffs, at),
        `calls ${node.limits.calls}`,
        node.limits.enabled ? '' : 'unrestricted',
      ]),
    ),
  );
}

/** The one of now, and the next one. */
function tariffCell(tariffs: TariffAssignments, at: EpochMs): string {
  const now = tariffAt(tariffs, at) ?? '-';
  const next = tariffs.find(({ from }) => from > at);
  return next === undefined ? now : `${now}, then ${tariffsInWords([next])}`;
}

async function removeAccount(line: CommandLine, context: CommandContext): Promise<Result> {
  const path = accountOperand(line);
  const { accounts } = await context.stores();
  const verdict = await accounts.removeAccount(path);
  if (verdict.kind === 'removed' || verdict.kind === 'marked') {
    await announce(context, (live) => live.announceAccounts([path]));
  }
  return removal(path, verdict);
}

export function removal(name: string, verdict: RemoveVerdict): Result {
  switch (verdict.kind) {
    case 'removed':
    case 'marked':
      return done({ name, result: verdict.kind }, [
        verdict.kind === 'removed' ? `${name}: removed` : `${name}: removed; its records stay`,
      ]);
    case 'unknown':
      return failed(`no ${name}`, { name });
    case 'refused':
      return failed(`${name} has ${verdict.children} accounts below it, ${verdict.example} for one`, {
        name,
      });
    default:
      return assertNever(verdict, 'verdict');
  }
}

async function loadLookup(context: CommandContext): Promise<AccountLookup> {
  const { accounts } = await context.stores();
  const { accounts: service, store } = context.config();
  const defaults = serviceDefaultsOf({ defaults: service.defaults, onStoreDown: store.onDown });
  return createAccountLookup(await accounts.loadAll(), defaults);
}

function parentsFirst(left: Account, right: Account): number {
  return left.path.split('/').length - right.path.split('/').length;
}
