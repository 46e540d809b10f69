import type { AppliedItem, RerateItem, RerateItemState, RerateRun } from '../charging/rerate-run.ts';
import type { NewRun, StoredItem } from '../charging/rerate-store.ts';
import type { RerateRunId } from '../units/ids.ts';
import { toMicros } from '../units/money.ts';
import { idCell, integerCell, jsonCell, momentOf, numberOf, textCell, valueOfJson } from '../sql/cell.ts';
import { named } from '../sql-records/record-rows.ts';
import type { RerateItemRow, RerateRunRow } from '../sql/schema.ts';

export function toRunRow({ id, funding, filter, createdAt }: NewRun): RerateRunRow {
  return {
    id: idCell(id),
    state: 'planning',
    funding,
    filter: jsonCell(filter),
    created_at: integerCell(createdAt),
    applied_at: null,
    reverted_at: null,
    calls: 0n,
    unrated: 0n,
    refused: 0n,
    cut: 0n,
    holder: null,
    held_until: null,
  };
}

export function toRun(row: RerateRunRow): RerateRun {
  return {
    id: row.id,
    state: row.state,
    funding: row.funding,
    filter: valueOfJson(row.filter),
    createdAt: momentOf(row.created_at),
    appliedAt: row.applied_at === null ? undefined : momentOf(row.applied_at),
    revertedAt: row.reverted_at === null ? undefined : momentOf(row.reverted_at),
    calls: numberOf(row.calls),
    unrated: numberOf(row.unrated),
    refused: numberOf(row.refused),
    cut: numberOf(row.cut),
  };
}

export function toItemRow(run: RerateRunId, item: RerateItem): RerateItemRow {
  return named(`the new charge of ${item.payer} for leg ${item.legUuid}`, () => ({
    run,
    payer: idCell(item.payer),
    leg_uuid: idCell(item.legUuid),
    state: 'planned',
    admitted_at: integerCell(item.admittedAt),
    destination: textCell(item.destination),
    version_before: integerCell(item.versionBefore),
    price_before: item.before,
    price_after: item.after,
    currency: textCell(item.currency),
    tariff: item.tariff ?? null,
    prefix: item.prefix ?? null,
    charges: jsonCell(item.charges),
    applied_at: null,
    reverted_at: null,
  }));
}

export function toStoredItem(
  row: Omit<RerateItemRow, 'charges' | 'run' | 'applied_at' | 'reverted_at'>,
): StoredItem {
  return {
    legUuid: row.leg_uuid,
    payer: row.payer,
    state: row.state satisfies RerateItemState,
    admittedAt: momentOf(row.admitted_at),
    destination: row.destination,
    versionBefore: numberOf(row.version_before),
    before: toMicros(row.price_before),
    after: toMicros(row.price_after),
    currency: row.currency,
    tariff: row.tariff ?? undefined,
    prefix: row.prefix ?? undefined,
  };
}

/** Undefined for one that no charge was made of. */
export function toAppliedItem(
  row: Pick<RerateItemRow, 'run' | 'leg_uuid' | 'payer' | 'version_before' | 'applied_at' | 'reverted_at'>,
): AppliedItem | undefined {
  if (row.applied_at === null) return undefined;
  return {
    run: row.run,
    legUuid: row.leg_uuid,
    payer: row.payer,
    versionBefore: numberOf(row.version_before),
    appliedAt: momentOf(row.applied_at),
    revertedAt: row.reverted_at === null ? undefined : momentOf(row.reverted_at),
  };
}
