import { randomUUID } from 'node:crypto';
import type { AccountNode } from '../accounts/account-tree.ts';
import { isDryPool, meaningOf, microsToSeconds, poolsOf, refillRules } from '../credit/pools.ts';
import type { PaidPart } from '../records/record-store.ts';
import type { Settlement } from '../records/records.ts';
import { rootOf, type AccountPath, type PoolId } from '../units/ids.ts';
import { formatMicros, subtractMicros, type Micros } from '../units/money.ts';
import { addMs } from '../units/time.ts';
import { usedOf } from '../wiring/pools.ts';
import type { LiveParts } from './live-store-state.ts';

/** A settlement on its way into SQL makes two readings differ for a moment; a real difference stays. */
const READINGS_MAX = 5;
const BETWEEN_READINGS_MS = 200;
const FEED_READ_MAX = 10_000;

export type PoolsProof = {
  readonly checked: readonly PoolId[];
  readonly findings: readonly string[];
  readonly fixed: readonly string[];
};

/**
 * Allotments and spend windows of the running cycle against what calls were charged in it. One that nobody has drawn on
 * is filled by the record when somebody does, and cannot be off.
 */
export async function provePools(
  parts: LiveParts,
  options: { readonly fix: boolean; readonly of?: ReadonlySet<AccountPath> },
): Promise<PoolsProof> {
  const checked: PoolId[] = [];
  const findings: string[] = [];
  const fixed: string[] = [];
  for (const node of parts.directory.accounts().nodes) {
    if (options.of?.has(node.path) === false) continue;
    for (const pool of poolsOf(node.path, node.limits)) {
      // What a dry run uses is on no record.
      if (isDryPool(pool) || (await parts.store.readWallet(pool)) === undefined) continue;
      checked.push(pool);
      let off = await lastingDifference(parts, node, pool);
      if (off !== undefined && options.fix) {
        await parts.store.fund(pool, `verify:${randomUUID()}`, subtractMicros(off.live, off.recorded));
        await parts.changes.announce({ kind: 'account', account: node.path });
        fixed.push(`${nameOf(pool)}: supplied what ${inWords(pool, off.recorded)} used leave of it`);
        off = await lastingDifference(parts, node, pool);
      }
      if (off === undefined) continue;
      findings.push(
        `${nameOf(pool)} counts ${inWords(pool, off.live)} used in this cycle, and calls were charged for ${inWords(pool, off.recorded)}`,
      );
    }
  }
  return { checked, findings, fixed };
}

/** What finished calls have used, as Redis has it and as the record and what is on its way to it have it. */
type Difference = { readonly live: Micros; readonly recorded: Micros };

async function lastingDifference(
  parts: LiveParts,
  node: AccountNode,
  pool: PoolId,
): Promise<Difference | undefined> {
  let said: Difference | undefined;
  for (let reading = 0; reading < READINGS_MAX; reading += 1) {
    said = await differenceNow(parts, node, pool);
    if (said === undefined) return undefined;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_READINGS_MS));
  }
  return said;
}

async function differenceNow(
  { store, records, feed }: LiveParts,
  { path, limits }: AccountNode,
  pool: PoolId,
): Promise<Difference | undefined> {
  const rules = refillRules(pool, limits);
  const { settlements } = await feed.read([rootOf(path)], FEED_READ_MAX);
  const view = await store.readWallet(pool);
  if (rules === undefined || view?.refill === undefined) return undefined;
  const { startsAt } = rules.cycleAt(view.at);
  const known = await records.paidSince(path, startsAt);
  const written = new Set(known.map(({ charge }) => charge.legUuid));
  const waiting = settlements
    .filter(({ settlement }) => !written.has(settlement.cdr.legUuid))
    .flatMap(({ settlement }) => paidIn(settlement, path));
  const { allotments } = limits;
  const recorded = usedOf(pool, [...known, ...waiting], { allotments, counts: rules.counts, startsAt });
  const live = subtractMicros(view.refill.amount, view.balance);
  return live === recorded ? undefined : { live, recorded };
}

/** What a payer was charged for in a settlement that is not in SQL yet. */
function paidIn({ cdr, charges }: Settlement, payer: AccountPath): readonly PaidPart[] {
  const { answeredAt } = cdr;
  if (answeredAt === undefined || cdr.soft?.includes(payer) === true) return [];
  let seconds = 0;
  return charges
    .filter((charge) => charge.payer === payer)
    .toSorted((one, other) => one.segment - other.segment)
    .map((charge) => {
      const talkedFrom = addMs(answeredAt, seconds * 1000);
      seconds += charge.billedSeconds;
      return { charge, talkedFrom };
    });
}

function nameOf(pool: PoolId): string {
  const meaning = meaningOf(pool);
  const [account] = pool.split('#');
  if (meaning.kind === 'allotment') return `the allotment ${meaning.name} of ${account}`;
  return meaning.kind === 'spend' ? `maxSpend ${meaning.window} of ${account}` : pool;
}

function inWords(pool: PoolId, used: Micros): string {
  return meaningOf(pool).kind === 'allotment' ? `${microsToSeconds(used)} s` : formatMicros(used);
}
