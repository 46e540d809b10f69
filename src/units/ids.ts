/** A FreeSWITCH channel's Unique-ID. Lower-case hex and dashes; the only text of a leg that may name a Redis key. */
export type LegUuid = string & { readonly __brand: 'LegUuid' };

/** One pass of a gate: the A-leg's uuid, a dot, and the number of the pass. */
export type AdmissionId = string & { readonly __brand: 'AdmissionId' };

/** What takes are keyed by: an admission and one of its branches (`<admission>:<branch>`), ruling 3. */
export type LegKey = string & { readonly __brand: 'LegKey' };

/** A path in the account tree such as `acme/retail/alice`, lower case. */
export type AccountPath = string & { readonly __brand: 'AccountPath' };

/**
 * What legs draw on until it is empty: an account's money, by the account's own path, or what is left of one of its
 * allotments or spend windows, by the path and a name behind a `#`.
 */
export type PoolId = AccountPath | (string & { readonly __brand: 'PoolId' });

/** A trunk, gateway or routing rule towards somewhere that is not ours. */
export type RouteName = string & { readonly __brand: 'RouteName' };

/** A FreeSWITCH server, as the configuration names it. */
export type NodeId = string & { readonly __brand: 'NodeId' };

/** A customer that only channel variables name. */
export type CustomerId = string & { readonly __brand: 'CustomerId' };

/** A tariff's name. */
export type TariffName = string & { readonly __brand: 'TariffName' };

/** One run of re-rating. */
export type RerateRunId = string & { readonly __brand: 'RerateRunId' };

const LEG_UUID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
const SEGMENT = /^[a-z0-9][a-z0-9_.-]{0,63}$/;
const NAME = /^[a-z0-9][a-z0-9_.-]{0,63}$/;
const ADMISSION_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}\.\d{1,6}$/;
const BRANCH = /^[a-z0-9-]{1,32}$/;
const CUSTOMER = /^[a-z0-9][a-z0-9_.-]{0,57}$/;
const ACCOUNT_LEVELS_MAX = 8;
const CUSTOMER_PREFIX = 'adhoc.';

/** The root of customers that only channel variables name. Nothing below it is stored. */
export const ADHOC_ROOT = 'adhoc' as AccountPath;

export function parseLegUuid(text: string): LegUuid | undefined {
  return LEG_UUID.test(text) ? (text as LegUuid) : undefined;
}

/** Lower-cases and checks an account path: 1 to 8 segments of `[a-z0-9][a-z0-9_.-]{0,63}` (ruling 25). */
export function parseAccountPath(text: string): AccountPath | undefined {
  const path = text.toLowerCase();
  const segments = path.split('/');
  if (segments.length > ACCOUNT_LEVELS_MAX) return undefined;
  return segments.every((segment) => SEGMENT.test(segment)) ? (path as AccountPath) : undefined;
}

export function parseRouteName(text: string): RouteName | undefined {
  const name = text.toLowerCase();
  return NAME.test(name) ? (name as RouteName) : undefined;
}

export function parseTariffName(text: string): TariffName | undefined {
  const name = text.toLowerCase();
  return NAME.test(name) ? (name as TariffName) : undefined;
}

export function parseRerateRunId(text: string): RerateRunId | undefined {
  return NAME.test(text) ? (text as RerateRunId) : undefined;
}

export function parseNodeId(text: string): NodeId | undefined {
  return NAME.test(text) ? (text as NodeId) : undefined;
}

export function admissionIdOf(aLeg: LegUuid, pass: number): AdmissionId {
  return `${aLeg}.${pass}` as AdmissionId;
}

export function parseAdmissionId(text: string): AdmissionId | undefined {
  return ADMISSION_ID.test(text) ? (text as AdmissionId) : undefined;
}

export function legKeyOf(admission: AdmissionId, branch: string): LegKey | undefined {
  return BRANCH.test(branch) ? (`${admission}:${branch}` as LegKey) : undefined;
}

/** A leg as the shadow limits of one account count it. */
export function shadowLegKey(legKey: LegKey, account: AccountPath): LegKey {
  return `${legKey}@${account}` as LegKey;
}

/** The leg that it is of. */
export function realLegKey(shadowKey: LegKey): LegKey {
  return shadowKey.slice(0, shadowKey.lastIndexOf('@')) as LegKey;
}

/** The account itself and its ancestors, root first. */
export function chainOf(path: AccountPath): readonly AccountPath[] {
  const segments = path.split('/');
  return segments.map((_, index) => segments.slice(0, index + 1).join('/') as AccountPath);
}

/** Whether a path is that account's, or one of those below it. */
export function isWithin(path: AccountPath, account: AccountPath): boolean {
  return path === account || path.startsWith(`${account}/`);
}

/** The first segment: it names the Redis Cluster slot and the tenant. */
export function rootOf(pool: PoolId): AccountPath {
  const path = accountOf(pool);
  const slash = path.indexOf('/');
  return (slash === -1 ? path : path.slice(0, slash)) as AccountPath;
}

/** Lower-cases and checks the name of a customer: a segment of a path, six characters shorter than others. */
export function parseCustomerId(text: string): CustomerId | undefined {
  const id = text.toLowerCase();
  return CUSTOMER.test(id) ? (id as CustomerId) : undefined;
}

/** Where the calls of a customer are counted and charged: `adhoc/<customer>`, or `<account>/adhoc.<customer>`. Undefined: below a path too deep. */
export function customerPath(customer: CustomerId, below: AccountPath | undefined): AccountPath | undefined {
  return parseAccountPath(
    below === undefined ? `${ADHOC_ROOT}/${customer}` : `${below}/${CUSTOMER_PREFIX}${customer}`,
  );
}

/** Whose path it is; undefined: that of an account that may be stored. */
export function customerOf(path: AccountPath): CustomerId | undefined {
  const before = path.lastIndexOf('/');
  if (before === -1) return undefined;
  const last = path.slice(before + 1);
  if (path.startsWith(`${ADHOC_ROOT}/`)) return last as CustomerId;
  return last.startsWith(CUSTOMER_PREFIX) ? (last.slice(CUSTOMER_PREFIX.length) as CustomerId) : undefined;
}

/** The account whose limits and tariffs are on record: the path itself, or what a customer stands below. */
export function storedPathOf(path: AccountPath): AccountPath {
  return customerOf(path) === undefined ? path : (chainOf(path).at(-2) ?? path);
}

/** Names that no stored account may have: customers have them. */
export function isReservedPath(path: AccountPath): boolean {
  const segments = path.split('/');
  return segments[0] === ADHOC_ROOT || segments.some((segment) => segment.startsWith(CUSTOMER_PREFIX));
}

/** A further pool of an account beside its money. */
export function poolOf(account: AccountPath, name: string): PoolId {
  return `${account}#${name}` as PoolId;
}

/** Whose pool it is. */
export function accountOf(pool: PoolId): AccountPath {
  const hash = pool.indexOf('#');
  return (hash === -1 ? pool : pool.slice(0, hash)) as AccountPath;
}

/** What the pool is called among its account's; undefined: the account's money. */
export function poolName(pool: PoolId): string | undefined {
  const hash = pool.indexOf('#');
  return hash === -1 ? undefined : pool.slice(hash + 1);
}
