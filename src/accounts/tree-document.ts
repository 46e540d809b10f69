import { parseAccountPath, type AccountPath } from '../units/ids.ts';
import {
  readAccount,
  readRoute,
  refuseRepeated,
  withClassificationsOf,
  withProblems,
  type AccountRules,
} from './account-document.ts';
import type { Account, Route } from './account.ts';
import { isRecord, readDocument, type FieldProblem, type Parsed } from './document-reader.ts';

/** What one file says of accounts and routes. Whatever it does not name it says nothing of. */
export type DescribedTree = { readonly accounts: readonly Account[]; readonly routes: readonly Route[] };

/** Deeper than any path may be: a file that goes on is cut off where it stops making sense. */
const NESTING_MAX = 8;

type Reading = { readonly problems: FieldProblem[]; readonly rules: AccountRules };

/**
 * `accounts` and `routes`, a list of accounts, or one account. An account may have `accounts` of its own, which are
 * below it and named from there; the same tree may as well be written flat, with whole paths.
 */
export function parseTree(document: unknown, rules: AccountRules = {}): Parsed<DescribedTree> {
  return withProblems((problems) => {
    const parts = partsOf(document, problems);
    const reading = { problems, rules: withClassificationsOf(parts.accounts, rules) };
    const accounts = parts.accounts.flatMap((item, index) =>
      readBranch(item, { at: parts.isOne ? '' : `accounts[${index}]`, parent: undefined, depth: 1 }, reading),
    );
    const routes = parts.routes.flatMap((item, index) => readRoute(item, `routes[${index}]`, problems) ?? []);
    refuseRepeated(
      'accounts',
      accounts.map(({ path }) => path),
      problems,
    );
    refuseRepeated(
      'routes',
      routes.map(({ name }) => name),
      problems,
    );
    return { accounts, routes };
  });
}

type Parts = {
  readonly accounts: readonly unknown[];
  readonly routes: readonly unknown[];
  /** The document is one account itself. */
  readonly isOne: boolean;
};

function partsOf(document: unknown, problems: FieldProblem[]): Parts {
  if (Array.isArray(document)) return { accounts: document, routes: [], isOne: false };
  if (isRecord(document) && Object.hasOwn(document, 'account')) {
    return { accounts: [document], routes: [], isOne: true };
  }
  const reader = readDocument(document, '', problems);
  const accounts = reader.list('accounts', asItIs) ?? [];
  const routes = reader.list('routes', asItIs) ?? [];
  reader.finish();
  return { accounts, routes, isOne: false };
}

type Branch = {
  readonly at: string;
  readonly parent: AccountPath | undefined;
  readonly depth: number;
};

function readBranch(document: unknown, branch: Branch, reading: Reading): readonly Account[] {
  const { at, parent, depth } = branch;
  const { problems } = reading;
  const name = isRecord(document) ? document['account'] : undefined;
  const path = parent !== undefined && typeof name === 'string' ? pathBelow(parent, name) : undefined;
  if (parent !== undefined && typeof name === 'string' && path === undefined) {
    const field = `${at}.account`;
    problems.push({ field, value: JSON.stringify(name), expected: expectedBelow(parent, name) });
  }
  const account = readAccount(document, at, { ...reading, path, mayNest: true });
  const below = isRecord(document) ? document['accounts'] : undefined;
  if (account === undefined || below === undefined) return account === undefined ? [] : [account];
  if (!Array.isArray(below) || depth >= NESTING_MAX) {
    const expected = Array.isArray(below) ? `at most ${NESTING_MAX} levels` : 'a list of accounts';
    problems.push({ field: at === '' ? 'accounts' : `${at}.accounts`, value: 'this', expected });
    return [account];
  }
  const prefix = at === '' ? 'accounts' : `${at}.accounts`;
  return [
    account,
    ...below.flatMap((item: unknown, index) =>
      readBranch(item, { at: `${prefix}[${index}]`, parent: account.path, depth: depth + 1 }, reading),
    ),
  ];
}

/** A name that repeats where it stands would be a level deeper than its author meant. */
function pathBelow(parent: AccountPath, name: string): AccountPath | undefined {
  return name.toLowerCase().startsWith(`${parent}/`) ? undefined : parseAccountPath(`${parent}/${name}`);
}

function expectedBelow(parent: AccountPath, name: string): string {
  if (!name.toLowerCase().startsWith(`${parent}/`))
    return `a name that makes a path together with "${parent}"`;
  return `"${name.slice(parent.length + 1)}", for it stands below "${parent}"`;
}

function asItIs(value: unknown): { readonly kind: 'ok'; readonly value: unknown } {
  return { kind: 'ok', value };
}
