import { createHash } from 'node:crypto';
import { setImmediate as otherWork } from 'node:timers/promises';
import type { Kysely, Transaction } from 'kysely';
import type { RatePeriod } from '../rating/rate-period.ts';
import type { Rate, TariffVersion } from '../rating/rate.ts';
import type {
  ImportVerdict,
  TariffImport,
  TariffStore,
  TariffVersionSummary,
} from '../rating/tariff-store.ts';
import type { TariffName } from '../units/ids.ts';
import { toMicros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';
import {
  idCell,
  integerCell,
  jsonCell,
  momentOf,
  numberOf,
  optionalIntegerCell,
  optionalMicrosOf,
  optionalNumberOf,
  textCell,
  valueOfJson,
} from '../sql/cell.ts';
import { toRounding } from '../sql-records/charge-rows.ts';
import { bumpRevision, readRevision } from '../sql/revision.ts';
import type { RateRow, Schema, TariffRow } from '../sql/schema.ts';

/** Rows of one insert: 17 parameters each, well under SQLite's 32,766 and PostgreSQL's 65,535. */
const RATES_PER_INSERT = 400;
/** Rows of one read: some milliseconds, during which nothing else of the process runs. */
const RATES_PER_READ = 2_000;

export function createTariffStore(database: Kysely<Schema>): TariffStore {
  const loadVersion = async (tariff: TariffName, version: number): Promise<TariffVersion | undefined> => {
    const row = await database
      .selectFrom('tariff')
      .selectAll()
      .where('tariff', '=', tariff)
      .where('version', '=', integerCell(version))
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const { rateCount: _, ...summary } = toSummary(row);
    return { ...summary, rates: await loadRates(database, row) };
  };
  const inForce = async (tariff: TariffName, at: EpochMs): Promise<TariffVersionSummary | undefined> => {
    const row = await database
      .selectFrom('tariff')
      .selectAll()
      .where('tariff', '=', tariff)
      .where('starts_at', '<=', integerCell(at))
      .orderBy('starts_at', 'desc')
      .orderBy('version', 'desc')
      .limit(1)
      .executeTakeFirst();
    return row === undefined ? undefined : toSummary(row);
  };
  return {
    importVersion: (version) => importVersion(database, version),
    listTariffs: async () => {
      const rows = await database
        .selectFrom('tariff as latest')
        .selectAll()
        .where('version', '=', (query) =>
          query
            .selectFrom('tariff')
            .select(({ fn }) => fn.max('tariff.version').as('version'))
            .whereRef('tariff.tariff', '=', 'latest.tariff'),
        )
        .orderBy('tariff')
        .execute();
      return rows.map(toSummary);
    },
    versions: async (tariff) => {
      const query = database.selectFrom('tariff').selectAll().where('tariff', '=', tariff);
      return (await query.orderBy('version').execute()).map(toSummary);
    },
    loadVersion,
    inForce,
    loadInForce: async (tariff, at) => {
      const summary = await inForce(tariff, at);
      return summary === undefined ? undefined : loadVersion(tariff, summary.version);
    },
    revision: () => readRevision(database, 'tariffs'),
  };
}

async function importVersion(database: Kysely<Schema>, version: TariffImport): Promise<ImportVerdict> {
  const misplaced = version.rates.find((rate, index) => rate.id !== index + 1);
  if (misplaced !== undefined) return { kind: 'refused', reason: 'rate_ids', rateId: misplaced.id };
  const digest = await digestOf(version);
  return database.transaction().execute(async (trx) => {
    const latest = await trx
      .selectFrom('tariff')
      .selectAll()
      .where('tariff', '=', version.tariff)
      .orderBy('version', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (latest?.digest === digest) return { kind: 'unchanged', version: numberOf(latest.version) };
    if (latest !== undefined && latest.currency !== version.currency) {
      return { kind: 'refused', reason: 'currency_fixed', currency: latest.currency };
    }
    const number = latest === undefined ? 1n : latest.version + 1n;
    await trx
      .insertInto('tariff')
      .values(toTariffRow(version, number, digest))
      .execute();
    await insertRates(trx, version, number);
    await bumpRevision(trx, 'tariffs');
    return { kind: 'imported', version: numberOf(number) };
  });
}

async function insertRates(trx: Transaction<Schema>, tariff: TariffImport, version: bigint): Promise<void> {
  for (let start = 0; start < tariff.rates.length; start += RATES_PER_INSERT) {
    const rows = tariff.rates
      .slice(start, start + RATES_PER_INSERT)
      .map((rate) => toRateRow(rate, tariff.tariff, version));
    await trx.insertInto('rate').values(rows).execute();
    await otherWork();
  }
}

async function loadRates(database: Kysely<Schema>, tariff: TariffRow): Promise<readonly Rate[]> {
  const rates: Rate[] = [];
  for (;;) {
    // A version never changes, so pages read one after the other are of one piece.
    const rows = await database
      .selectFrom('rate')
      .selectAll()
      .where('tariff', '=', tariff.tariff)
      .where('version', '=', tariff.version)
      .where('id', '>', BigInt(rates.at(-1)?.id ?? 0))
      .orderBy('id')
      .limit(RATES_PER_READ)
      .execute();
    for (const row of rows) rates.push(toRate(row));
    if (rows.length < RATES_PER_READ) return rates;
    await otherWork();
  }
}

/** Over the content as the tables hold it; the order of the rates is part of it. */
async function digestOf(version: TariffImport): Promise<string> {
  const { tariff, currency, rounding, startsAt, zone } = version;
  const hash = createHash('sha256');
  hash.update(JSON.stringify([tariff, currency, rounding.mode, rounding.decimals, startsAt, zone]));
  for (let start = 0; start < version.rates.length; start += RATES_PER_INSERT) {
    for (const rate of version.rates.slice(start, start + RATES_PER_INSERT)) {
      const cells = Object.values(toRateRow(rate, tariff, 0n));
      hash.update(JSON.stringify(cells.map((cell) => (typeof cell === 'bigint' ? `${cell}` : [cell]))));
    }
    await otherWork();
  }
  return hash.digest('hex');
}

function toTariffRow(version: TariffImport, number: bigint, digest: string): TariffRow {
  return {
    tariff: idCell(version.tariff),
    version: number,
    currency: textCell(version.currency),
    rounding_mode: version.rounding.mode,
    rounding_decimals: integerCell(version.rounding.decimals),
    starts_at: integerCell(version.startsAt),
    zone: textCell(version.zone),
    rate_count: BigInt(version.rates.length),
    digest,
  };
}

function toSummary(row: TariffRow): TariffVersionSummary {
  return {
    tariff: row.tariff,
    version: numberOf(row.version),
    currency: row.currency,
    rounding: toRounding(row),
    startsAt: momentOf(row.starts_at),
    zone: row.zone,
    rateCount: numberOf(row.rate_count),
  };
}

function toRateRow(rate: Rate, tariff: TariffName, version: bigint): RateRow {
  return {
    tariff,
    version,
    id: integerCell(rate.id),
    prefix: textCell(rate.prefix),
    description: textCell(rate.description),
    per_minute: rate.perMinute,
    surcharge: rate.surcharge ?? null,
    minimum_seconds: optionalIntegerCell(rate.minimumSeconds),
    increment_seconds: optionalIntegerCell(rate.incrementSeconds),
    grace_seconds: optionalIntegerCell(rate.graceSeconds),
    direction: rate.direction ?? null,
    routes: jsonCell(rate.routes),
    options: jsonCell(rate.options),
    weight: optionalIntegerCell(rate.weight),
    period_days: optionalIntegerCell(rate.period?.days),
    period_from: optionalIntegerCell(rate.period?.fromMinute),
    period_until: optionalIntegerCell(rate.period?.untilMinute),
  };
}

export function toRate(row: RateRow): Rate {
  return {
    id: numberOf(row.id),
    prefix: row.prefix,
    description: row.description,
    perMinute: toMicros(row.per_minute),
    surcharge: optionalMicrosOf(row.surcharge),
    minimumSeconds: optionalNumberOf(row.minimum_seconds),
    incrementSeconds: optionalNumberOf(row.increment_seconds),
    graceSeconds: optionalNumberOf(row.grace_seconds),
    direction: row.direction ?? undefined,
    routes: valueOfJson(row.routes),
    options: valueOfJson(row.options),
    weight: optionalNumberOf(row.weight),
    period: periodOf(row),
  };
}

function periodOf({ period_days, period_from, period_until }: RateRow): RatePeriod | undefined {
  return period_days === null || period_from === null || period_until === null
    ? undefined
    : {
        days: numberOf(period_days),
        fromMinute: numberOf(period_from),
        untilMinute: numberOf(period_until),
      };
}
