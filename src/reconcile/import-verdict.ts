import type { AccountNode } from '../accounts/account-tree.ts';
import { directionOf, type NamedRoute } from '../admission/question.ts';
import type { Refusal } from '../admission/refusal.ts';
import { transferOfCharge } from '../charging/charges.ts';
import { customerAsAdmitted } from '../charging/brought-price.ts';
import { squaringTransfers } from '../charging/customer-money.ts';
import { FIRST_WAY, rateFirst } from '../charging/first-rating.ts';
import type { RatingBooks } from '../charging/finished-call.ts';
import { billedSecondsOf, type SecondsMode } from '../rating/quote.ts';
import {
  importDecisionId,
  type Cdr,
  type Decision,
  type DecisionKind,
  type Settlement,
} from '../records/records.ts';
import { parseAccountPath, type AccountPath, type NodeId } from '../units/ids.ts';
import { addMs, type EpochMs } from '../units/time.ts';
import { matchOf } from './match.ts';
import { meteringOf, type LegClaims, type Metering, type NotMetered } from './metering.ts';
import type { OpenLeg } from './switch-cdr-store.ts';
import type { SwitchCdr } from './switch-cdr.ts';

/** What is to be done about a leg of FreeSWITCH's own record. */
export type ImportVerdict =
  /** Ours says the same. */
  | { readonly kind: 'confirmed'; readonly billsecOff: boolean }
  /** Ours was settled from what was last known of it, and here is what it was. */
  | { readonly kind: 'estimated'; readonly cdr: Cdr }
  | { readonly kind: 'differs'; readonly cdr: Cdr; readonly field: 'duration' | 'answer' }
  | { readonly kind: 'not_metered'; readonly why: NotMetered }
  /** The file leaves out what would tell whether it is charged. */
  | { readonly kind: 'undetermined' }
  /** It would be charged, and the file has whole seconds only. */
  | { readonly kind: 'inexact' }
  /** It may still be on its way from FreeSWITCH into the record. */
  | { readonly kind: 'recent' }
  | { readonly kind: 'account_unknown'; readonly words: string }
  /** Nobody has a way to pay for it. */
  | { readonly kind: 'unpayable'; readonly account: AccountPath; readonly refusal: Refusal }
  | { readonly kind: 'chargeable'; readonly settlement: Settlement; readonly decision: Decision };

/** What verdicts are given by. */
export type ImportRules = {
  readonly now: EpochMs;
  readonly books: RatingBooks;
  readonly seconds: SecondsMode;
  readonly ungated: 'admit' | 'kill' | 'ignore';
  readonly findParties: (claims: LegClaims) => LegParties;
  /** Whose a call is that names nobody. */
  readonly account: string | undefined;
  /** Which server of the configuration a leg is of. */
  readonly nodeOf: (leg: SwitchCdr) => NodeId;
};

/** Whose a call is, as far as the dialplan named accounts of ours. */
export type LegParties =
  | {
      readonly kind: 'known';
      readonly caller: AccountNode | undefined;
      readonly callee: AccountNode | undefined;
      readonly routes: readonly NamedRoute[];
      readonly options: readonly string[];
      readonly forwarded: boolean;
      readonly destination: string;
      readonly emergency: boolean;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** A CDR is written before the event of the leg's end is fired, and that may lag (facts of a real FreeSWITCH). */
const RECENT_MS = 300_000;

export function isRecent({ endedAt }: Pick<Cdr, 'endedAt'>, now: EpochMs): boolean {
  return endedAt > addMs(now, -RECENT_MS);
}

export function verdictOf(open: OpenLeg, rules: ImportRules): ImportVerdict {
  const { leg, cdr } = open;
  if (cdr !== undefined) return knownVerdict(cdr, leg);
  const metering = meteringOf(leg, open.around, rules.ungated);
  if (metering.kind !== 'metered') return metering;
  if (leg.billMicroseconds === undefined) return { kind: 'inexact' };
  if (isRecent(leg, rules.now)) return { kind: 'recent' };
  return chargeVerdict(open, leg.billMicroseconds, metering, rules);
}

function knownVerdict(cdr: Cdr, leg: SwitchCdr): ImportVerdict {
  if (cdr.estimated && leg.billMicroseconds !== undefined) return { kind: 'estimated', cdr };
  const match = matchOf(cdr, leg);
  if (match.kind === 'differs') return { kind: 'differs', cdr, field: match.field };
  return { kind: 'confirmed', billsecOff: match.billsecOff };
}

type Metered = Extract<Metering, { readonly kind: 'metered' }>;

function chargeVerdict(
  open: OpenLeg,
  billMicroseconds: number,
  metered: Metered,
  rules: ImportRules,
): ImportVerdict {
  const { leg, place } = open;
  const whose = whoseOf(open, metered, rules);
  if (whose.kind === 'unknown') return { kind: 'account_unknown', words: whose.words };
  if (whose.emergency) return { kind: 'not_metered', why: 'emergency' };
  const cdr: Cdr = {
    legUuid: leg.uuid,
    legKey: metered.legKey,
    node: rules.nodeOf(leg),
    coreUuid: leg.coreUuid ?? '',
    ...whose.call,
    callerNumber: leg.callerNumber,
    admittedAt: leg.startedAt,
    answeredAt: leg.answeredAt,
    endedAt: leg.endedAt,
    billMicroseconds,
    billsec: leg.billsec,
    billedSeconds: billedSecondsOf(billMicroseconds, rules.seconds),
    cause: leg.cause,
    cut: undefined,
    decision: decisionKindOf(metered.decision),
    funding: 'none',
    estimated: false,
  };
  // The files of a leg need not have what its caller brought.
  const customer = whose.customer ?? customerAsAdmitted(open.admission, cdr.account, rules.books.accounts);
  const rated = rateFirst(cdr, rules.books, FIRST_WAY, customer);
  if (rated.kind === 'refused') return { kind: 'unpayable', account: cdr.account, refusal: rated.refusal };
  const { charges, funding } = rated;
  const transfers = charges.flatMap((charge) => transferOfCharge(charge, rules.now) ?? []);
  const square = { occasion: leg.uuid, at: rules.now };
  return {
    kind: 'chargeable',
    settlement: {
      cdr: { ...cdr, funding },
      charges,
      transfers: [...transfers, ...squaringTransfers(charges, transfers, square)],
    },
    decision: importDecision({ ...cdr, funding }, { at: rules.now, ...place }),
  };
}

type CallFacts = Pick<
  Cdr,
  'account' | 'callee' | 'forwarded' | 'direction' | 'dialled' | 'destination' | 'routes' | 'options'
>;

type Whose =
  | {
      readonly kind: 'known';
      readonly call: CallFacts;
      readonly emergency: boolean;
      /** The customer whose price came with the call. */
      readonly customer: AccountNode | undefined;
    }
  | { readonly kind: 'unknown'; readonly words: string };

function whoseOf({ admission }: OpenLeg, { claims }: Metered, rules: ImportRules): Whose {
  const admitted = admission === undefined ? undefined : admittedCall(admission);
  const isNamed =
    claims.account !== undefined || claims.callee !== undefined || claims.customer !== undefined;
  const named = { ...claims, account: isNamed ? claims.account : rules.account };
  const parties = rules.findParties(named);
  const own = parties.kind === 'known' ? parties.caller : undefined;
  const customer = own?.customer === undefined ? undefined : own;
  if (admitted !== undefined) {
    const isEmergency = admission?.verdict === 'emergency';
    return { kind: 'known', call: admitted, emergency: isEmergency, customer };
  }
  if (parties.kind === 'refused') return { kind: 'unknown', words: parties.refusal.words };
  const { caller, callee, routes, options, destination, emergency } = parties;
  const account = (caller ?? callee)?.path;
  if (account === undefined) return { kind: 'unknown', words: 'it names no account' };
  return {
    kind: 'known',
    emergency,
    customer,
    call: {
      account,
      callee: caller && callee?.path,
      forwarded: parties.forwarded || undefined,
      direction: directionOf({ caller, callee, routes }),
      dialled: claims.dialled,
      destination,
      routes: routes.map(({ name }) => name),
      options,
    },
  };
}

/** What the gate decided, as its decision was written. Undefined where it says too little. */
function admittedCall({ account, inputs }: Decision): CallFacts | undefined {
  const { callee, forwarded, direction, dialled, destination, routes, options } = inputs;
  const isDirection = direction === 'inbound' || direction === 'outbound' || direction === 'internal';
  if (account === undefined || !isDirection) return undefined;
  if (typeof dialled !== 'string' || typeof destination !== 'string' || !Array.isArray(routes))
    return undefined;
  return {
    account,
    callee: typeof callee === 'string' ? parseAccountPath(callee) : undefined,
    forwarded: forwarded === true || undefined,
    direction,
    dialled,
    destination,
    routes: namesIn(routes),
    options: namesIn(options),
  };
}

function namesIn(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((name): name is string => typeof name === 'string') : [];
}

const DECISIONS: readonly DecisionKind[] = ['soft', 'dry_run', 'unrestricted', 'store_down'];

/** What the channel says the gate decided; a word that is none of ours, or no word, frees nobody. */
function decisionKindOf(decision: string | undefined): DecisionKind {
  return DECISIONS.find((kind) => kind === decision) ?? 'admitted';
}

/** The answer to "why" of a leg that nobody was asked about. */
function importDecision(
  cdr: Cdr,
  { at, file, line }: { readonly at: EpochMs; readonly file: string; readonly line: number },
): Decision {
  return {
    id: importDecisionId(cdr.legUuid),
    at,
    kind: 'admission',
    verdict: cdr.decision,
    aLeg: cdr.legUuid,
    legUuid: cdr.legUuid,
    account: cdr.account,
    reason: cdr.funding,
    inputs: {
      via: 'cdr import',
      words: `charged from ${file}:${line}, for its events never came`,
      file,
      line,
      direction: cdr.direction,
      dialled: cdr.dialled,
      destination: cdr.destination,
      routes: cdr.routes,
      options: cdr.options,
    },
  };
}
