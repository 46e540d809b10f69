import { isReservedPath, parseAccountPath, parseRouteName, rootOf, type AccountPath } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';
import type { Account, Route } from './account.ts';
import { allotmentNames } from './allotment-document.ts';
import {
  isRecord,
  readDocument,
  type DocumentReader,
  type FieldProblem,
  type Parsed,
} from './document-reader.ts';
import {
  readCapacity,
  readCustomerLimits,
  DEFAULT_CLASSIFICATIONS,
  OPERATOR_PLACES,
  readOperatorLimits,
  readShadowLimits,
  toLimitsDocument,
  type ReadingRules,
} from './limits-document.ts';
import { readNumbering } from './numbering-document.ts';
import { readTariffs, tariffsDocument, type StandingTariffs } from './tariff-assignments.ts';

const PATH_EXPECTED = '1 to 8 names joined by "/", each of a-z 0-9 _ . - and at most 64 long';
const NAME_EXPECTED = 'a name of a-z 0-9 _ . - that starts with a letter or digit, at most 64 long';

/** How accounts are read. */
export type AccountRules = ReadingRules & {
  /** The classifications of a tree, where its root is on record and not in the document. */
  readonly classificationsOf?: (root: AccountPath) => readonly string[] | undefined;
  /** Where an account is on record a document changes its tariff from now on; that of a new account is for always. */
  readonly standing?: StandingTariffs;
};

/** An account as it comes from a file or from flags: the account, or all that is wrong with it at once. */
export function parseAccount(document: unknown, rules: AccountRules = {}): Parsed<Account> {
  return withProblems((problems) => readAccount(document, '', { problems, rules }));
}

/** One account, a list of them, or `accounts:` with a list. */
export function parseAccounts(document: unknown, rules: AccountRules = {}): Parsed<readonly Account[]> {
  return withProblems((problems) => {
    const known = withClassificationsOf(itemsOf(document, 'accounts'), rules);
    const accounts = readList(document, 'accounts', (item, at) =>
      readAccount(item, at, { problems, rules: known }),
    );
    refuseRepeated(
      'accounts',
      accounts.map((account) => account.path),
      problems,
    );
    return accounts;
  });
}

export function parseRoute(document: unknown): Parsed<Route> {
  return withProblems((problems) => readRoute(document, '', problems));
}

/** One route, a list of them, or `routes:` with a list. */
export function parseRoutes(document: unknown): Parsed<readonly Route[]> {
  return withProblems((problems) => {
    const routes = readList(document, 'routes', (item, at) => readRoute(item, at, problems));
    refuseRepeated(
      'routes',
      routes.map((route) => route.name),
      problems,
    );
    return routes;
  });
}

/** What `parseAccount` reads back as the same account. */
export function toAccountDocument(account: Account): Readonly<Record<string, unknown>> {
  const { path, walletCurrency, tariffs, operator, customer, shadow, defaults, numbering } = account;
  return {
    account: path,
    ...(walletCurrency === undefined ? {} : { wallet: walletCurrency }),
    ...tariffsDocument(tariffs),
    operator: toLimitsDocument(operator),
    customer: toLimitsDocument(customer),
    ...(shadow === undefined ? {} : { shadow: toLimitsDocument(shadow) }),
    ...(defaults === undefined ? {} : { defaults: toLimitsDocument(defaults) }),
    ...(numbering === undefined ? {} : { numbering: { ...numbering } }),
  };
}

/** What `parseRoute` reads back as the same route. */
export function toRouteDocument(route: Route): Readonly<Record<string, unknown>> {
  return { route: route.name, ...toLimitsDocument(route.limits) };
}

export function withProblems<Value>(read: (problems: FieldProblem[]) => Value | undefined): Parsed<Value> {
  const problems: FieldProblem[] = [];
  const value = read(problems);
  return value === undefined || problems.length > 0 ? { kind: 'bad', problems } : { kind: 'ok', value };
}

function readList<Value>(
  document: unknown,
  name: string,
  read: (item: unknown, at: string) => Value | undefined,
): readonly Value[] {
  const items = itemsOf(document, name);
  const isListed = items[0] !== document;
  return items.flatMap((item, index) => {
    const value = read(item, isListed ? `${name}[${index}]` : '');
    return value === undefined ? [] : [value];
  });
}

/** A list, the list under that name, or the document itself as the only item. */
function itemsOf(document: unknown, name: string): readonly unknown[] {
  const listed: unknown = isRecord(document) && Object.hasOwn(document, name) ? document[name] : document;
  return Array.isArray(listed) ? listed : [listed];
}

/** Also knows the classifications that roots among these documents give their trees. */
export function withClassificationsOf(documents: readonly unknown[], rules: AccountRules): AccountRules {
  const declared = new Map<string, readonly string[]>();
  for (const document of documents) {
    const numbering = isRecord(document) ? document['numbering'] : undefined;
    const classifiers = isRecord(numbering) ? numbering['classifiers'] : undefined;
    if (!isRecord(document) || !Array.isArray(classifiers)) continue;
    const names = classifiers.map((each: unknown) => (isRecord(each) ? each['name'] : undefined));
    declared.set(
      String(document['account']).toLowerCase(),
      names.filter((name) => typeof name === 'string'),
    );
  }
  return { ...rules, classificationsOf: (root) => declared.get(root) ?? rules.classificationsOf?.(root) };
}

/** The classifications of trees on record, where they are not the default ones. */
export function classificationsOn(
  accounts: readonly Account[],
): (root: AccountPath) => readonly string[] | undefined {
  const declared = new Map(
    accounts.map(({ path, numbering }) => [path, numbering?.classifiers?.map(({ name }) => name)]),
  );
  return (root) => declared.get(root);
}

/**
 * What allotments and discounts on record are for, and the classifiers of a root that is described anew do not name:
 * they would stop without a word. Accounts that are described too were read by those classifiers already.
 */
export function lostClassifications(
  onRecord: readonly Account[],
  described: readonly Account[],
): readonly FieldProblem[] {
  const paths = new Set(described.map(({ path }) => path));
  const roots = new Map(described.map((account) => [account.path, account]));
  return onRecord.flatMap(({ path, operator, shadow }): readonly FieldProblem[] => {
    const root = roots.get(rootOf(path));
    if (root === undefined || paths.has(path)) return [];
    const names = root.numbering?.classifiers?.map(({ name }) => name) ?? DEFAULT_CLASSIFICATIONS;
    const known = { discounts: names, allotments: allotmentNames(names) };
    return (['discounts', 'allotments'] as const).flatMap((field) =>
      [...Object.keys(operator[field] ?? {}), ...Object.keys(shadow?.[field] ?? {})]
        .filter((name) => !known[field].includes(name))
        .map((name) => ({
          field: `${root.path}: numbering.classifiers`,
          value: names.join(', '),
          expected: `one that ${field} of ${path} can be for: "${name}"`,
        })),
    );
  });
}

/** How documents are read that may change these accounts from now on. */
export function rulesOn(accounts: readonly Account[], now: EpochMs): AccountRules {
  const standing = new Map(accounts.map(({ path, tariffs }) => [path, { tariffs, now }]));
  return { classificationsOf: classificationsOn(accounts), standing: (path) => standing.get(path) };
}

/** The later of two would win without anyone having said so. */
export function refuseRepeated(field: string, names: readonly string[], problems: FieldProblem[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) problems.push({ field, value: JSON.stringify(name), expected: 'each one once' });
    seen.add(name);
  }
}

type Reading = {
  readonly problems: FieldProblem[];
  readonly rules: AccountRules;
  /** The account's path, where it is not for the document itself to say. */
  readonly path?: AccountPath | undefined;
  /** It may have `accounts` below it, which somebody else reads. */
  readonly mayNest?: boolean;
};

export function readAccount(
  document: unknown,
  at: string,
  { problems, rules, path: given, mayNest = false }: Reading,
): Account | undefined {
  const reader = readDocument(document, at, problems);
  const named = reader.text('account', parseAccountPath, PATH_EXPECTED);
  reader.require('account', PATH_EXPECTED);
  if (mayNest) reader.value('accounts', (value) => ({ kind: 'ok', value }));
  const path = given ?? named;
  if (path !== undefined && isReservedPath(path)) {
    reader.complain(
      'account',
      'another name: "adhoc" and "adhoc.…" are those of customers that channel variables name',
    );
  }
  const isRoot = path !== undefined && !path.includes('/');
  if (path !== undefined && !isRoot) {
    reader.refuse(['defaults', 'numbering'], 'to be left out: only the root of a tree has it');
  }
  const numbering = readPart(reader, 'numbering', readNumbering);
  const own = numbering?.classifiers?.map(({ name }) => name);
  const classifications = own ?? (path === undefined ? undefined : rules.classificationsOf?.(rootOf(path)));
  const limitRules: ReadingRules = classifications === undefined ? rules : { ...rules, classifications };
  const account = {
    walletCurrency: reader.text('wallet', parseCurrency, 'three capital letters such as EUR'),
    tariffs: readTariffs(reader, path === undefined ? undefined : rules.standing?.(path)),
    operator: readPart(reader, 'operator', (section) => readOperatorLimits(section, limitRules)) ?? {},
    customer: readPart(reader, 'customer', (section) => readCustomerLimits(section)) ?? {},
    defaults: readPart(reader, 'defaults', (section) => readOperatorLimits(section, limitRules)),
    numbering,
  };
  const shadow = readPart(reader, 'shadow', (section) => readShadowLimits(section, limitRules));
  reader.finish(OPERATOR_PLACES);
  return path === undefined ? undefined : { path, ...account, ...(shadow === undefined ? {} : { shadow }) };
}

export function readRoute(document: unknown, at: string, problems: FieldProblem[]): Route | undefined {
  const reader = readDocument(document, at, problems);
  const name = reader.text('route', parseRouteName, NAME_EXPECTED);
  reader.require('route', NAME_EXPECTED);
  const limits = readCapacity(reader);
  reader.finish();
  return name === undefined ? undefined : { name, limits };
}

function readPart<Value>(
  reader: DocumentReader,
  name: string,
  read: (section: DocumentReader) => Value,
): Value | undefined {
  const section = reader.section(name);
  return section === undefined ? undefined : read(section);
}

function parseCurrency(text: string): string | undefined {
  return /^[A-Z]{3}$/.test(text) ? text : undefined;
}
