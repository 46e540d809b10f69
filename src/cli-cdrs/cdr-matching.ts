import type { Stores } from '../command-line/command.ts';
import { correctionOf } from '../reconcile/correction.ts';
import { verdictOf, type ImportRules, type ImportVerdict } from '../reconcile/import-verdict.ts';
import type { OpenLeg } from '../reconcile/switch-cdr-store.ts';
import type { Cdr, Settlement } from '../records/records.ts';
import type { LegUuid } from '../units/ids.ts';
import { toMicros, type Micros } from '../units/money.ts';
import type { AssumedFunding } from './assumed-funding.ts';
import type { Chargeable, ImportSettler } from './settle-imported.ts';

/** A leg that is left for a person to look at, or to charge. */
export type Remaining = { readonly open: OpenLeg; readonly verdict: ImportVerdict };

/** What became of the legs of the files that were read. */
export type MatchingReport = {
  readonly confirmed: number;
  /** Of those: `billsec` is off by one, which is explained. */
  readonly billsecOff: number;
  readonly notMetered: number;
  readonly settled: number;
  /** Settled by a guess before, and by these figures now. */
  readonly corrected: number;
  /** Money on record that did not get to Redis yet. */
  readonly untold: number;
  /** Of those settled. */
  readonly assumed: AssumedFunding | undefined;
  /** By kind; what `settled` counts is in none of them. */
  readonly remaining: Readonly<Record<RemainingKind, number>>;
  /** Of what was settled, or would be, by currency. */
  readonly amounts: ReadonlyMap<string, Micros>;
  /** The first thousand. */
  readonly shown: readonly Remaining[];
};

export type RemainingKind = Exclude<ImportVerdict['kind'], 'confirmed' | 'not_metered'>;

const SHOWN_MAX = 1_000;
const SETTLED_AT_ONCE = 100;

/** Holds the open legs of these files against the record, and settles and corrects what is to be where that is wanted. */
export async function matchCdrs(
  paths: readonly string[],
  stores: Pick<Stores, 'switchCdrs' | 'records'>,
  loadRules: () => Promise<ImportRules>,
  settler: ImportSettler | undefined,
): Promise<MatchingReport> {
  const { switchCdrs, records } = stores;
  const remaining: Record<RemainingKind, number> = {
    estimated: 0,
    differs: 0,
    undetermined: 0,
    inexact: 0,
    recent: 0,
    account_unknown: 0,
    unpayable: 0,
    chargeable: 0,
  };
  const counts = { confirmed: 0, billsecOff: 0, notMetered: 0, settled: 0, corrected: 0 };
  const amounts = new Map<string, Micros>();
  const shown: Remaining[] = [];
  const leave = (left: Remaining & { readonly verdict: { readonly kind: RemainingKind } }): void => {
    remaining[left.verdict.kind] += 1;
    if (shown.length < SHOWN_MAX) shown.push(left);
  };
  /** The exact figures in the place of a guess. */
  const correct = async (open: OpenLeg, cdr: Cdr, rules: ImportRules): Promise<boolean> => {
    if (settler === undefined) return false;
    const correction = correctionOf(cdr, await records.chargesOf(cdr.legUuid), open, rules);
    if ((await switchCdrs.correct(correction)) === 'stale') return false;
    await settler.tell(correction.movements);
    return true;
  };
  let rules: ImportRules | undefined;
  for await (const page of switchCdrs.open(paths)) {
    rules ??= await loadRules();
    const closed: LegUuid[] = [];
    const chargeable: { readonly open: OpenLeg; readonly verdict: Chargeable }[] = [];
    for (const open of page) {
      const verdict = verdictOf(open, rules);
      if (verdict.kind === 'confirmed' || verdict.kind === 'not_metered') {
        closed.push(open.leg.uuid);
        if (verdict.kind === 'not_metered') counts.notMetered += 1;
        else counts.confirmed += 1;
        if (verdict.kind === 'confirmed' && verdict.billsecOff) counts.billsecOff += 1;
      } else if (verdict.kind === 'estimated' && (await correct(open, verdict.cdr, rules))) {
        closed.push(open.leg.uuid);
        counts.corrected += 1;
      } else if (verdict.kind !== 'chargeable') leave({ open, verdict });
      // Its own settlement is on its way into the record, or will be.
      else if (settler?.unrecorded.has(open.leg.uuid) === true) leave({ open, verdict: { kind: 'recent' } });
      else chargeable.push({ open, verdict });
    }
    for (let at = 0; at < chargeable.length; at += SETTLED_AT_ONCE) {
      const some = chargeable.slice(at, at + SETTLED_AT_ONCE);
      const recorded = await settler?.settle(some.map(({ verdict }) => verdict));
      for (const { open, verdict } of some) {
        addAmounts(amounts, verdict.settlement);
        if (recorded?.has(open.leg.uuid) === true) {
          counts.settled += 1;
          closed.push(open.leg.uuid);
        } else leave({ open, verdict });
      }
    }
    await switchCdrs.close(closed);
  }
  const untold = (await settler?.finish()) ?? 0;
  return { ...counts, untold, assumed: settler?.assumed(), remaining, amounts, shown };
}

function addAmounts(amounts: Map<string, Micros>, { transfers }: Settlement): void {
  for (const { kind, currency, amount } of transfers) {
    if (kind !== 'charge') continue;
    amounts.set(currency, toMicros((amounts.get(currency) ?? 0n) + amount));
  }
}
