import { sql, type Kysely, type SelectQueryBuilder } from 'kysely';
import type { CdrQuery, Page } from '../records/record-store.ts';
import type { Cdr } from '../records/records.ts';
import type { AccountPath, LegUuid } from '../units/ids.ts';
import { addMs } from '../units/time.ts';
import { momentOf } from '../sql/cell.ts';
import { pageOf, pageShape, rangeAfter, subtreeRange } from '../sql/paging.ts';
import { toCdr } from './record-rows.ts';
import type { CdrRow, Schema } from '../sql/schema.ts';

/**
 * A page of a subtree is looked for in the order of time, among everybody's calls. Where that would pass more than so
 * many others for each of its own, its accounts are asked one by one instead.
 */
const OTHERS_PASSED_MAX = 50;
/** Accounts asked in one query. SQLite joins at most 500 answers. */
const ACCOUNTS_PER_QUERY = 200;

type Key = Pick<CdrRow, 'admitted_at' | 'leg_uuid'>;
type Shape = ReturnType<typeof pageShape>;

/** See `RecordReader.cdrs`. Every way to a page is along an index, and ends with the page or soon after it. */
export async function readCdrs(database: Kysely<Schema>, query: CdrQuery): Promise<Page<Cdr>> {
  const shape = pageShape(query);
  const rows =
    query.scope === 'account'
      ? await ordered(inRange(database, query).where('account', '=', query.account), shape)
          .selectAll()
          .execute()
      : await readSubtree(database, query, shape);
  return pageOf(rows.map(toCdr), shape.limit, (cdr) => ({ at: cdr.admittedAt, id: cdr.legUuid }));
}

async function readSubtree(
  database: Kysely<Schema>,
  query: CdrQuery,
  shape: Shape,
): Promise<readonly CdrRow[]> {
  const below = subtreeRange(query.account);
  const horizon = await ordered(inRange(database, query), shape)
    .clearLimit()
    .select('admitted_at')
    .limit(1)
    .offset(shape.limit * OTHERS_PASSED_MAX)
    .executeTakeFirst();
  const near = inRange(database, upTo(query, horizon)).where((where) =>
    where.or([
      where('account', '=', query.account),
      where.and([where('account', '>=', below.from), where('account', '<', below.to)]),
    ]),
  );
  const rows = await ordered(near, shape).selectAll().execute();
  if (horizon === undefined || rows.length === shape.limit) return rows;
  const keys = await keysByAccount(database, query, shape);
  if (keys.length === 0) return [];
  const legs = keys.map((key) => key.leg_uuid);
  return await ordered(database.selectFrom('cdr').where('leg_uuid', 'in', legs), shape)
    .selectAll()
    .execute();
}

/** In the terms of the range itself, for the reason of `rangeAfter`. */
function upTo(query: CdrQuery, horizon: Pick<CdrRow, 'admitted_at'> | undefined): CdrQuery {
  if (horizon === undefined) return query;
  const at = momentOf(horizon.admitted_at);
  return query.order === 'oldest_first' ? { ...query, to: at } : { ...query, from: addMs(at, 1) };
}

/** The first keys of the page among those that each account has to offer. */
async function keysByAccount(
  database: Kysely<Schema>,
  query: CdrQuery,
  shape: Shape,
): Promise<readonly Key[]> {
  let keys: readonly Key[] = [];
  let after = query.account;
  for (let accounts = [query.account]; ;) {
    const offers = accounts.map((account) =>
      ordered(inRange(database, query).where('account', '=', account), shape).select([
        'admitted_at',
        'leg_uuid',
      ]),
    );
    const arms = offers.map((offer) => sql`select * from (${offer}) as offered`);
    const offered = await sql<Key>`
      select * from (${sql.join(arms, sql` union all `)}) as keys
      order by admitted_at ${sql.raw(shape.direction)}, leg_uuid ${sql.raw(shape.direction)}
      limit ${shape.limit}`.execute(database);
    keys = [...keys, ...offered.rows].toSorted(inOrder(shape.direction)).slice(0, shape.limit);
    accounts = await accountsWithCalls(database, query.account, after);
    const last = accounts.at(-1);
    if (last === undefined) return keys;
    after = last;
  }
}

/** The next accounts of a subtree that ever had a call: from one to the next along the index, past all their calls. */
async function accountsWithCalls(
  database: Kysely<Schema>,
  top: AccountPath,
  after: AccountPath,
): Promise<AccountPath[]> {
  const { from, to } = subtreeRange(top);
  const start = after === top ? from : after;
  const { rows } = await sql<{ readonly account: AccountPath }>`
    with recursive found(account) as (
      select min(account) from cdr where account > ${start} and account < ${to}
      union all
      select (select min(account) from cdr where account > found.account and account < ${to})
        from found where found.account is not null
    )
    select account from found where account is not null limit ${ACCOUNTS_PER_QUERY}`.execute(database);
  return rows.map(({ account }) => account);
}

function inRange(database: Kysely<Schema>, query: CdrQuery): Select {
  return database.selectFrom('cdr').where(rangeAfter(['admitted_at', 'leg_uuid'], query));
}

type Select = SelectQueryBuilder<Schema, 'cdr', object>;

function ordered(select: Select, { direction, limit }: Shape): Select {
  return select.orderBy('admitted_at', direction).orderBy('leg_uuid', direction).limit(limit);
}

/** Leg uuids are of letters whose order is the same everywhere. */
function inOrder(direction: Shape['direction']): (a: Key, b: Key) => number {
  const ascending = (a: Key, b: Key): number => {
    if (a.admitted_at !== b.admitted_at) return a.admitted_at < b.admitted_at ? -1 : 1;
    return compareLegs(a.leg_uuid, b.leg_uuid);
  };
  return direction === 'asc' ? ascending : (a, b) => ascending(b, a);
}

function compareLegs(a: LegUuid, b: LegUuid): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
