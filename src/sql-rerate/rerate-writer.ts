import { sql, type Kysely, type RawBuilder, type Transaction } from 'kysely';
import { stepOf } from '../charging/rerate-step.ts';
import type { RerateState } from '../charging/rerate-run.ts';
import {
  PlannedAnewError,
  type ClaimOutcome,
  type NewRun,
  type RerateClaim,
  type RerateWriter,
  type RunBegun,
  type StepCursor,
  type StepOutcome,
} from '../charging/rerate-store.ts';
import { netOf } from '../records/proof.ts';
import type { Movement } from '../records/record-store.ts';
import { walletLedger, type Charge, type Transfer } from '../records/records.ts';
import type { AccountPath, LegUuid, RerateRunId } from '../units/ids.ts';
import { toMicros } from '../units/money.ts';
import { integerCell, momentOf, valueOfJson } from '../sql/cell.ts';
import { toCharge, toChargeRow } from '../sql-records/charge-rows.ts';
import { insertMovements } from '../sql-records/outbox.ts';
import { slicesOf } from '../sql/paging.ts';
import { toTransferRow } from '../sql-records/record-rows.ts';
import { toItemRow, toRun, toRunRow } from './rerate-rows.ts';
import type { ChargeRow, RerateItemRow, Schema } from '../sql/schema.ts';

/** Items of one transaction: some thousand rows, and other writers wait no longer for it than for a batch of CDRs. */
const ITEMS_PER_STEP = 500;

/** What each direction begins with and makes of an item. */
const STATES = {
  applying: {
    from: 'planned',
    to: 'applied',
    passed: 'stale',
    doneState: 'applied',
    moment: 'applied_at',
  },
  reverting: {
    from: 'applied',
    to: 'reverted',
    passed: 'superseded',
    doneState: 'reverted',
    moment: 'reverted_at',
  },
} as const satisfies Record<RerateClaim['wanted'], object>;

/** Which states lead where; the ones that are missing do not. */
const MAY_BECOME: Readonly<Record<RerateClaim['wanted'], readonly RerateState[]>> = {
  applying: ['planned', 'applying'],
  reverting: ['applied', 'applying', 'reverting'],
};

export function createRerateWriter(database: Kysely<Schema>): RerateWriter {
  const written = <Result>(work: (trx: Transaction<Schema>) => Promise<Result>): Promise<Result> =>
    database.transaction().execute(work);
  return {
    begin: (run) => written((trx) => beginRun(trx, run)),
    addItems: (run, items) =>
      written(async (trx) => {
        const begun = await trx.selectFrom('rerate_run').select('id').where(isBeing(run)).execute();
        if (begun.length === 0) throw new PlannedAnewError(run.id);
        for (const slice of slicesOf(items)) {
          await trx
            .insertInto('rerate_item')
            .values(slice.map((item) => toItemRow(run.id, item)))
            .execute();
        }
      }),
    async finishPlan(run, { calls, unrated, refused, cut }) {
      const finished = await database
        .updateTable('rerate_run')
        .set({
          state: 'planned',
          calls: integerCell(calls),
          unrated: integerCell(unrated),
          refused: integerCell(refused),
          cut: integerCell(cut),
        })
        .where(isBeing(run))
        .executeTakeFirst();
      if (finished.numUpdatedRows === 0n) throw new PlannedAnewError(run.id);
    },
    claim: (claim) => written((trx) => takeClaim(trx, claim)),
    step: (claim, after) => written((trx) => takeStep(trx, claim, after)),
    finish: (claim) =>
      written(async (trx) => {
        const { wanted, run, holder, now } = claim;
        await trx
          .updateTable('rerate_run')
          .set({
            state: STATES[wanted].doneState,
            [STATES[wanted].moment]: integerCell(now),
            holder: null,
            held_until: null,
          })
          .where('id', '=', run)
          .where('state', '=', wanted)
          .where('holder', '=', holder)
          .execute();
      }),
  };
}

async function beginRun(trx: Transaction<Schema>, run: NewRun): Promise<'begun' | 'exists'> {
  const { id, createdAt } = run;
  const known = await trx.selectFrom('rerate_run').selectAll().where('id', '=', id).executeTakeFirst();
  if (known !== undefined) {
    if (known.state !== 'planning' || known.created_at === integerCell(createdAt)) return 'exists';
    await trx.deleteFrom('rerate_item').where('run', '=', id).execute();
    await trx.deleteFrom('rerate_run').where('id', '=', id).execute();
  }
  await trx.insertInto('rerate_run').values(toRunRow(run)).execute();
  return 'begun';
}

/** The run of this name that began then, while it is being planned. */
function isBeing({ id, createdAt }: RunBegun): RawBuilder<boolean> {
  return sql<boolean>`(id = ${id} and created_at = ${integerCell(createdAt)} and state = 'planning')`;
}

async function takeClaim(trx: Transaction<Schema>, claim: RerateClaim): Promise<ClaimOutcome> {
  const { run: id, wanted, holder, now, until } = claim;
  const row = await trx.selectFrom('rerate_run').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) return { kind: 'unknown' };
  const other = await trx
    .selectFrom('rerate_run')
    .select(['id', 'held_until'])
    .where('holder', '<>', holder)
    .where('held_until', '>', integerCell(now))
    .executeTakeFirst();
  if (other !== undefined) {
    return { kind: 'busy', run: other.id, until: momentOf(other.held_until ?? 0n) };
  }
  const { state } = row;
  if (state === STATES[wanted].doneState) return { kind: 'already', state };
  if (!MAY_BECOME[wanted].includes(state)) return { kind: 'refused', state };
  await trx
    .updateTable('rerate_run')
    .set({ state: wanted, holder, held_until: integerCell(until) })
    .where('id', '=', id)
    .execute();
  return { kind: 'held', run: toRun({ ...row, state: wanted }) };
}

async function takeStep(
  trx: Transaction<Schema>,
  claim: RerateClaim,
  after: StepCursor | undefined,
): Promise<StepOutcome> {
  const { run, wanted, holder, now, until } = claim;
  const held = await trx
    .updateTable('rerate_run')
    .set({ held_until: integerCell(until) })
    .where('id', '=', run)
    .where('state', '=', wanted)
    .where('holder', '=', holder)
    .executeTakeFirst();
  if (held.numUpdatedRows === 0n) return { kind: 'lost' };
  const items = await readItems(trx, claim, after);
  const [first] = items;
  const last = items.at(-1);
  if (first === undefined || last === undefined) return { kind: 'over' };
  const standing = await readCharges(trx, first.payer, items);
  const charges: ChargeRow[] = [];
  const transfers: Transfer[] = [];
  const changed: LegUuid[] = [];
  const passed: LegUuid[] = [];
  for (const item of items) {
    const planned = { versionBefore: Number(item.version_before), charges: valueOfJson(item.charges) };
    const step = stepOf(planned, standing.get(item.leg_uuid) ?? [], { wanted, run, at: now });
    if (step.kind === 'passed') passed.push(item.leg_uuid);
    else {
      changed.push(item.leg_uuid);
      const admittedAt = momentOf(item.admitted_at);
      charges.push(...step.charges.map((charge) => toChargeRow(charge, admittedAt)));
      transfers.push(...step.transfers);
    }
  }
  for (const slice of slicesOf(charges)) await trx.insertInto('charge').values(slice).execute();
  for (const slice of slicesOf(transfers))
    await trx.insertInto('transfer').values(slice.map(toTransferRow)).execute();
  const movements = movementsOf(claim, first, transfers);
  await insertMovements(trx, movements);
  const { to, moment, passed: left } = STATES[wanted];
  await setItems(trx, run, { payer: first.payer, legs: changed }, { state: to, [moment]: integerCell(now) });
  await setItems(trx, run, { payer: first.payer, legs: passed }, { state: left });
  const cursor = { payer: last.payer, legUuid: last.leg_uuid };
  return { kind: 'stepped', cursor, changed: changed.length, passed: passed.length, movements };
}

/** The next items of the first payer that has any: what they move is one movement of its wallet. */
async function readItems(
  trx: Transaction<Schema>,
  { run, wanted }: RerateClaim,
  after: StepCursor | undefined,
): Promise<readonly RerateItemRow[]> {
  let select = trx
    .selectFrom('rerate_item')
    .selectAll()
    .where('run', '=', run)
    .where('state', '=', STATES[wanted].from);
  if (after !== undefined) {
    select = select.where(sql<boolean>`(payer, leg_uuid) > (${after.payer}, ${after.legUuid})`);
  }
  const rows = await select.orderBy('payer').orderBy('leg_uuid').limit(ITEMS_PER_STEP).execute();
  return rows.filter(({ payer }) => payer === rows[0]?.payer);
}

async function readCharges(
  trx: Transaction<Schema>,
  payer: AccountPath,
  items: readonly RerateItemRow[],
): Promise<ReadonlyMap<LegUuid, readonly Charge[]>> {
  const rows = await trx
    .selectFrom('charge')
    .selectAll()
    .where(
      'leg_uuid',
      'in',
      items.map((item) => item.leg_uuid),
    )
    .where('payer', '=', payer)
    .orderBy('leg_uuid')
    .orderBy('version')
    .orderBy('segment')
    .execute();
  return Map.groupBy(rows.map(toCharge), ({ legUuid }) => legUuid);
}

/** Named by the first leg, which no other step of this run and direction has. */
function movementsOf(
  { run, wanted }: RerateClaim,
  first: RerateItemRow,
  transfers: readonly Transfer[],
): readonly Movement[] {
  const { payer: account, leg_uuid: leg } = first;
  const currencies = [...new Set(transfers.map(({ currency }) => currency))];
  return currencies.flatMap((currency) => {
    const amount = toMicros(netOf(transfers, walletLedger(account), currency));
    const id = `rerate:${run}:${wanted}:${leg}:${account}:${currency}`;
    return amount === 0n ? [] : [{ id, account, currency, amount }];
  });
}

async function setItems(
  trx: Transaction<Schema>,
  run: RerateRunId,
  { payer, legs }: { readonly payer: AccountPath; readonly legs: readonly LegUuid[] },
  values: Partial<Pick<RerateItemRow, 'state' | 'applied_at' | 'reverted_at'>>,
): Promise<void> {
  if (legs.length === 0) return;
  await trx
    .updateTable('rerate_item')
    .set(values)
    .where('run', '=', run)
    .where('payer', '=', payer)
    .where('leg_uuid', 'in', legs)
    .execute();
}
