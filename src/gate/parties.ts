import type { AccountLookup, AccountNode } from '../accounts/account-tree.ts';
import { directionOf, type NamedRoute } from '../admission/question.ts';
import { refuse, type Refusal } from '../admission/refusal.ts';
import type { CustomerVariables } from '../calls/switch-event.ts';
import { EMERGENCY_CLASSIFICATION, findClassifier, UNKNOWN_CLASSIFICATION } from '../rating/classify.ts';
import { isEmergency, toE164 } from '../rating/numbers.ts';
import { parseAccountPath, parseRouteName } from '../units/ids.ts';
import { readCustomerClaim } from './customer-claims.ts';

/** What the dialplan said of one branch, before anything of it is believed. */
export type Claims = {
  readonly account: string | undefined;
  readonly callee: string | undefined;
  readonly forwarder: string | undefined;
  readonly routes: readonly string[];
  readonly options: readonly string[];
  readonly dialled: string;
  /** Left out: the call names no customer. */
  readonly customer?: CustomerVariables | undefined;
};

export type Parties = {
  readonly kind: 'known';
  readonly caller: AccountNode | undefined;
  readonly callee: AccountNode | undefined;
  readonly routes: readonly NamedRoute[];
  readonly options: readonly string[];
  readonly forwarded: boolean;
  readonly destination: string;
  readonly emergency: boolean;
  /** What the numbers of the account's tree call this one. */
  readonly classification: string;
  readonly tollFree: boolean;
};

/** Finds the accounts and routes that the dialplan names. One that is not ours refuses the call: it could be anybody's money. */
export function findParties(
  claims: Claims,
  accounts: AccountLookup,
  emergencyNumbers: readonly string[],
): Parties | { readonly kind: 'refused'; readonly refusal: Refusal } {
  const account = findAccount(claims.forwarder ?? claims.account, accounts);
  const caller = withCustomer(account, claims.customer, accounts);
  const callee = findAccount(claims.callee, accounts);
  const ours = nodeOf(caller) ?? nodeOf(callee);
  const number = toE164(claims.dialled, ours?.chain[0]?.account.numbering);
  const classified = findClassifier(ours?.classifiers ?? [], { dialled: claims.dialled, e164: number });
  const isKnownEmergency = classified?.treatment === 'emergency';
  const emergency = isKnownEmergency || isEmergency(claims.dialled, emergencyNumbers);
  for (const found of [caller, callee]) {
    // Somebody in need is not asked who he is.
    if (found.kind === 'refused' && !emergency) return found;
    if (found.kind === 'unknown' && !emergency) {
      const words = `there is no account "${found.name}"`;
      return { kind: 'refused', refusal: refuse('unknown_account', 'barred', '', words) };
    }
  }
  const routes: NamedRoute[] = [];
  // Named twice it is one route still, and counts a connection once.
  for (const name of new Set(claims.routes)) {
    const route = parseRouteName(name);
    // A route of no configuration has no limits; what cannot be the name of one is a mistake of the dialplan.
    if (route === undefined && !emergency) {
      const words = `"${name}" cannot be the name of a route`;
      return { kind: 'refused', refusal: refuse('bad_route', 'barred', '', words) };
    }
    if (routes.some((known) => known.name === route)) continue;
    routes.push({ name: route ?? name, node: route === undefined ? undefined : accounts.route(route) });
  }
  const internal = callee.kind === 'account' && routes.length === 0;
  // Whoever brings his own price is not rated by the number.
  const isRated = account.kind === 'account' && !internal;
  if (number === undefined && isRated && !emergency) {
    const words = `"${claims.dialled}" is no number that can be rated`;
    return { kind: 'refused', refusal: refuse('bad_destination', 'barred', '', words) };
  }
  const sides = {
    // An emergency call whose variables are wrong is still that of its account.
    caller: nodeOf(caller.kind === 'refused' ? account : caller),
    callee: nodeOf(callee),
    routes,
    options: claims.options.map((option) => option.toLowerCase()),
  };
  return {
    kind: 'known',
    ...sides,
    forwarded: claims.forwarder !== undefined,
    destination: number ?? claims.dialled,
    emergency,
    classification:
      emergency && !isKnownEmergency
        ? EMERGENCY_CLASSIFICATION
        : (classified?.name ?? UNKNOWN_CLASSIFICATION),
    tollFree: classified?.treatment === 'toll_free' && !emergency && directionOf(sides) === 'outbound',
  };
}

type Found =
  | { readonly kind: 'account'; readonly node: AccountNode }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly name: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** The customer that the call names, below the account that it names. */
function withCustomer(
  account: Found,
  variables: CustomerVariables | undefined,
  accounts: AccountLookup,
): Found {
  if (variables === undefined || account.kind === 'unknown') return account;
  const claim = readCustomerClaim(variables);
  if (claim.kind === 'bad') {
    const { variable, words } = claim;
    return { kind: 'refused', refusal: refuse('bad_variable', 'barred', '', words, variable) };
  }
  const below = account.kind === 'account' ? account.node : undefined;
  const node = accounts.customer(claim.pool, below);
  if (node !== undefined) return { kind: 'account', node };
  const words = `${below?.path ?? ''} is too deep in its tree to have customers of its own`;
  return { kind: 'refused', refusal: refuse('bad_variable', 'barred', '', words, 'tollgate_customer') };
}

function nodeOf(found: Found): AccountNode | undefined {
  return found.kind === 'account' ? found.node : undefined;
}

function findAccount(name: string | undefined, accounts: AccountLookup): Found {
  if (name === undefined || name === '') return { kind: 'none' };
  const path = parseAccountPath(name);
  const node = path === undefined ? undefined : accounts.node(path);
  return node === undefined ? { kind: 'unknown', name } : { kind: 'account', node };
}
