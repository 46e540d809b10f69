import {
  boundOf,
  boundOfNumber,
  chainOf,
  COUNTED,
  isEnforced,
  isInDryRun,
  operatorsWord,
  rootOf,
  type Bound,
  type CountedLimit,
  type House,
} from './house.ts';

/**
 * Who is counted, who has room, and in which order they are asked (DESIGN 2 to 4), as plain statements about a list of
 * the connections that are up. There is no counter here: what is in use is found by looking at every connection.
 */

/** One placing side and one branch (ruling 2): what is counted, and what one admission is about. */
export type Connection = {
  /** `call.pass:branch` */
  readonly key: string;
  /** The calling side, or the account that forwards (ruling 13), where it is one of ours. */
  readonly caller: string | undefined;
  readonly callee: string | undefined;
  readonly routes: readonly string[];
  /** What brought the call here is counted as the one resource that a forwarded call uses (ruling 2). */
  readonly forwardedFromOutside: boolean;
  readonly number: string;
  readonly isEmergency: boolean;
};

/** An admission that counts for a second where calls per second are limited. */
export type Tick = { readonly holder: string; readonly at: number };

/** With a route on a side, or with somebody on the other side who is none of ours. */
export function isPublic({ caller, callee, routes }: Connection): boolean {
  return routes.length > 0 || caller === undefined || callee === undefined;
}

/** Towards whom its payers pay: out of the caller's pocket, or the callee's; nobody pays within the house. */
export function directionOf(connection: Connection): 'inbound' | 'outbound' | 'internal' {
  if (!isPublic(connection)) return 'internal';
  return connection.caller === undefined ? 'inbound' : 'outbound';
}

/** Whether an account's limit counts the connection. One that is on both sides counts it once, and once in and out. */
export function isCountedBy(connection: Connection, account: string, limit: CountedLimit): boolean {
  const calls = chainOf(connection.caller).includes(account);
  const isCalled = chainOf(connection.callee).includes(account);
  switch (limit) {
    case 'outboundCalls':
      return calls;
    case 'inboundCalls':
      return isCalled;
    case 'calls':
      return calls || isCalled;
    case 'publicCalls':
      return (calls || isCalled) && isPublic(connection);
    case 'internalCalls':
      return (calls || isCalled) && !isPublic(connection);
    case 'resourceConsumingCalls':
      return (calls || isCalled) && isPublic(connection) && !connection.forwardedFromOutside;
  }
}

/** Towards a route a call goes out, from a route it comes in. */
export function isCountedByRoute(connection: Connection, route: string, limit: CountedLimit): boolean {
  if (!connection.routes.includes(route)) return false;
  const goesOut = connection.caller !== undefined;
  return limit === 'calls' || limit === (goesOut ? 'outboundCalls' : 'inboundCalls');
}

/** A call from outside to that number, at an account that it reaches and does not come from. */
export function isCountedByNumber(connection: Connection, account: string, number: string): boolean {
  const isInbound = directionOf(connection) === 'inbound';
  return isInbound && connection.number === number && chainOf(connection.callee).includes(account);
}

/** Who is asked for room: one entry of the order in which they are. */
export type Asked =
  | { readonly kind: 'account'; readonly account: string }
  | { readonly kind: 'number'; readonly account: string; readonly number: string }
  | { readonly kind: 'route'; readonly route: string };

/**
 * The caller's chain, the routes, the callee's chain (ruling 19), each root first. All accounts of a tenant are asked
 * at once and the payer's tenant before all others, because each is one step of its own (ruling 5).
 */
export function askedFor(connection: Connection, house: House): readonly (readonly Asked[])[] {
  const { caller, callee, routes, number } = connection;
  const callers = chainOf(caller);
  const callees = chainOf(callee).filter((account) => !callers.includes(account));
  const isInbound = directionOf(connection) === 'inbound';
  const all: readonly (readonly [tenant: string, Asked])[] = [
    ...callers.map((account) => [rootOf(account), { kind: 'account', account }] as const),
    ...routes
      .filter((route) => house.routes.has(route))
      .map((route) => [`route ${route}`, { kind: 'route', route }] as const),
    ...callees.flatMap((account) => [
      [rootOf(account), { kind: 'account', account }] as const,
      ...(isInbound ? [[rootOf(account), { kind: 'number', account, number }] as const] : []),
    ]),
  ];
  const home = rootOf(caller ?? callee ?? '');
  const tenants = [...new Set([home, ...all.map(([tenant]) => tenant)])];
  return tenants.map((tenant) => all.flatMap(([of, asked]) => (of === tenant ? [asked] : [])));
}

/** Whether a bound of theirs holds for it. A route knows no flags but the emergency's. */
export function isBoundBy(
  asked: Asked,
  connection: Connection,
  softened: readonly string[],
  house: House,
): boolean {
  if (asked.kind === 'route') return !connection.isEmergency;
  return isBound(asked.account, connection, softened, house);
}

/** Emergencies are bound by nothing, soft legs not by the account that lets them go on (ruling 16). */
function isBound(
  account: string,
  { isEmergency }: Connection,
  softened: readonly string[],
  house: House,
): boolean {
  return isEnforced(house, account) && !isEmergency && !softened.includes(account);
}

/** The limit that has no room for one connection more; undefined: there is room. */
export function fullLimit(
  asked: Asked,
  connection: Connection,
  up: readonly Connection[],
  house: House,
): string | undefined {
  if (asked.kind === 'number') {
    const { account, number } = asked;
    const inUse = up.filter((other) => isCountedByNumber(other, account, number)).length;
    return isFull(boundOfNumber(house, account, number), inUse) ? 'perNumber' : undefined;
  }
  return COUNTED.find((limit) => {
    const counts = (other: Connection): boolean =>
      asked.kind === 'account'
        ? isCountedBy(other, asked.account, limit)
        : isCountedByRoute(other, asked.route, limit);
    return counts(connection) && isFull(boundOn(asked, limit, house), up.filter(counts).length);
  });
}

/** At most so many admissions in any second (ruling 21). */
export function isTooSoon(asked: Asked, ticks: readonly Tick[], now: number, house: House): boolean {
  if (asked.kind === 'number') return false;
  const recent = ticks.filter(({ holder, at }) => holder === holderOf(asked) && at > now - 1000);
  return isFull(boundOn(asked, 'callsPerSecond', house), recent.length);
}

export function boundOn(
  asked: Exclude<Asked, { kind: 'number' }>,
  limit: CountedLimit | 'callsPerSecond',
  house: House,
): Bound {
  if (asked.kind === 'account') return boundOf(house, asked.account, limit);
  return house.routes.get(asked.route)?.[limit] ?? 'unlimited';
}

/** How a refusal names it. */
export function holderOf(asked: Asked): string {
  return asked.kind === 'route' ? `route ${asked.route}` : asked.account;
}

/** A called party without room is busy; a caller's and a route's lack of it is ours (DESIGN 4). */
export function sipCodeOf(asked: Asked, { caller }: Connection): number {
  return asked.kind === 'route' || chainOf(caller).includes(asked.account) ? 503 : 486;
}

/** Whether an account that refuses lets the call go on all the same, in the direction in which it has part in it. */
export function isSoft(account: string, { caller, callee }: Connection, house: House): boolean {
  const asCaller = chainOf(caller).includes(account) && operatorsWord(house, account, 'softLimitOutbound');
  const asCallee = chainOf(callee).includes(account) && operatorsWord(house, account, 'softLimitInbound');
  return asCaller === true || asCallee === true;
}

/** How an admission is named: by what freed the account itself, whose call it is (ruling 16). */
export function decisionOf(connection: Connection, softened: readonly string[], house: House): string {
  const own = connection.caller ?? connection.callee ?? '';
  if (connection.isEmergency) return 'emergency';
  if (softened.length > 0) return 'soft';
  if (operatorsWord(house, own, 'enabled') === false) return 'unrestricted';
  return isInDryRun(house, own) ? 'dry_run' : 'admitted';
}

/** The longest that any account of both sides lets a call last, and who says so first; undefined: nobody does. */
export function longestCall(
  connection: Connection,
  softened: readonly string[],
  house: House,
): { readonly account: string; readonly seconds: number } | undefined {
  const all = [...chainOf(connection.caller), ...chainOf(connection.callee)].flatMap((account) => {
    const seconds = boundOf(house, account, 'maxCallSeconds');
    const holds = seconds !== 'unlimited' && isBound(account, connection, softened, house);
    return holds ? [{ account, seconds }] : [];
  });
  return all.toSorted((one, other) => one.seconds - other.seconds)[0];
}

function isFull(bound: Bound, inUse: number): boolean {
  return bound !== 'unlimited' && inUse >= bound;
}
