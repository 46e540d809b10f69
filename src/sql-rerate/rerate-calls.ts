import { setImmediate as otherWork } from 'node:timers/promises';
import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { PricedPart } from '../charging/finished-call.ts';
import type { RerateFilter } from '../charging/rerate-run.ts';
import type { PricedCall } from '../charging/rerate-store.ts';
import type { Charge } from '../records/records.ts';
import type { LegUuid } from '../units/ids.ts';
import { toMicros } from '../units/money.ts';
import { momentOf, numberOf, valueOfJson } from '../sql/cell.ts';
import { toCharge } from '../sql-records/charge-rows.ts';
import { rangeAfter, slicesOf, subtreeRange } from '../sql/paging.ts';
import type { CdrRow, ChargeRow, Schema } from '../sql/schema.ts';

/**
 * What is read at once: large enough that the statement costs nothing beside its rows. Of larger pages much outlives
 * the collection of what is young, and the process grows.
 */
const CALLS_PER_PAGE = 500;

export async function countCalls(database: Kysely<Schema>, filter: RerateFilter): Promise<number> {
  const { rows } = await sql<{ readonly calls: bigint }>`
    select count(*) as calls from cdr where ${matching(filter)}`.execute(database);
  return numberOf(rows[0]?.calls ?? 0n);
}

/**
 * The columns that a price depends on and no others, for a month of calls is read by this. Calls and their charges
 * are read side by side in the order of their admission: to look for each charge by its leg would read the disk all
 * over. A page is some milliseconds, and then other work runs.
 */
export async function* walkPricedCalls(
  database: Kysely<Schema>,
  filter: RerateFilter,
): AsyncGenerator<readonly PricedCall[]> {
  let after: CallRow | undefined;
  for (;;) {
    const calls = await readCalls(database, filter, after);
    if (calls.length > 0) yield withParts(calls, await readParts(database, filter, calls));
    after = calls.at(-1);
    if (calls.length < CALLS_PER_PAGE) return;
    await otherWork();
  }
}

const CALL_COLUMNS = [
  'leg_uuid',
  'account',
  'direction',
  'dialled',
  'destination',
  'routes',
  'options',
  'admitted_at',
  'answered_at',
  'billed_seconds',
] as const satisfies readonly (keyof CdrRow)[];
type CallRow = Pick<CdrRow, (typeof CALL_COLUMNS)[number]>;

const PART_COLUMNS = [
  'leg_uuid',
  'payer',
  'version',
  'segment',
  'tariff',
  'tariff_version',
  'rate_id',
  'currency',
  'discount_ppm',
  'billed_seconds',
  'price',
] as const satisfies readonly (keyof ChargeRow)[];
type PartRow = Pick<ChargeRow, (typeof PART_COLUMNS)[number]>;

function readCalls(
  database: Kysely<Schema>,
  filter: RerateFilter,
  after: CallRow | undefined,
): Promise<readonly CallRow[]> {
  const select = database.selectFrom('cdr').select(CALL_COLUMNS).where(matching(filter, after));
  return select.orderBy('admitted_at').orderBy('leg_uuid').limit(CALLS_PER_PAGE).execute();
}

/** Every version of the charges of these calls, in no order. */
function readParts(
  database: Kysely<Schema>,
  { account, prefix }: RerateFilter,
  calls: readonly CallRow[],
): Promise<readonly PartRow[]> {
  const select = database.selectFrom('charge').select(PART_COLUMNS);
  const legs = calls.map((call) => call.leg_uuid);
  const [first, last] = [calls[0], calls.at(-1)];
  const isEvery = account === undefined && prefix === undefined;
  // Between few calls of many lie the charges of all the others.
  const wanted =
    isEvery && first !== undefined && last !== undefined
      ? select.where(
          sql<boolean>`(admitted_at, leg_uuid) >= (${first.admitted_at}, ${first.leg_uuid})
            and (admitted_at, leg_uuid) <= (${last.admitted_at}, ${last.leg_uuid})`,
        )
      : select.where('leg_uuid', 'in', legs);
  return wanted.execute();
}

export function matching(
  { from, to, account, prefix }: RerateFilter,
  after?: Pick<CdrRow, 'admitted_at' | 'leg_uuid'>,
): RawBuilder<boolean> {
  const cursor = after && { at: after.admitted_at, id: after.leg_uuid };
  const parts = [rangeAfter(['admitted_at', 'leg_uuid'], { from, to, after: cursor })];
  if (account !== undefined) {
    const below = subtreeRange(account);
    parts.push(sql`(account = ${account} or (account >= ${below.from} and account < ${below.to}))`);
  }
  if (prefix !== undefined) parts.push(sql`substr(destination, 1, ${BigInt(prefix.length)}) = ${prefix}`);
  return sql<boolean>`${sql.join(parts, sql` and `)}`;
}

function withParts(calls: readonly CallRow[], rows: readonly PartRow[]): readonly PricedCall[] {
  const byLeg = Map.groupBy(rows, (row) => row.leg_uuid);
  return calls.map((call) => ({ call: callOf(call), parts: partsOf(byLeg.get(call.leg_uuid) ?? []) }));
}

function callOf(row: CallRow): PricedCall['call'] {
  return {
    legUuid: row.leg_uuid,
    account: row.account,
    direction: row.direction,
    dialled: row.dialled,
    destination: row.destination,
    routes: listOf(row.routes),
    options: listOf(row.options),
    admittedAt: momentOf(row.admitted_at),
    answeredAt: row.answered_at === null ? undefined : momentOf(row.answered_at),
    billedSeconds: numberOf(row.billed_seconds),
  };
}

function partsOf(rows: readonly PartRow[]): readonly PricedPart[] {
  const parts: PricedPart[] = [];
  for (const row of rows) {
    const { payer, segment, tariff, currency, price } = row;
    // Paid otherwise than per minute it has no tariff, and no price.
    if (tariff === null || currency === null || isSuperseded(row, rows)) continue;
    parts.push({
      payer,
      segment: numberOf(segment),
      tariff,
      tariffVersion: Number(row.tariff_version),
      rateId: Number(row.rate_id),
      currency,
      discountPpm: Number(row.discount_ppm),
      billedSeconds: numberOf(row.billed_seconds),
      price: toMicros(price),
    });
  }
  return parts;
}

/** Most legs have one charge, and nothing to be compared with. */
function isSuperseded({ payer, version }: PartRow, rows: readonly PartRow[]): boolean {
  return rows.length > 1 && rows.some((other) => payer === other.payer && version < other.version);
}

/** Calls differ little in their routes and options: each text is read once. */
const knownLists = new Map<string, readonly string[]>();
const KNOWN_LISTS_MAX = 10_000;

function listOf(cell: CdrRow['routes' | 'options']): readonly string[] {
  const known = knownLists.get(cell);
  if (known !== undefined) return known;
  const list = valueOfJson(cell);
  if (knownLists.size >= KNOWN_LISTS_MAX) knownLists.clear();
  knownLists.set(cell, list);
  return list;
}

export async function readChargesInForce(
  database: Kysely<Schema>,
  legs: readonly LegUuid[],
): Promise<ReadonlyMap<LegUuid, readonly Charge[]>> {
  const found = new Map<LegUuid, Charge[]>();
  for (const slice of slicesOf(legs)) {
    const rows = await database
      .selectFrom('charge')
      .selectAll()
      .where('leg_uuid', 'in', slice)
      .orderBy('leg_uuid')
      .orderBy('payer')
      .orderBy('version', 'desc')
      .orderBy('segment')
      .execute();
    for (const row of rows) {
      const charges = found.get(row.leg_uuid) ?? [];
      found.set(row.leg_uuid, charges);
      const charge = toCharge(row);
      // The highest version of a payer comes first.
      const known = charges.find(({ payer }) => payer === charge.payer);
      if (known === undefined || known.version === charge.version) charges.push(charge);
    }
  }
  return found;
}
