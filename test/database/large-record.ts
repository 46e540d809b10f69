import { sql, type Kysely } from 'kysely';
import { createRecordWriter } from '../../src/sql-records/record-writer.ts';
import type { Schema } from '../../src/sql/schema.ts';
import { DEFAULT_ROUNDING } from '../../src/rating/price.ts';
import type { TariffImport } from '../../src/rating/tariff-store.ts';
import { toMicros } from '../../src/units/money.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { account, leg, NOON, settlementOf, tariffName } from '../records/samples.ts';

/** Tenants of a large record: each has resellers, and each of those people who call. */
const TENANTS = 20;
const RESELLERS = 10;

export type LargeRecordOptions = {
  readonly calls: number;
  /** Of each reseller. */
  readonly people: number;
  /** Of a tenant beside the others, `rare`, whose calls are this many over the whole year. */
  readonly rareCalls: number;
};

export const YEAR_FROM = Date.UTC(2025, 0, 1);
export const YEAR_MS = 365 * 86_400_000;

const SAMPLE = 'sample';
const ACCOUNT = `root || '/' || reseller || '/' || person`;
const PREFIX = 490;
/** The first digits behind the prefix, which tell the rate: 0 to 429. */
const AREAS = 430;
const AREA = 'n / 10000000';
const AREA_DIGITS = 3;
/** A minute of each area costs so much more than of the one before. */
const MINUTE_MICROS = 100n;
const BILLED = '(1 + n % 600)';
const MINUTES = '((n % 600 + 60) / 60)';
const PRICE = `(${AREA} + 1) * ${MINUTES} * ${MINUTE_MICROS}`;

/** What differs from call to call; all else is as in the sample. */
const CHANGES = {
  cdr: {
    leg_uuid: 'leg',
    leg_key: `'a' || h || '.1:b0'`,
    a_leg: `'a' || h`,
    account: ACCOUNT,
    dialled: `'00' || cast(n + ${PREFIX}0000000000 as text)`,
    destination: `cast(n + ${PREFIX}0000000000 as text)`,
    admitted_at: 'moment',
    answered_at: 'moment + 5000',
    ended_at: `moment + 5000 + ${BILLED} * 1000 - 600`,
    bill_microseconds: `${BILLED} * 1000000 - 600000`,
    billsec: `${BILLED} - 1`,
    billed_seconds: BILLED,
  },
  charge: {
    leg_uuid: 'leg',
    admitted_at: 'moment',
    payer: ACCOUNT,
    transfer_id: `'charge:' || leg`,
    rate_id: `${AREA} + 1`,
    prefix: `'${PREFIX}' || substr(cast(1000 + ${AREA} as text), 2, ${AREA_DIGITS})`,
    per_minute: `(${AREA} + 1) * ${MINUTE_MICROS}`,
    billed_seconds: BILLED,
    charged_seconds: `${MINUTES} * 60`,
    price: PRICE,
  },
  transfer: {
    id: `'charge:' || leg`,
    debit: `'wallet:' || ${ACCOUNT}`,
    credit: `'revenue:' || root`,
    amount: PRICE,
    at: 'moment',
    reference: 'leg',
  },
  decision: { id: `'d' || h`, a_leg: `'a' || h`, account: ACCOUNT, at: 'moment' },
} as const;

/** By which the calls were charged; `times` the price. */
export function largeTariff(times = 1n): TariffImport {
  const rates = Array.from({ length: AREAS }, (_, area) => ({
    id: area + 1,
    prefix: `${PREFIX}${`${area}`.padStart(AREA_DIGITS, '0')}`,
    description: '',
    perMinute: toMicros(BigInt(area + 1) * MINUTE_MICROS * times),
    surcharge: undefined,
    minimumSeconds: undefined,
    incrementSeconds: undefined,
    graceSeconds: undefined,
    direction: undefined,
    routes: [],
    options: [],
    weight: undefined,
    period: undefined,
  }));
  const when = { currency: 'EUR', zone: 'UTC', startsAt: toEpochMs(0), rounding: DEFAULT_ROUNDING };
  return { ...when, tariff: tariffName('retail'), rates };
}

/** Everybody who calls in it, and those above them. Who calls pays. */
export function largeAccounts({
  people,
}: Pick<LargeRecordOptions, 'people'>): readonly Readonly<Record<string, unknown>>[] {
  const tenants = [...numbered('t', TENANTS), 'rare'];
  return tenants.flatMap((tenant) => [
    { account: tenant },
    ...numbered(`${tenant}/s`, RESELLERS).flatMap((reseller) => [
      { account: reseller },
      ...numbered(`${reseller}/u`, people).map((person) => ({
        account: person,
        wallet: 'EUR',
        tariff: 'retail',
      })),
    ]),
  ]);
}

function numbered(name: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, number) => `${name}${number}`);
}

/**
 * Fills an empty record with so many calls, evenly over a year and over all people in no order, each with its charge by the
 * tariff, a
 * transfer and a decision. Ids are scattered as uuids are. By statements of the database's own, the same for both.
 */
export async function fillLargeRecord(database: Kysely<Schema>, options: LargeRecordOptions): Promise<void> {
  const settlement = settlementOf({ leg: SAMPLE });
  const decision = {
    id: SAMPLE,
    at: NOON,
    kind: 'admission',
    verdict: 'admitted',
    aLeg: leg(SAMPLE),
    legUuid: undefined,
    account: account('acme/alice'),
    reason: '',
    inputs: {},
  } as const;
  await createRecordWriter(database).writeBatch({ settlements: [settlement], decisions: [decision] });
  for (const [table, changes] of Object.entries(CHANGES)) {
    const { rows } = await sql<Readonly<Record<string, unknown>>>`select * from ${sql.table(table)}`.execute(
      database,
    );
    const changed: Readonly<Record<string, string>> = changes;
    const columns = Object.keys(rows[0] ?? {});
    const values = columns.map((column) => changed[column] ?? `sample.${column}`);
    const written = `insert into ${table} (${columns.join(', ')})
      ${callsSource(options)} select ${values.join(', ')} from calls, (select * from ${table}) as sample`;
    await sql.raw(written).execute(database);
  }
  // Children before parents.
  for (const [table, id] of [
    ['decision', 'id'],
    ['transfer', 'reference'],
    ['charge', 'leg_uuid'],
    ['cdr', 'leg_uuid'],
  ] as const) {
    await sql`delete from ${sql.table(table)} where ${sql.ref(id)} = ${SAMPLE}`.execute(database);
  }
}

function callsSource({ calls, people, rareCalls }: LargeRecordOptions): string {
  // Odd, so that no two of the first 4,294,967,296 numbers become the same one.
  const scattered = 'cast(i as bigint) * 2654435761 % 4294967296';
  const digit = (of: string, count: number): string => `cast(${of} % ${count} as text)`;
  return `with recursive numbers(i) as (select 1 union all select i + 1 from numbers where i < ${calls}),
    scattered as (select i, ${scattered} as n from numbers),
    calls as (
      select n, 'l' || cast(n as text) as leg, cast(n as text) as h,
        case when i % ${Math.floor(calls / rareCalls)} = 0 then 'rare' else 't' || ${digit('n', TENANTS)} end as root,
        's' || ${digit(`n / ${TENANTS}`, RESELLERS)} as reseller,
        'u' || ${digit(`n / ${TENANTS * RESELLERS}`, people)} as person,
        ${YEAR_FROM} + cast(i as bigint) * ${YEAR_MS} / ${calls + 1} as moment
      from scattered)`;
}
