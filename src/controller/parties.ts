import type { AccountLookup, AccountNode } from '../accounts/account-tree.ts';
import { directionOf, type NamedRoute } from '../admission/question.ts';
import { refuse, type Refusal } from '../admission/refusal.ts';
import { EMERGENCY_CLASSIFICATION, findClassifier, UNKNOWN_CLASSIFICATION } from '../rating/classify.ts';
import { isEmergency, toE164 } from '../rating/numbers.ts';
import { parseAccountPath, parseRouteName } from '../units/ids.ts';

/** What the dialplan said of one branch, before anything of it is believed. */
export type Claims = {
  readonly account: string | undefined;
  readonly callee: string | undefined;
  readonly forwarder: string | undefined;
  readonly routes: readonly string[];
  readonly dialled: string;
};

export type Parties = {
  readonly kind: 'known';
  readonly caller: AccountNode | undefined;
  readonly callee: AccountNode | undefined;
  readonly routes: readonly NamedRoute[];
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
  const caller = findAccount(claims.forwarder ?? claims.account, accounts);
  const callee = findAccount(claims.callee, accounts);
  const ours = caller.kind === 'account' ? caller.node : callee.kind === 'account' ? callee.node : undefined;
  const number = toE164(claims.dialled, ours?.chain[0]?.account.numbering);
  const classified = findClassifier(ours?.classifiers ?? [], { dialled: claims.dialled, e164: number });
  const isKnownEmergency = classified?.treatment === 'emergency';
  const emergency = isKnownEmergency || isEmergency(claims.dialled, emergencyNumbers);
  for (const found of [caller, callee]) {
    // Somebody in need is not asked who he is.
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
    routes.push({ name: route ?? name, node: route === undefined ? undefined : accounts.route(route) });
  }
  const internal = callee.kind === 'account' && routes.length === 0;
  if (number === undefined && caller.kind === 'account' && !internal && !emergency) {
    const words = `"${claims.dialled}" is no number that can be rated`;
    return { kind: 'refused', refusal: refuse('bad_destination', 'barred', '', words) };
  }
  const sides = {
    caller: caller.kind === 'account' ? caller.node : undefined,
    callee: callee.kind === 'account' ? callee.node : undefined,
    routes,
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
  | { readonly kind: 'unknown'; readonly name: string };

function findAccount(name: string | undefined, accounts: AccountLookup): Found {
  if (name === undefined || name === '') return { kind: 'none' };
  const path = parseAccountPath(name);
  const node = path === undefined ? undefined : accounts.node(path);
  return node === undefined ? { kind: 'unknown', name } : { kind: 'account', node };
}
