import type { AccountLookup, AccountNode } from '../accounts/account-tree.ts';
import { e164Of, type PlannedQuestion } from '../admission/question.ts';
import { findClassifier, UNKNOWN_CLASSIFICATION, type Classifier } from '../rating/classify.ts';
import type { Cdr } from '../records/records.ts';
import { parseRouteName, storedPathOf } from '../units/ids.ts';

/** What of a finished call is asked when it is decided again. A `Cdr` is one. */
export type AskedCall = Pick<
  Cdr,
  | 'legKey'
  | 'account'
  | 'callee'
  | 'forwarded'
  | 'soft'
  | 'direction'
  | 'dialled'
  | 'destination'
  | 'routes'
  | 'options'
  | 'admittedAt'
  | 'decision'
>;

/**
 * The question that the call asked at its gate, to the accounts as they are now. Undefined where its account is
 * none any more, or an internal call's other one is not known.
 */
export function questionOfCall(
  call: AskedCall,
  accounts: Pick<AccountLookup, 'node' | 'route'>,
  /** Whose own price came with the call, where it did; nothing on record tells of him. */
  customer?: AccountNode,
): PlannedQuestion | undefined {
  const { legKey, direction, routes, options, destination, decision } = call;
  const own = customer ?? accounts.node(storedPathOf(call.account));
  const known = call.callee === undefined ? undefined : accounts.node(storedPathOf(call.callee));
  // Whoever of ours was called, between accounts it makes no price.
  const callee = known ?? (direction === 'internal' ? customer : undefined);
  if (own === undefined || (direction === 'internal' && callee === undefined)) return undefined;
  const classifier = classifierOf(call, own);
  const emergency = decision === 'emergency';
  const soft = call.soft ?? (decision === 'soft' ? softOf(own, direction) : []);
  return {
    legKey,
    caller: direction === 'inbound' ? undefined : own,
    callee: direction === 'inbound' ? own : callee,
    routes: routes.map((name) => {
      const route = parseRouteName(name);
      return { name, node: route === undefined ? undefined : accounts.route(route) };
    }),
    options,
    forwarded: call.forwarded === true,
    destination,
    emergency,
    classification: classifier?.name ?? UNKNOWN_CLASSIFICATION,
    tollFree: classifier?.treatment === 'toll_free' && direction === 'outbound' && !emergency,
    at: call.admittedAt,
    ...(soft.length > 0 && { soft: new Set(soft) }),
  };
}

/** What the numbers of the account's tree call this one. */
export function classifierOf(
  { dialled, destination }: Pick<Cdr, 'dialled' | 'destination'>,
  node: Pick<AccountNode, 'classifiers'> | undefined,
): Classifier | undefined {
  return findClassifier(node?.classifiers ?? [], { dialled, e164: e164Of({ destination }) });
}

/** Whose limits it may have been. */
function softOf({ chain }: AccountNode, direction: Cdr['direction']): NonNullable<Cdr['soft']> {
  const flag = direction === 'inbound' ? 'softLimitInbound' : 'softLimitOutbound';
  return chain.filter(({ limits }) => limits[flag]).map(({ path }) => path);
}
