import type { Kysely } from 'kysely';
import { LOOPBACKS_MAX, surroundingsOf, type Surroundings } from '../reconcile/surroundings.ts';
import type { SwitchCdr } from '../reconcile/switch-cdr.ts';
import type { LegUuid } from '../units/ids.ts';
import { slicesOf } from '../sql/paging.ts';
import type { Schema } from '../sql/schema.ts';
import { toPlacedCdr } from './switch-rows.ts';
import type { SwitchCdrRow } from '../sql/switch-schema.ts';

/** What is around each of these legs: those that placed them and those that they placed, looked up all together. */
export async function readAround(
  database: Kysely<Schema>,
  legs: readonly SwitchCdr[],
): Promise<(leg: SwitchCdr) => Surroundings> {
  const found = new Map<LegUuid, SwitchCdr>(legs.map((leg) => [leg.uuid, leg]));
  const placers = await readPlacers(database, legs, found);
  await readPlaced(database, [...legs, ...placers], found);
  const byOriginator = Map.groupBy(found.values(), ({ originator }) => originator);
  const byBLeg = new Map([...found.values()].flatMap((leg) => (leg.bLeg ? [[leg.bLeg, leg] as const] : [])));
  const named = new Set([...found.keys(), ...legs.flatMap(namedBy)]);
  const charged = await readCharged(database, [...named]);
  return (leg) =>
    surroundingsOf(leg, {
      leg: (uuid) => found.get(uuid),
      placedBy: (uuid) => byOriginator.get(uuid) ?? [],
      bridgedFrom: (uuid) => byBLeg.get(uuid),
      isCharged: (uuid) => charged.has(uuid),
    });
}

function namedBy({ originator, placedLegs }: SwitchCdr): readonly LegUuid[] {
  return originator === undefined ? placedLegs : [originator, ...placedLegs];
}

/** Up to the first that is no loopback. */
async function readPlacers(
  database: Kysely<Schema>,
  legs: readonly SwitchCdr[],
  found: Map<LegUuid, SwitchCdr>,
): Promise<readonly SwitchCdr[]> {
  const placers: SwitchCdr[] = [];
  let below = legs;
  for (let pairs = 0; pairs <= LOOPBACKS_MAX && below.length > 0; pairs += 1) {
    const wanted = below.flatMap(({ originator }) => (originator === undefined ? [] : [originator]));
    const unsaid = below.filter((leg) => leg.direction === undefined).map(({ uuid }) => uuid);
    const above = [
      ...(await readBy(database, 'leg_uuid', wanted, found)),
      ...(await readBy(database, 'b_leg', unsaid, found)),
    ];
    placers.push(...above);
    below = above.filter(({ loopback }) => loopback);
  }
  return placers;
}

/** With what is placed behind loopback pairs. */
async function readPlaced(
  database: Kysely<Schema>,
  legs: readonly SwitchCdr[],
  found: Map<LegUuid, SwitchCdr>,
): Promise<void> {
  let above = legs;
  for (let pairs = 0; pairs <= LOOPBACKS_MAX && above.length > 0; pairs += 1) {
    const uuids = above.map(({ uuid }) => uuid);
    const named = above.flatMap(({ placedLegs, bLeg }) =>
      bLeg === undefined ? placedLegs : [...placedLegs, bLeg],
    );
    const below = [
      ...(await readBy(database, 'originator', uuids, found)),
      ...(await readBy(database, 'leg_uuid', named, found)),
    ];
    above = below.filter(({ loopback }) => loopback);
  }
}

async function readBy(
  database: Kysely<Schema>,
  column: 'leg_uuid' | 'originator' | 'b_leg',
  uuids: readonly LegUuid[],
  found: Map<LegUuid, SwitchCdr>,
): Promise<readonly SwitchCdr[]> {
  const legs: SwitchCdr[] = [];
  for (const slice of slicesOf([...new Set(uuids)])) {
    const rows: readonly SwitchCdrRow[] = await database
      .selectFrom('switch_cdr')
      .selectAll()
      .where(column, 'in', slice)
      .execute();
    for (const { leg } of rows.map(toPlacedCdr)) {
      legs.push(leg);
      found.set(leg.uuid, leg);
    }
  }
  return legs;
}

async function readCharged(
  database: Kysely<Schema>,
  uuids: readonly LegUuid[],
): Promise<ReadonlySet<LegUuid>> {
  const charged = new Set<LegUuid>();
  for (const slice of slicesOf(uuids)) {
    const rows = await database.selectFrom('cdr').select('leg_uuid').where('leg_uuid', 'in', slice).execute();
    for (const row of rows) charged.add(row.leg_uuid);
  }
  return charged;
}
