import { FIRST_WAY, rateFirst } from '../charging/first-rating.ts';
import { reprice, type RatingBooks } from '../charging/finished-call.ts';
import { chargesInForce, chargeTransferId, type Cdr } from '../records/records.ts';
import type { AccountPath } from '../units/ids.ts';
import type { Difference, Reconciled, Remark } from './difference.ts';
import { isRecent, verdictOf, type ImportRules } from './import-verdict.ts';
import { matchOf } from './match.ts';
import type { OpenLeg, OurLeg, SwitchCdrStore, Window } from './switch-cdr-store.ts';

/**
 * Holds FreeSWITCH's record, ours and the tariffs against one another, over a time. Legs are looked up by uuid on the
 * other side, so that one that lies over an end of the time is whole; of any length, in constant memory.
 */
export async function* reconcile(
  store: SwitchCdrStore,
  window: Window,
  rules: ImportRules,
): AsyncGenerator<Reconciled> {
  // Without their side there is nothing to hold ours against; our own money is looked at all the same.
  const hasTheirs = (await store.countOf(window)) > 0;
  for await (const page of store.ours(window)) {
    for (const leg of page) {
      if (hasTheirs) yield* againstTheirs(leg, rules);
      // What was charged for a guess is looked at when the guess is corrected.
      if (!isCorrectable(leg)) yield* againstMoney(leg, rules.books);
    }
    yield { kind: 'looked', legs: page.length };
  }
  for await (const page of store.theirs(window)) {
    for (const leg of page) yield* ofTheirsAlone(leg, window.account, rules);
    yield { kind: 'looked', legs: page.length };
  }
  for await (const page of store.strayTransfers(window)) {
    for (const transfer of page) yield differ({ kind: 'transfer_without_charge', transfer });
  }
}

function differ(difference: Difference): Reconciled {
  return { kind: 'difference', difference };
}

function remark(word: Remark): Reconciled {
  return { kind: 'remark', remark: word };
}

function* againstTheirs({ cdr, theirs }: OurLeg, rules: ImportRules): Generator<Reconciled> {
  if (theirs === undefined) {
    yield isRecent(cdr, rules.now) ? remark('recent') : differ({ kind: 'tollgate_only', cdr });
    return;
  }
  const match = matchOf(cdr, theirs.leg);
  if (match.kind === 'differs') yield differ({ kind: `${match.field}_differs`, cdr, theirs });
  else if (match.billsecOff) yield remark('billsec_off');
}

function* againstMoney({ cdr, charges, transfers }: OurLeg, books: RatingBooks): Generator<Reconciled> {
  const moved = new Set(transfers.map(({ id }) => id));
  for (const charge of charges) {
    if (charge.price === 0n || moved.has(chargeTransferId(charge))) continue;
    yield differ({ kind: 'charge_without_transfer', cdr, charge });
  }
  const standing = chargesInForce(charges);
  if (standing.length === 0) {
    yield* unchargedBy(cdr, books);
    return;
  }
  const repriced = reprice(cdr, standing, books);
  const unrated = new Map(repriced.unrated.map(({ payer, reason }) => [payer, reason]));
  for (const [payer, before] of Map.groupBy(standing, (charge) => charge.payer)) {
    const after = repriced.charges.filter((charge) => charge.payer === payer);
    const isSame = after.every((charge, index) => charge === before[index]);
    if (!isSame) yield differ({ kind: 'charge_differs', cdr, payer, before, after });
    const reason = unrated.get(payer);
    if (reason !== undefined) yield differ({ kind: 'charge_unrated', cdr, payer, before, reason });
  }
}

/** Settled from what was last known of it, and FreeSWITCH's own CDR says exactly what it was. */
function isCorrectable({ cdr, theirs }: OurLeg): boolean {
  if (theirs === undefined || !cdr.estimated || theirs.leg.billMicroseconds === undefined) return false;
  return matchOf(cdr, theirs.leg).kind === 'differs';
}

/** A leg that talked and was let through to be charged has charges, unless it costs nothing. */
function* unchargedBy(cdr: Cdr, books: RatingBooks): Generator<Reconciled> {
  if (cdr.decision !== 'admitted' && cdr.decision !== 'soft') return;
  const rated = rateFirst(cdr, books, FIRST_WAY);
  if (rated.kind === 'refused') return;
  for (const [payer, after] of Map.groupBy(rated.charges, (charge) => charge.payer)) {
    if (after.some(({ price }) => price > 0n)) yield differ({ kind: 'charge_missing', cdr, payer, after });
  }
}

function* ofTheirsAlone(
  open: OpenLeg,
  account: AccountPath | undefined,
  rules: ImportRules,
): Generator<Reconciled> {
  const verdict = verdictOf(open, rules);
  switch (verdict.kind) {
    case 'confirmed':
    case 'estimated':
    case 'differs':
    case 'not_metered':
      return;
    case 'undetermined':
    case 'recent':
      yield remark(verdict.kind);
      return;
    case 'inexact':
    case 'account_unknown':
      // Whose it is cannot be told, so it is nobody's in particular.
      if (account === undefined) yield differ({ kind: 'freeswitch_only', open, verdict });
      return;
    case 'unpayable':
      if (isBelow(verdict.account, account)) yield differ({ kind: 'freeswitch_only', open, verdict });
      return;
    case 'chargeable':
      if (isBelow(verdict.settlement.cdr.account, account))
        yield differ({ kind: 'freeswitch_only', open, verdict });
      return;
  }
}

function isBelow(path: AccountPath, account: AccountPath | undefined): boolean {
  return account === undefined || path === account || path.startsWith(`${account}/`);
}
