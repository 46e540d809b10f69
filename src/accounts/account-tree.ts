import {
  defaultClassifiers,
  EMERGENCY_CLASSIFICATION,
  type Classifier,
  type Treatment,
} from '../rating/classify.ts';
import { storedPattern } from '../rating/patterns.ts';
import {
  ADHOC_ROOT,
  chainOf,
  customerPath,
  rootOf,
  type AccountPath,
  type RouteName,
  type TariffName,
} from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';
import type { AccountTree } from './account-store.ts';
import type { Account, ClassifierText, Route } from './account.ts';
import { effectiveCapacity, effectiveLimits, type EffectiveCapacity } from './effective-limits.ts';
import type { CustomerPool } from './customer-pool.ts';
import { shadowCountOf } from './limits-document.ts';
import type { EffectiveLimits, OperatorLimits, ShadowLimits } from './limits.ts';
import { effectiveTariffs, tariffAt, type TariffAssignments } from './tariff-assignments.ts';

/** One account with all that a call needs of it already worked out. */
export type AccountNode = {
  readonly path: AccountPath;
  readonly account: Account;
  readonly limits: EffectiveLimits;
  /** Its ancestors and itself, root first. */
  readonly chain: readonly AccountNode[];
  /** Those of its chain that pay for its calls, root first, whenever they do: see `payersAt`. */
  readonly paying: readonly PayingAccount[];
  /** Its own and, while it has none, those of its nearest ancestor that has. */
  readonly tariffs: TariffAssignments;
  /** What numbers are called in its tree. */
  readonly classifiers: readonly Classifier[];
  /** The account as it would be if its shadow limits held: they stand in the place of the operator's own. */
  readonly shadow?: ShadowNode;
  /** It is stored nowhere: a call's own variables say what it may spend. */
  readonly customer?: CustomerPool;
};

export type ShadowNode = Pick<AccountNode, 'limits' | 'paying'> & {
  /** What its shadow limits count for themselves is counted by this name; undefined: they count nothing. */
  readonly countedAs: string | undefined;
};

/** An account that pays at a moment: it has a wallet, a tariff, trunks or allotments (ruling 14). */
export type Payer = {
  readonly path: AccountPath;
  readonly limits: EffectiveLimits;
  /** Undefined: it has no money of its own, so no way to fund a call that costs something. */
  readonly walletCurrency: string | undefined;
  /** Its own, or that of its nearest ancestor which has one. */
  readonly tariff: TariffName | undefined;
};

/** One that pays at some time or other. */
export type PayingAccount = Omit<Payer, 'tariff'> & {
  /** A wallet, trunks or allotments; without, it pays as long as it has a tariff of its own. */
  readonly hasMeans: boolean;
  readonly ownTariffs: TariffAssignments;
  /** Its own and, while it has none, those of its nearest ancestor that has. */
  readonly tariffs: TariffAssignments;
};

export type RouteNode = {
  readonly name: RouteName;
  readonly route: Route;
  readonly limits: EffectiveCapacity;
};

/** All accounts and routes at one revision. Never changes; a change makes another. Lookups are constant time. */
export type AccountLookup = {
  readonly revision: number;
  /** Parents before children. */
  readonly nodes: readonly AccountNode[];
  /** Of every account, and that of the customers that are not stored: all that may have live calls. */
  readonly roots: readonly AccountPath[];
  readonly routes: readonly RouteNode[];
  node(path: AccountPath): AccountNode | undefined;
  children(path: AccountPath): readonly AccountPath[];
  /** Where a customer's call is counted: below that account, or below the root of customers. Undefined: that would be too deep. */
  customer(pool: CustomerPool, below: AccountNode | undefined): AccountNode | undefined;
  route(name: RouteName): RouteNode | undefined;
};

/** An account whose parent is missing is left out: its calls are those of an unknown account. */
export function createAccountLookup(tree: AccountTree, serviceDefaults: OperatorLimits): AccountLookup {
  const nodes = new Map<AccountPath, AccountNode>();
  const children = new Map<AccountPath, AccountPath[]>();
  for (const account of parentsFirst(tree.accounts)) {
    const parentPath = parentOf(account.path);
    const parent = parentPath === undefined ? undefined : nodes.get(parentPath);
    if (parentPath !== undefined && parent === undefined) continue;
    nodes.set(account.path, createNode(account, parent, serviceDefaults));
    if (parentPath !== undefined)
      children.set(parentPath, [...(children.get(parentPath) ?? []), account.path]);
  }
  const { enforcement, onStoreDown } = serviceDefaults;
  const ofCustomers = { enforcement, onStoreDown };
  const customersRoot = createNode(unlimitedAccount(ADHOC_ROOT), undefined, ofCustomers);
  const routes = new Map(
    tree.routes.map((route) => [
      route.name,
      { name: route.name, route, limits: effectiveCapacity(route.limits) },
    ]),
  );
  return {
    revision: tree.revision,
    nodes: [...nodes.values()],
    roots: [...new Set([...nodes.keys()].map(rootOf)), ADHOC_ROOT],
    routes: [...routes.values()],
    node: (path) => nodes.get(path),
    children: (path) => children.get(path) ?? [],
    customer: (pool, below) => customerNode(pool, below ?? customersRoot, ofCustomers),
    route: (name) => routes.get(name),
  };
}

/** Who pays for a call that is admitted then, root first, and by which tariffs. */
export function payersAt({ paying }: Pick<AccountNode, 'paying'>, at: EpochMs): readonly Payer[] {
  return paying.flatMap((account) => payingAt(account, at) ?? []);
}

/** The one of them that has this path: to look for it among all of them takes longer, and many calls are rated again. */
export function payerAt(
  { paying }: Pick<AccountNode, 'paying'>,
  path: AccountPath,
  at: EpochMs,
): Payer | undefined {
  for (const account of paying) if (account.path === path) return payingAt(account, at);
  return undefined;
}

function payingAt(account: PayingAccount, at: EpochMs): Payer | undefined {
  const { path, limits, walletCurrency, hasMeans, ownTariffs, tariffs } = account;
  if (!hasMeans && tariffAt(ownTariffs, at) === undefined) return undefined;
  return { path, limits, walletCurrency, tariff: tariffAt(tariffs, at) };
}

/** Its own variables are its limits. What accounts are given by default is for those that are stored. */
function customerNode(
  pool: CustomerPool,
  parent: AccountNode,
  serviceDefaults: OperatorLimits,
): AccountNode | undefined {
  const path = customerPath(pool.customer, parent.path === ADHOC_ROOT ? undefined : parent.path);
  if (path === undefined) return undefined;
  const operator = { calls: pool.channels, onExhaustion: 'all' } as const;
  return createNode({ ...unlimitedAccount(path), operator }, parent, serviceDefaults, pool);
}

function unlimitedAccount(path: AccountPath): Account {
  const nothing = { walletCurrency: undefined, defaults: undefined, numbering: undefined };
  return { path, operator: {}, customer: {}, tariffs: [], ...nothing };
}

function createNode(
  account: Account,
  parent: AccountNode | undefined,
  serviceDefaults: OperatorLimits,
  customer?: CustomerPool,
): AccountNode {
  const ancestors = parent?.chain ?? [];
  const words = {
    operator: account.operator,
    customer: account.customer,
    rootDefaults: customer === undefined ? (ancestors[0]?.account.defaults ?? account.defaults) : undefined,
    serviceDefaults,
  };
  const limits = effectiveLimits(words);
  const chain: AccountNode[] = [...ancestors];
  const tariffs = effectiveTariffs(account.tariffs, parent?.tariffs ?? []);
  const paying = [...(parent?.paying ?? []), ...payingAs(account, limits, tariffs)];
  const classifiers = parent?.classifiers ?? classifiersOf(account);
  const own = {
    ...(customer === undefined ? {} : { customer }),
    ...(account.shadow === undefined ? {} : { shadow: shadowOf(account, account.shadow, words, tariffs) }),
  };
  const node = { path: account.path, account, limits, chain, paying, tariffs, classifiers, ...own };
  chain.push(node);
  return node;
}

function shadowOf(
  account: Account,
  shadow: ShadowLimits,
  words: Parameters<typeof effectiveLimits>[0],
  tariffs: TariffAssignments,
): ShadowNode {
  const limits = effectiveLimits({ ...words, shadow });
  return { limits, paying: payingAs(account, limits, tariffs), countedAs: shadowCountOf(shadow) };
}

function classifiersOf({ numbering }: Account): readonly Classifier[] {
  return numbering?.classifiers?.map(toClassifier) ?? defaultClassifiers(numbering?.country);
}

function toClassifier({ name, pattern, emergency, tollFree }: ClassifierText): Classifier {
  const isEmergency = emergency === true || name === EMERGENCY_CLASSIFICATION;
  const treatment: Treatment | undefined = isEmergency
    ? 'emergency'
    : tollFree === true
      ? 'toll_free'
      : undefined;
  return { name, pattern: storedPattern(pattern), treatment };
}

function payingAs(
  { path, walletCurrency, tariffs: ownTariffs }: Account,
  limits: EffectiveLimits,
  tariffs: TariffAssignments,
): readonly PayingAccount[] {
  const hasMeans = walletCurrency !== undefined || hasPaidAhead(limits);
  if (!hasMeans && ownTariffs.length === 0) return [];
  return [{ path, limits, walletCurrency, hasMeans, ownTariffs, tariffs }];
}

/** Paid for in advance: calls by trunk or by allotment. */
function hasPaidAhead({ trunks, allotments }: EffectiveLimits): boolean {
  return Object.values(trunks).some((bound) => bound !== 0) || Object.keys(allotments).length > 0;
}

function parentOf(path: AccountPath): AccountPath | undefined {
  return chainOf(path).at(-2);
}

function parentsFirst(accounts: readonly Account[]): readonly Account[] {
  return accounts.toSorted(
    (left, right) => depthOf(left) - depthOf(right) || (left.path < right.path ? -1 : 1),
  );
}

function depthOf(account: Account): number {
  return account.path.split('/').length;
}
