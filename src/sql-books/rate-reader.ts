import type { Kysely } from 'kysely';
import type { ChargeEvidence } from '../records/evidence.ts';
import { toRounding } from '../sql-records/charge-rows.ts';
import type { ChargeRow, Schema } from '../sql/schema.ts';
import { toRate } from './tariff-tables.ts';

/** So many rates are kept: most charges of a walk name few of them. */
const RATES_KEPT_MAX = 20_000;

type NamedRate = ChargeEvidence['rate'];
type Naming = Pick<ChargeRow, 'tariff' | 'tariff_version' | 'rate_id'>;

/** Finds the rates that charges name, a page of charges at a time. A version never changes, so what was read stays. */
export function createRateReader(database: Kysely<Schema>): {
  ratesOf(rows: readonly Naming[]): Promise<(row: Naming) => NamedRate>;
} {
  const known = new Map<string, NamedRate>();
  return {
    async ratesOf(rows) {
      if (known.size > RATES_KEPT_MAX) known.clear();
      const missing = rows.filter((row) => row.rate_id !== null && !known.has(nameOf(row)));
      for (const group of Map.groupBy(missing, versionName).values()) await read(group);
      return (row) => known.get(nameOf(row));
    },
  };

  /** Rates of one version. */
  async function read(rows: readonly Naming[]): Promise<void> {
    const [{ tariff, tariff_version: version } = { tariff: null, tariff_version: null }] = rows;
    if (tariff === null || version === null) return;
    const head = await database
      .selectFrom('tariff')
      .select(['currency', 'rounding_mode', 'rounding_decimals'])
      .where('tariff', '=', tariff)
      .where('version', '=', version)
      .executeTakeFirst();
    if (head === undefined) return;
    const ids = [...new Set(rows.flatMap(({ rate_id: id }) => (id === null ? [] : [id])))];
    const rates = await database
      .selectFrom('rate')
      .selectAll()
      .where('tariff', '=', tariff)
      .where('version', '=', version)
      .where('id', 'in', ids)
      .execute();
    const terms = { currency: head.currency, rounding: toRounding(head) };
    for (const row of rates) {
      const name = nameOf({ tariff, tariff_version: version, rate_id: row.id });
      known.set(name, { version: terms, rate: toRate(row) });
    }
  }
}

function nameOf(row: Naming): string {
  return `${versionName(row)} ${row.rate_id}`;
}

function versionName({ tariff, tariff_version: version }: Naming): string {
  return `${tariff} ${version}`;
}
