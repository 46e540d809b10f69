import type { Charge, Transfer } from '../records/records.ts';
import type { RerateRunId } from '../units/ids.ts';
import { ZERO_MICROS } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';
import { reversalOf, transferOfCharge } from './charges.ts';
import type { AppliedItem, RerateItem } from './rerate-run.ts';

export type RerateStep =
  | { readonly kind: 'changed'; readonly charges: readonly Charge[]; readonly transfers: readonly Transfer[] }
  /** What is in force is not what the run put there, or was planned on. */
  | { readonly kind: 'passed' };

/**
 * One payer of one leg, a version on: the charges of the version in force are taken back and those of the next one
 * made, each with its own transfer. Applying gives it what was planned, reverting what it had before. `standing`:
 * every version there is.
 */
export function stepOf(
  item: Pick<RerateItem, 'versionBefore' | 'charges'>,
  standing: readonly Charge[],
  {
    wanted,
    run,
    at,
  }: { readonly wanted: 'applying' | 'reverting'; readonly run: RerateRunId; readonly at: EpochMs },
): RerateStep {
  const applied = item.versionBefore + 1;
  const inForce = Math.max(0, ...standing.map(({ version }) => version));
  const expected = wanted === 'applying' ? item.versionBefore : applied;
  if (inForce !== expected) return { kind: 'passed' };
  const version = inForce + 1;
  const next = wanted === 'applying' ? item.charges : beforeOf(item, standing);
  const charges = next.map((charge): Charge => ({ ...charge, version }));
  return {
    kind: 'changed',
    charges,
    transfers: [
      ...standing
        .filter((charge) => charge.version === inForce)
        .flatMap((charge) => reversalOf(charge, run, at) ?? []),
      ...charges.flatMap((charge) => transferOfCharge(charge, at) ?? []),
    ],
  };
}

/** Which run made a charge of its version, and when: by being applied, and reverted since or not, or by being reverted. */
export type MadeByRun = { readonly run: RerateRunId; readonly at: EpochMs } & (
  | { readonly change: 'applied'; readonly revertedAt: EpochMs | undefined }
  | { readonly change: 'reverted' }
);

/** Undefined for a charge that none of `applied` made. */
export function madeByRun(
  { legUuid, payer, version }: Pick<Charge, 'legUuid' | 'payer' | 'version'>,
  applied: readonly AppliedItem[],
): MadeByRun | undefined {
  for (const { run, versionBefore, appliedAt, revertedAt, ...changed } of applied) {
    if (changed.legUuid !== legUuid || changed.payer !== payer) continue;
    if (version === versionBefore + 1) return { run, at: appliedAt, change: 'applied', revertedAt };
    if (version === versionBefore + 2 && revertedAt !== undefined) {
      return { run, at: revertedAt, change: 'reverted' };
    }
  }
  return undefined;
}

/** A payer who had no charge has one of nothing: a version of no charges would be none. */
function beforeOf(
  { versionBefore, charges }: Pick<RerateItem, 'versionBefore' | 'charges'>,
  standing: readonly Charge[],
): readonly Charge[] {
  if (versionBefore > 0) return standing.filter(({ version }) => version === versionBefore);
  const [first] = charges;
  return first === undefined ? [] : [freeCharge(first, secondsOf(charges))];
}

/** The whole leg for nothing. */
export function freeCharge(
  { legUuid, payer, version }: Pick<Charge, 'legUuid' | 'payer' | 'version'>,
  billedSeconds: number,
): Charge {
  return {
    legUuid,
    segment: 1,
    payer,
    version,
    way: 'free',
    billedSeconds,
    chargedSeconds: 0,
    price: ZERO_MICROS,
  };
}

function secondsOf(charges: readonly Charge[]): number {
  let seconds = 0;
  for (const { billedSeconds } of charges) seconds += billedSeconds;
  return seconds;
}
