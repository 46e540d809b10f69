import type { CommandContext } from '../command-line/command.ts';
import type { LiveState } from '../command-line/live-state.ts';
import { createTeller } from '../command-line/teller.ts';
import type { ImportVerdict } from '../reconcile/import-verdict.ts';
import type { Movement, RecordStore } from '../records/record-store.ts';
import { walletLedger, type Settlement, type Transfer } from '../records/records.ts';
import { customerOf, type AccountPath, type LegUuid } from '../units/ids.ts';
import { negateMicros } from '../units/money.ts';
import { withAssumed, type AssumedFunding } from './assumed-funding.ts';

export type Chargeable = Extract<ImportVerdict, { readonly kind: 'chargeable' }>;

/** Puts legs on record that were charged from files, and brings their money to Redis. */
export type ImportSettler = {
  /** Legs that the service is about to record by itself. */
  readonly unrecorded: ReadonlySet<LegUuid>;
  /** Those that are on record now, by this or by an earlier writing of the same. */
  settle(legs: readonly Chargeable[]): Promise<ReadonlySet<LegUuid>>;
  tell(movements: readonly Movement[]): Promise<void>;
  /** Of what was settled; undefined: nothing was taken for granted. */
  assumed(): AssumedFunding | undefined;
  /**
   * All is settled: what running cycles have left of allotments and spend windows follows it. How much money is on record
   * and did not get to Redis.
   */
  finish(): Promise<number>;
};

/** Ruling 9: the record first, then the live state once by the same id. Without Redis, the record alone. */
export async function createImportSettler(
  context: Pick<CommandContext, 'live' | 'say'>,
  records: RecordStore,
): Promise<ImportSettler> {
  const live = await reachLive(context);
  const teller = live === undefined ? undefined : createTeller(live, records);
  // What a command that was killed did not come to tell.
  if (teller !== undefined) for await (const movement of teller.untold()) await teller.tell([movement]);
  const payers = new Set<AccountPath>();
  let assumed: AssumedFunding | undefined;
  const tell = async (movements: readonly Movement[]): Promise<void> => {
    for (const { account } of movements) payers.add(account);
    await teller?.tell(movements);
  };
  return {
    unrecorded: (await live?.unrecordedLegs()) ?? new Set(),
    async settle(legs) {
      const settlements = legs.map(({ settlement }) => settlement);
      const movements = settlements.flatMap(movementsOf);
      for (const { payer } of settlements.flatMap(({ charges }) => charges)) payers.add(payer);
      const decisions = legs.map(({ decision }) => decision);
      const { conflicts } = await records.writeBatch({ settlements, movements, decisions });
      const refused = new Set(conflicts.map(({ offered }) => legOf(offered)));
      await tell(
        movements.filter(({ id }) => !conflicts.some(({ offered }) => 'id' in offered && offered.id === id)),
      );
      const settled = legs.filter(({ settlement }) => !refused.has(settlement.cdr.legUuid));
      for (const leg of settled) assumed = withAssumed(assumed, leg);
      return new Set(settled.map(({ settlement }) => settlement.cdr.legUuid));
    },
    tell,
    assumed: () => assumed,
    async finish() {
      for (const words of (await live?.rightPools(payers)) ?? []) context.say(words);
      let count = 0;
      for await (const _ of records.untold(undefined)) count += 1;
      return count;
    },
  };
}

/** What each wallet loses by it. Customers' own pools lose nothing: what is charged outside of them came in for it. */
function movementsOf({ charges, transfers }: Settlement): readonly Movement[] {
  return transfers.flatMap(({ id, debit, currency, amount }) => {
    const payer = charges.find((charge) => walletLedger(charge.payer) === debit)?.payer;
    if (payer === undefined || customerOf(payer) !== undefined) return [];
    return [{ id, account: payer, currency, amount: negateMicros(amount) }];
  });
}

function legOf(offered: { readonly legUuid: LegUuid } | Transfer): string {
  return 'legUuid' in offered ? offered.legUuid : offered.reference;
}

async function reachLive(context: Pick<CommandContext, 'live' | 'say'>): Promise<LiveState | undefined> {
  try {
    return await context.live();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    context.say(`what is charged goes on record, but running calls do not know of it: ${reason}`);
    context.say('the same command brings it to them when Redis is back, or tollgate verify --fix');
    return undefined;
  }
}
