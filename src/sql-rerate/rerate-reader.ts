import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { AppliedItem, RerateSum } from '../charging/rerate-run.ts';
import type { RatedBy, RerateReader, StoredItem } from '../charging/rerate-store.ts';
import type { AccountPath, LegUuid, RerateRunId, TariffName } from '../units/ids.ts';
import { toMicros } from '../units/money.ts';
import { numberOf } from '../sql/cell.ts';
import { walkChargedCalls } from './charged-calls.ts';
import { slicesOf, walkPages } from '../sql/paging.ts';
import { countCalls, readChargesInForce, walkPricedCalls } from './rerate-calls.ts';
import { toAppliedItem, toRun, toStoredItem } from './rerate-rows.ts';
import type { RerateItemRow, Schema } from '../sql/schema.ts';

export function createRerateReader(database: Kysely<Schema>): RerateReader {
  return {
    countCalls: (filter) => countCalls(database, filter),
    pricedCalls: (filter) => walkPricedCalls(database, filter),
    chargedCalls: (span) => walkChargedCalls(database, span),
    chargesInForce: (legs) => readChargesInForce(database, legs),
    async run(id) {
      const row = await database.selectFrom('rerate_run').selectAll().where('id', '=', id).executeTakeFirst();
      return row === undefined ? undefined : toRun(row);
    },
    async runs() {
      const rows = await database
        .selectFrom('rerate_run')
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .execute();
      return rows.map(toRun);
    },
    async itemStates(id) {
      const rows = await database
        .selectFrom('rerate_item')
        .select(['state', ({ fn }) => fn.countAll<bigint>().as('items')])
        .where('run', '=', id)
        .groupBy('state')
        .execute();
      return new Map(rows.map(({ state, items }) => [state, numberOf(items)]));
    },
    async totals(id) {
      const rows = await readSums<SumRow>(
        database,
        sql`where run = ${id} group by currency order by currency`,
        sql``,
      );
      return rows.map(toSum);
    },
    sumsByPayer: (id) => walkPayerSums(database, id),
    sumsByRate: (id) => walkRateSums(database, id),
    async biggest(id, count) {
      const rows = await database
        .selectFrom('rerate_item')
        .select(ITEM_COLUMNS)
        .where('run', '=', id)
        .orderBy(sql`abs(price_after - price_before)`, 'desc')
        .orderBy('payer')
        .orderBy('leg_uuid')
        .limit(count)
        .execute();
      return rows.map(toStoredItem);
    },
    items: (id) => walkItems(database, id),
    appliedTo: (legs) => readApplied(database, legs),
  };
}

const ITEM_COLUMNS = [
  'payer',
  'leg_uuid',
  'state',
  'admitted_at',
  'destination',
  'version_before',
  'price_before',
  'price_after',
  'currency',
  'tariff',
  'prefix',
] as const satisfies readonly (keyof RerateItemRow)[];

type SumRow = {
  readonly currency: string;
  readonly charges: bigint;
  readonly before: bigint;
  readonly after: bigint;
};

async function readApplied(
  database: Kysely<Schema>,
  legs: readonly LegUuid[],
): Promise<readonly AppliedItem[]> {
  const applied: AppliedItem[] = [];
  for (const slice of slicesOf(legs)) {
    const rows = await database
      .selectFrom('rerate_item')
      .select(['run', 'leg_uuid', 'payer', 'version_before', 'applied_at', 'reverted_at'])
      .where('leg_uuid', 'in', slice)
      .where('applied_at', 'is not', null)
      .execute();
    applied.push(...rows.flatMap((row) => toAppliedItem(row) ?? []));
  }
  return applied;
}

/** PostgreSQL sums to a numeric, which its driver would hand over as text. */
async function readSums<Row extends SumRow>(
  database: Kysely<Schema>,
  which: RawBuilder<unknown>,
  by: RawBuilder<unknown>,
): Promise<readonly Row[]> {
  const { rows } = await sql<Row>`
    select ${by} currency, count(*) as charges, cast(sum(price_before) as bigint) as before,
      cast(sum(price_after) as bigint) as after
    from rerate_item ${which}`.execute(database);
  return rows;
}

function toSum({ currency, charges, before, after }: SumRow): RerateSum {
  return { currency, charges: numberOf(charges), before: toMicros(before), after: toMicros(after) };
}

async function* walkPayerSums(
  database: Kysely<Schema>,
  id: RerateRunId,
): AsyncGenerator<RerateSum & { readonly payer: AccountPath }> {
  type Row = SumRow & { readonly payer: AccountPath };
  const pages = walkPages(
    (after: Row | undefined, limit) =>
      readSums<Row>(
        database,
        sql`where run = ${id} and (payer, currency) > (${after?.payer ?? ''}, ${after?.currency ?? ''})
          group by payer, currency order by payer, currency limit ${limit}`,
        sql`payer,`,
      ),
    (row) => row,
  );
  for await (const rows of pages) {
    for (const row of rows) yield { payer: row.payer, ...toSum(row) };
  }
}

/** There are as many rates as a tariff has at most: they are read at once. */
async function* walkRateSums(database: Kysely<Schema>, id: RerateRunId): AsyncGenerator<RerateSum & RatedBy> {
  const rows = await readSums<
    SumRow & { readonly tariff: TariffName | null; readonly prefix: string | null }
  >(
    database,
    sql`where run = ${id} group by tariff, prefix, currency order by tariff, prefix, currency`,
    sql`tariff, prefix,`,
  );
  for (const row of rows) {
    yield { tariff: row.tariff ?? undefined, prefix: row.prefix ?? undefined, ...toSum(row) };
  }
}

async function* walkItems(database: Kysely<Schema>, id: RerateRunId): AsyncGenerator<StoredItem> {
  const pages = walkPages(
    (after: { readonly payer: AccountPath; readonly leg_uuid: LegUuid } | undefined, limit) => {
      let select = database.selectFrom('rerate_item').select(ITEM_COLUMNS).where('run', '=', id);
      if (after !== undefined)
        select = select.where(sql<boolean>`(payer, leg_uuid) > (${after.payer}, ${after.leg_uuid})`);
      return select.orderBy('payer').orderBy('leg_uuid').limit(limit).execute();
    },
    (row) => row,
  );
  for await (const rows of pages) yield* rows.map(toStoredItem);
}
