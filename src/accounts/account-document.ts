import { parseAccountPath, parseRouteName, parseTariffName } from '../units/ids.ts';
import type { Account, Numbering, Route } from './account.ts';
import { readDocument, type DocumentReader, type FieldProblem, type Parsed } from './document-reader.ts';
import { readCapacity, readCustomerLimits, readOperatorLimits, toLimitsDocument } from './limits-document.ts';

const PATH_EXPECTED = '1 to 8 names joined by "/", each of a-z 0-9 _ . - and at most 64 long';
const NAME_EXPECTED = 'a name of a-z 0-9 _ . - that starts with a letter or digit, at most 64 long';

/** An account as it comes from a file or from flags: the account, or all that is wrong with it at once. */
export function parseAccount(document: unknown): Parsed<Account> {
  return withProblems((problems) => readAccount(document, '', problems));
}

/** One account, a list of them, or `accounts:` with a list. */
export function parseAccounts(document: unknown): Parsed<readonly Account[]> {
  return withProblems((problems) => {
    const accounts = readList(document, 'accounts', problems, readAccount);
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
    const routes = readList(document, 'routes', problems, readRoute);
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
  const { path, walletCurrency, tariff, operator, customer, defaults, numbering } = account;
  return {
    account: path,
    ...(walletCurrency === undefined ? {} : { wallet: walletCurrency }),
    ...(tariff === undefined ? {} : { tariff }),
    operator: toLimitsDocument(operator),
    customer: toLimitsDocument(customer),
    ...(defaults === undefined ? {} : { defaults: toLimitsDocument(defaults) }),
    ...(numbering === undefined ? {} : { numbering }),
  };
}

/** What `parseRoute` reads back as the same route. */
export function toRouteDocument(route: Route): Readonly<Record<string, unknown>> {
  return { route: route.name, ...toLimitsDocument(route.limits) };
}

type Read<Value> = (document: unknown, at: string, problems: FieldProblem[]) => Value | undefined;

function withProblems<Value>(read: (problems: FieldProblem[]) => Value | undefined): Parsed<Value> {
  const problems: FieldProblem[] = [];
  const value = read(problems);
  return value === undefined || problems.length > 0 ? { kind: 'bad', problems } : { kind: 'ok', value };
}

function readList<Value>(
  document: unknown,
  name: string,
  problems: FieldProblem[],
  read: Read<Value>,
): readonly Value[] {
  const listed =
    typeof document === 'object' && document !== null && name in document
      ? Object.entries(document).find(([field]) => field === name)?.[1]
      : document;
  const items: readonly unknown[] = Array.isArray(listed) ? listed : [listed];
  return items.flatMap((item, index) => {
    const value = read(item, Array.isArray(listed) ? `${name}[${index}]` : '', problems);
    return value === undefined ? [] : [value];
  });
}

/** The later of two would win without anyone having said so. */
function refuseRepeated(field: string, names: readonly string[], problems: FieldProblem[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) problems.push({ field, value: JSON.stringify(name), expected: 'each one once' });
    seen.add(name);
  }
}

function readAccount(document: unknown, at: string, problems: FieldProblem[]): Account | undefined {
  const reader = readDocument(document, at, problems);
  const path = reader.text('account', parseAccountPath, PATH_EXPECTED);
  reader.require('account', PATH_EXPECTED);
  const isRoot = path !== undefined && !path.includes('/');
  if (path !== undefined && !isRoot) {
    reader.refuse(['defaults', 'numbering'], 'to be left out: only the root of a tree has it');
  }
  const account = {
    walletCurrency: reader.text('wallet', parseCurrency, 'three capital letters such as EUR'),
    tariff: reader.text('tariff', parseTariffName, NAME_EXPECTED),
    operator: readPart(reader, 'operator', readOperatorLimits) ?? {},
    customer: readPart(reader, 'customer', readCustomerLimits) ?? {},
    defaults: readPart(reader, 'defaults', readOperatorLimits),
    numbering: readPart(reader, 'numbering', readNumbering),
  };
  reader.finish();
  return path === undefined ? undefined : { path, ...account };
}

function readRoute(document: unknown, at: string, problems: FieldProblem[]): Route | undefined {
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

function readNumbering(reader: DocumentReader): Numbering | undefined {
  const country = readDigits(reader, 'country', digits(1, 3), 'a country code of 1 to 3 digits such as "49"');
  const internationalPrefix = readDigits(
    reader,
    'internationalPrefix',
    digits(0, 5),
    'digits such as "00", or "" for none',
  );
  const trunkPrefix = readDigits(reader, 'trunkPrefix', digits(0, 3), 'digits such as "0", or "" for none');
  reader.finish();
  if (country === undefined || internationalPrefix === undefined || trunkPrefix === undefined)
    return undefined;
  return { country, internationalPrefix, trunkPrefix };
}

function readDigits(
  reader: DocumentReader,
  name: string,
  parse: (text: string) => string | undefined,
  expected: string,
): string | undefined {
  reader.require(name, expected);
  return reader.text(name, parse, expected);
}

function parseCurrency(text: string): string | undefined {
  return /^[A-Z]{3}$/.test(text) ? text : undefined;
}

function digits(min: number, max: number): (text: string) => string | undefined {
  const pattern = new RegExp(`^\\d{${min},${max}}$`);
  return (text) => (pattern.test(text) ? text : undefined);
}
