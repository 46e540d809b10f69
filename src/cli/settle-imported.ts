import { transferOfCharge } from '../charging/charges.ts';
import type { ImportVerdict } from '../reconcile/import-verdict.ts';
import type { RecordStore } from '../records/record-store.ts';
import { walletLedger, type Transfer } from '../records/records.ts';
import type { AccountPath, LegUuid } from '../units/ids.ts';
import { negateMicros } from '../units/money.ts';
import type { CommandContext } from './command.ts';
import type { LiveState } from './live-state.ts';

export type Chargeable = Extract<ImportVerdict, { readonly kind: 'chargeable' }>;

/** Puts legs on record that were charged from files, and brings their money to Redis. */
export type ImportSettler = {
  /** Legs that the service is about to record by itself. */
  readonly unrecorded: ReadonlySet<LegUuid>;
  settle(legs: readonly Chargeable[]): Promise<SettledImport>;
  /** Brings the money of legs to Redis that an import put on record and did not get further with; how much it missed. */
  goOn(legs: readonly LegUuid[]): Promise<number>;
};

export type SettledImport = {
  /** Those that are on record now, by this or by an earlier writing of the same. */
  readonly recorded: ReadonlySet<LegUuid>;
  /** Money that is on record and did not reach Redis. */
  readonly unfunded: number;
};

/** Ruling 9: the record first, then the live state once by the same id. Without Redis, the record alone. */
export async function createImportSettler(
  context: Pick<CommandContext, 'live' | 'now' | 'say'>,
  records: RecordStore,
): Promise<ImportSettler> {
  const live = await reachLive(context);
  return {
    unrecorded: (await live?.unrecordedLegs()) ?? new Set(),
    async settle(legs) {
      const settlements = legs.map(({ settlement }) => settlement);
      const transfers = settlements.flatMap((settlement) => settlement.transfers);
      const payers = settlements.flatMap(({ charges }) => charges.map(({ payer }) => payer));
      // A wallet that is opened later would have some of these transfers in it, and be moved by them again.
      await live?.openWallets([...new Set(payers)]);
      const { conflicts } = await records.writeBatch({
        settlements,
        decisions: legs.map(({ decision }) => decision),
      });
      const refused = new Set(
        conflicts.map((conflict) =>
          conflict.kind === 'cdr' ? conflict.offered.legUuid : refusedLeg(conflict.offered),
        ),
      );
      const written = transfers.filter(({ reference }) => !refused.has(reference));
      const unfunded = live === undefined ? written.length : await fundAll(written, payers, live);
      const uuids = settlements.map(({ cdr }) => cdr.legUuid);
      return { recorded: new Set(uuids.filter((uuid) => !refused.has(uuid))), unfunded };
    },
    async goOn(legs) {
      let missed = 0;
      for (const leg of legs) {
        const charges = await records.chargesOf(leg);
        const transfers = charges.flatMap((charge) => transferOfCharge(charge, context.now()) ?? []);
        const opened: AccountPath[] = [];
        // A wallet that Redis does not have is opened by the record, and has these in it.
        for (const { payer } of charges) if ((await live?.wallet(payer)) !== undefined) opened.push(payer);
        missed += live === undefined ? transfers.length : await fundAll(transfers, opened, live);
      }
      return missed;
    },
  };
}

function refusedLeg(offered: { readonly legUuid: LegUuid } | Transfer): string {
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

/** How many did not get there. */
async function fundAll(
  transfers: readonly Transfer[],
  payers: readonly AccountPath[],
  live: LiveState,
): Promise<number> {
  const accounts = new Map(payers.map((payer) => [walletLedger(payer), payer]));
  let missed = 0;
  for (const { id, debit, amount } of transfers) {
    const account = accounts.get(debit);
    if (account === undefined) continue;
    try {
      await live.fund({ account, transferId: id, amount: negateMicros(amount) });
    } catch {
      missed += 1; // It is counted and told, and the next time goes on with it.
    }
  }
  return missed;
}
