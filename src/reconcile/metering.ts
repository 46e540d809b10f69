import type { CustomerVariables } from '../calls/switch-event.ts';
import { branchName, parseBranches, type Branch } from '../calls/branches.ts';
import { assert } from '../units/assert.ts';
import { admissionIdOf, legKeyOf, type LegKey, type LegUuid } from '../units/ids.ts';
import type { Surroundings } from './surroundings.ts';
import type { CdrVariables, SwitchCdr } from './switch-cdr.ts';

export type Metering =
  | {
      readonly kind: 'metered';
      readonly claims: LegClaims;
      readonly legKey: LegKey;
      /** What the gate said of it, if it was asked. */
      readonly decision: string | undefined;
    }
  | { readonly kind: 'not_metered'; readonly why: NotMetered }
  /** The file leaves out what would tell. */
  | { readonly kind: 'undetermined' };

export type NotMetered =
  | 'unanswered'
  | 'loopback'
  /** The caller's own leg: the charge follows the leg that it placed. */
  | 'placed_a_leg'
  /** A call from a route, or one that answered before it was dialled on: its caller's leg is metered. */
  | 'caller_is_metered'
  | 'emergency'
  | 'refused'
  | 'ungated';

/** Whose call it was and where to, as the dialplan said it; nothing of it is believed yet. */
export type LegClaims = {
  readonly account: string | undefined;
  readonly callee: string | undefined;
  readonly forwarder: string | undefined;
  readonly routes: readonly string[];
  readonly options: readonly string[];
  readonly dialled: string;
  readonly customer: CustomerVariables | undefined;
};

/** As a live leg is keyed that came by no gate. */
const NO_PASS = 0;
const UNGATED_BRANCH = 'ungated';

/**
 * Whether Tollgate charges this leg, from FreeSWITCH's own record alone: the same rule as for live legs. The charge
 * follows the public leg; one that was placed under an admission, or by no gate at all, is metered from its answer.
 */
export function meteringOf(
  leg: SwitchCdr,
  around: Surroundings,
  ungated: 'admit' | 'kill' | 'ignore',
): Metering {
  if (leg.answeredAt === undefined) return notMetered('unanswered');
  if (leg.loopback) return notMetered('loopback');
  const { placer, charged } = around;
  if (leg.direction === undefined && leg.bLeg === undefined && placer === undefined) {
    return { kind: 'undetermined' };
  }
  const { admission } = leg.gate;
  if (isALeg(leg)) {
    const own = ownMetering(leg, around.placed, charged);
    if (own !== undefined) return notMetered(own);
    // Whether it was answered before it placed those is in their CDRs.
    if (around.unseen && leg.gate.metered === undefined) return { kind: 'undetermined' };
    if (admission !== undefined || ungated !== 'ignore') return metered(leg, placer);
    return notMetered('ungated');
  }
  const caller = placer?.uuid ?? leg.originator;
  if (caller !== undefined && charged.has(caller)) return notMetered('caller_is_metered');
  if (placer !== undefined && isMeteredItself(placer, around)) return notMetered('caller_is_metered');
  if (admission === undefined || isOwn(leg)) {
    return ungated === 'ignore' ? notMetered('ungated') : metered(leg, placer);
  }
  // A later pass of the caller was decided otherwise than the one that placed this leg.
  const decision = placer?.gate.admission === admission ? placer.gate.decision : undefined;
  if (decision === 'emergency' || decision === 'refused') return notMetered(decision);
  return metered(leg, placer);
}

function notMetered(why: NotMetered): Metering {
  return { kind: 'not_metered', why };
}

function metered(leg: SwitchCdr, placer: SwitchCdr | undefined): Metering {
  const asked = isALeg(leg) || leg.gate.admission === placer?.gate.admission;
  const decision = asked ? (leg.gate.decision ?? placer?.gate.decision) : undefined;
  return { kind: 'metered', claims: claimsOf(leg, placer), legKey: meteredKeyOf(leg), decision };
}

/** A channel that came in, or of which a file says only that it was bridged to another. */
function isALeg(leg: SwitchCdr): boolean {
  return leg.direction === 'inbound' || (leg.direction === undefined && leg.bLeg !== undefined);
}

/** An A-leg carries the admission of its last pass, which names it. */
function isOwn({ uuid, gate }: SwitchCdr): boolean {
  return gate.admission?.startsWith(`${uuid}.`) === true;
}

/** Why an A-leg is not metered itself; undefined: it is. */
function ownMetering(
  leg: SwitchCdr,
  placed: readonly SwitchCdr[],
  charged: ReadonlySet<LegUuid>,
): NotMetered | undefined {
  const { gate, answeredAt } = leg;
  if (gate.decision === 'emergency' || gate.decision === 'refused') return gate.decision;
  if (gate.metered !== undefined) return undefined;
  if (isOwn(leg)) return isFromRoute(leg) ? undefined : 'placed_a_leg';
  if (placed.some(({ uuid }) => charged.has(uuid)) || leg.placedLegs.some((uuid) => charged.has(uuid))) {
    return 'placed_a_leg';
  }
  if (leg.bLeg !== undefined && leg.direction === undefined) return 'placed_a_leg';
  // One that was answered before it placed another was metered by then, and stays so.
  const placedBefore = placed.some(({ startedAt }) => answeredAt === undefined || startedAt <= answeredAt);
  return placedBefore ? 'placed_a_leg' : undefined;
}

function isMeteredItself(placer: SwitchCdr, { siblings, charged }: Surroundings): boolean {
  if (placer.answeredAt === undefined || !isALeg(placer)) return false;
  return ownMetering(placer, siblings, charged) === undefined;
}

/** Let through while the store was down, it has no mark that it is metered; its parties tell. */
function isFromRoute({ gate }: SwitchCdr): boolean {
  const { decision, account, forwarder, callee } = gate;
  return (
    decision === 'store_down' && account === undefined && forwarder === undefined && callee !== undefined
  );
}

/** What the leg says of itself, and what the leg that placed it says where it is silent. */
function claimsOf(leg: SwitchCdr, placer: SwitchCdr | undefined): LegClaims {
  const own = leg.gate;
  const other = placer?.gate;
  const inherited = own.admission !== undefined && !isOwn(leg);
  const branch = inherited ? branchOf(leg, other) : undefined;
  const routes = branch?.routes ?? other?.routes ?? [];
  // Where the dialplan went on by a gate's answer, the number is the one that the gate was asked for.
  const decided = inherited ? (branch?.destination ?? other?.admittedDestination) : own.admittedDestination;
  return {
    account: own.account ?? other?.account,
    callee: own.callee ?? (branch === undefined ? other?.callee : branch.callee),
    forwarder: own.forwarder ?? other?.forwarder,
    routes: own.routes.length > 0 ? own.routes : routes,
    options: own.options.length > 0 ? own.options : (other?.options ?? []),
    dialled: own.destination ?? decided ?? leg.destination,
    customer: own.customer ?? other?.customer,
  };
}

/** Which branch of its caller's dial it is. */
function branchOf(leg: SwitchCdr, caller: CdrVariables | undefined): Branch | undefined {
  if (caller === undefined) return undefined;
  const { callee, routes, destination } = caller;
  const branches = parseBranches(caller.bridge, { callee, routes, destination });
  return branches?.find(({ name }) => name === (leg.gate.branch ?? branchName(0)));
}

/** What a metered leg is keyed by: its admission and branch, or itself where it came by no gate. */
export function meteredKeyOf(leg: SwitchCdr): LegKey {
  const { admission, branch, metered } = leg.gate;
  const [pass, ownBranch] = metered?.split(':') ?? [];
  const own =
    pass !== undefined && /^\d{1,6}$/.test(pass) ? admissionIdOf(leg.uuid, Number(pass)) : undefined;
  const gated = own === undefined ? undefined : legKeyOf(own, ownBranch ?? branchName(0));
  if (gated !== undefined) return gated;
  const inherited =
    admission === undefined || isOwn(leg) ? undefined : legKeyOf(admission, branch ?? branchName(0));
  return inherited ?? ungatedKey(leg.uuid);
}

function ungatedKey(uuid: LegUuid): LegKey {
  const key = legKeyOf(admissionIdOf(uuid, NO_PASS), UNGATED_BRANCH);
  assert(key !== undefined, 'the name of the branch is ours');
  return key;
}
