import { randomUUID } from 'node:crypto';
import { carryOut, type CarriedOut } from '../charging/carry-out.ts';
import { transferOfCharge } from '../charging/charges.ts';
import { itemOf } from '../charging/plan-rerate.ts';
import type { RerateItem } from '../charging/rerate-run.ts';
import type { RunBegun } from '../charging/rerate-store.ts';
import type { CommandContext, Stores } from '../command-line/command.ts';
import { correctionOf } from '../reconcile/correction.ts';
import type { Difference } from '../reconcile/difference.ts';
import type { ImportRules } from '../reconcile/import-verdict.ts';
import type { Window } from '../reconcile/switch-cdr-store.ts';
import { admissionDecisionId } from '../records/records.ts';
import { assert } from '../units/assert.ts';
import { parseRerateRunId, type LegUuid, type RerateRunId } from '../units/ids.ts';
import { toIsoUtc } from '../units/time.ts';
import type { AssumedFunding } from './assumed-funding.ts';
import { createImportSettler, type Chargeable, type ImportSettler } from './settle-imported.ts';

/** What was put right, and what is left for a person. */
export type FixReport = {
  /** Legs that only FreeSWITCH knew, charged. */
  readonly settled: number;
  /** Legs that were settled by a guess. */
  readonly corrected: number;
  readonly transfers: number;
  readonly charges: number;
  /** By which the charges were changed, and are put back by `rerate revert`. */
  readonly run: RerateRunId | undefined;
  /** Why the run was not carried out, if it was not. */
  readonly runRefused: CarriedOut['kind'] | undefined;
  readonly left: number;
  readonly untold: number;
  /** Of the legs that were charged. */
  readonly assumed: AssumedFunding | undefined;
};

export type Fixer = {
  take(difference: Difference): Promise<void>;
  finish(): Promise<FixReport>;
};

const AT_ONCE = 100;

/**
 * Puts differences right as they are found: unknown legs as an import does, guesses by their files, and charges by a
 * run of re-rating that can be taken back like any other.
 */
export async function createFixer(
  context: CommandContext,
  stores: Stores,
  rules: ImportRules,
  { from, to, account }: Window,
): Promise<Fixer> {
  const { records, switchCdrs, rerates } = stores;
  const settler = await createImportSettler(context, records);
  const counts = { settled: 0, corrected: 0, transfers: 0, charges: 0, left: 0 };
  let chargeable: Chargeable[] = [];
  let items: RerateItem[] = [];
  let run: RunBegun | undefined;

  const settle = async (): Promise<void> => {
    const some = chargeable;
    chargeable = [];
    if (some.length === 0) return;
    const recorded = await settler.settle(some);
    counts.settled += recorded.size;
    counts.left += some.length - recorded.size;
  };
  const addItems = async (): Promise<void> => {
    const some = items;
    items = [];
    if (some.length === 0) return;
    run ??= await beginRun();
    await rerates.addItems(run, some);
    counts.charges += some.length;
  };
  const beginRun = async (): Promise<RunBegun> => {
    const id = runIdAt(toIsoUtc(context.now()));
    const createdAt = context.now();
    const begun = await rerates.begin({ id, funding: 'kept', filter: { from, to, account }, createdAt });
    assert(begun === 'begun', 'a run is called by the moment, and no other is as new');
    return { id, createdAt };
  };
  const correct = async (difference: Extract<Difference, { readonly theirs: object }>): Promise<boolean> => {
    const { cdr, theirs } = difference;
    if (!cdr.estimated || theirs.leg.billMicroseconds === undefined) return false;
    const decisions = await records.decisionsOf(cdr.legUuid);
    const admission = decisions.find(({ id }) => id === admissionDecisionId(cdr.legKey));
    const charges = await records.chargesOf(cdr.legUuid);
    const correction = correctionOf(cdr, charges, { ...theirs, admission }, rules);
    if ((await switchCdrs.correct(correction)) === 'stale') return false;
    await settler.tell(correction.movements);
    return true;
  };

  return {
    async take(difference) {
      switch (difference.kind) {
        case 'freeswitch_only':
          if (isChargeable(difference, settler.unrecorded)) chargeable.push(difference.verdict);
          else counts.left += 1;
          if (chargeable.length >= AT_ONCE) await settle();
          return;
        case 'duration_differs':
        case 'answer_differs':
          if (await correct(difference)) counts.corrected += 1;
          else counts.left += 1;
          return;
        case 'charge_differs':
          items.push(itemOf(difference.cdr, difference.payer, difference.before, difference.after));
          if (items.length >= AT_ONCE) await addItems();
          return;
        case 'charge_missing':
          items.push(itemOf(difference.cdr, difference.payer, [], difference.after));
          if (items.length >= AT_ONCE) await addItems();
          return;
        case 'charge_without_transfer': {
          // Its leg took the money from the live wallet when it ended: the record alone lacks it.
          const transfer = transferOfCharge(difference.charge, context.now());
          const written = transfer === undefined ? undefined : await records.insertTransfer(transfer);
          if (written === 'inserted') counts.transfers += 1;
          else counts.left += 1;
          return;
        }
        case 'tollgate_only':
        case 'charge_unrated':
        case 'transfer_without_charge':
          counts.left += 1;
          return;
      }
    },
    async finish() {
      await settle();
      await addItems();
      const carried =
        run === undefined
          ? undefined
          : await carryOutRun({ run, charges: counts.charges }, context, stores, settler);
      const passed = carried?.kind === 'done' ? carried.passed : counts.charges;
      return {
        ...counts,
        charges: carried?.kind === 'done' ? carried.changed : 0,
        run: run?.id,
        runRefused: carried === undefined || carried.kind === 'done' ? undefined : carried.kind,
        left: counts.left + passed,
        untold: await settler.finish(),
        assumed: settler.assumed(),
      };
    },
  };
}

type OnlyTheirs = Extract<Difference, { readonly kind: 'freeswitch_only' }>;

function isChargeable(
  difference: OnlyTheirs,
  unrecorded: ReadonlySet<LegUuid>,
): difference is OnlyTheirs & { readonly verdict: Chargeable } {
  return difference.verdict.kind === 'chargeable' && !unrecorded.has(difference.open.leg.uuid);
}

async function carryOutRun(
  { run, charges }: { readonly run: RunBegun; readonly charges: number },
  { now }: CommandContext,
  { rerates }: Stores,
  settler: ImportSettler,
): Promise<CarriedOut> {
  await rerates.finishPlan(run, { calls: charges, unrated: 0, refused: 0, cut: 0 });
  return await carryOut(
    { run: run.id, wanted: 'applying', holder: randomUUID() },
    // What others did not come to tell has been told already.
    {
      store: rerates,
      untold: nothing,
      tell: (movements) => settler.tell(movements),
      clock: now,
      onChanged: () => undefined,
    },
  );
}

async function* nothing(): AsyncGenerator<never> {
  // A run that is new has nothing untold.
}

/** `reconcile-20260801-120000-000`: beside the runs that were planned by hand. */
function runIdAt(iso: string): RerateRunId {
  const moment = iso.replaceAll(/[-:Z]/g, '').replace('T', '-').replace('.', '-');
  const run = parseRerateRunId(`reconcile-${moment}`);
  assert(run !== undefined, 'a moment makes a name');
  return run;
}
