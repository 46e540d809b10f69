import type { Redis } from 'ioredis';
import { carryOut } from '../../src/charging/carry-out.ts';
import { planKept } from '../../src/charging/plan-rerate.ts';
import type { RerateFunding } from '../../src/charging/rerate-run.ts';
import type { RerateClaim } from '../../src/charging/rerate-store.ts';
import { createImportSettler } from '../../src/cli-cdrs/settle-imported.ts';
import { createLiveState, type LiveParts } from '../../src/cli/live-store-state.ts';
import { fundLive } from '../../src/cli/live-wallets.ts';
import { createTeller } from '../../src/command-line/teller.ts';
import { settlementOf } from '../../src/controller/settlement.ts';
import type { Database } from '../../src/database/database.ts';
import { admitLeg } from '../../src/gate/admit-leg.ts';
import type { TariffVersion } from '../../src/rating/rate.ts';
import { describeFinding } from '../../src/records/finding.ts';
import { proveRecord } from '../../src/records/proof.ts';
import { importDecisionId, systemLedger, walletLedger, type Transfer } from '../../src/records/records.ts';
import { createChangeFeed } from '../../src/redis/change-feed.ts';
import { createLiveStore } from '../../src/live-store/live-store.ts';
import { createSettlementFeed } from '../../src/redis/settlement-feed.ts';
import { formatSettlement } from '../../src/redis/settlement-text.ts';
import { planReplayed } from '../../src/replay/plan-replayed.ts';
import { openDirectory } from '../../src/state/directory.ts';
import { rootOf, type AccountPath, type PoolId, type RerateRunId } from '../../src/units/ids.ts';
import { toMicros } from '../../src/units/money.ts';
import { addMs, toEpochMs } from '../../src/units/time.ts';
import { createLog } from '../../src/wiring/parts.ts';
import { createPools } from '../../src/wiring/pools.ts';
import { BOOKS, EVERYTHING, fillRecord, VERSIONS } from '../charging/charged-record.ts';
import { POLICY, questionOfTalk, settledLive, type Talk } from '../charging/live-calls.ts';

/** Every way in which money moves, on one record and one Redis, with nothing in between but what operators run. */
export type BooksStage = {
  /** A call from its admission to its settlement, which then waits in the stream. */
  call(talk: Talk, name: string): Promise<'settled' | 'refused'>;
  /** What waits in the stream goes on record. */
  drain(): Promise<void>;
  /** A call that nobody heard, charged from FreeSWITCH's CDR. */
  import(talk: Talk, name: string): Promise<void>;
  /** Into the wallet, or out of it. */
  move(kind: 'topup' | 'adjustment', account: AccountPath, amount: bigint, id: string): Promise<void>;
  /** Both tariffs' prices in percent of what they were at first, from the beginning. */
  price(percent: bigint): Promise<void>;
  plan(run: RerateRunId, funding: RerateFunding): Promise<void>;
  change(run: RerateRunId, wanted: RerateClaim['wanted']): Promise<void>;
  /** What is left of a pool, as Redis has it. */
  left(pool: PoolId): Promise<bigint | undefined>;
  /** What `verify` finds. */
  findings(): Promise<readonly string[]>;
  close(): void;
};

export async function createBooksStage(database: Database, redis: Redis): Promise<BooksStage> {
  const { accounts, tariffs, records, rerates, evidence } = database;
  await redis.flushdb();
  await fillRecord(database, []);
  let now = toEpochMs(Date.UTC(2026, 7, 1));
  const log = createLog('silent');
  const changes = createChangeFeed(redis, { log });
  const feed = createSettlementFeed(redis, { log });
  const directory = await openDirectory({
    accountStore: accounts,
    tariffStore: tariffs,
    serviceDefaults: {},
  });
  const pools = createPools(
    records,
    () => directory.accounts(),
    () => now,
  );
  const store = createLiveStore(redis, {
    clock: () => now,
    clockRules: true,
    lostPools: async () => [],
    onDue: () => undefined,
    ...pools,
  });
  const parts: LiveParts = { store, directory, records, changes, feed, switches: [] };
  const live = createLiveState(parts);
  for (const { path } of directory.accounts().nodes) {
    const opening = await pools.loadWallet(path);
    if (opening !== undefined) await store.openWallet(path, opening);
  }
  const settler = await createImportSettler({ live: async () => live, say: () => undefined }, records);
  const context = {
    store,
    directory,
    policy: { ...POLICY } as never,
    controlOf: () => undefined,
    record: () => undefined,
    announce: () => undefined,
    formatSettlement,
    log,
  };
  const books = () => ({ ...BOOKS, accounts: directory.accounts(), tariffs: directory.tariffs() });

  return {
    async call(talk, name) {
      const question = { ...questionOfTalk(talk, directory.accounts(), name), at: now };
      const admitted = await admitLeg(context, question);
      if (admitted.kind === 'refused') return 'refused';
      const { record } = admitted;
      const answeredAt = talk.answered ? now : undefined;
      if (answeredAt !== undefined) await store.answer(record, answeredAt);
      const seconds = talk.answered ? talk.billedSeconds : 0;
      now = addMs(now, seconds * 1000 + 1);
      const ending = {
        uuid: question.aLeg,
        cause: 'NORMAL_CLEARING',
        answeredAt,
        endedAt: now,
        billMicroseconds: seconds * 1_000_000,
        billsec: seconds,
        cut: undefined,
        estimated: false,
      };
      await store.settle(record, { billedSeconds: seconds, talkMs: seconds * 1000 }, (final) =>
        formatSettlement(settlementOf(record, ending, final)),
      );
      return 'settled';
    },
    async drain() {
      const { settlements, transfers } = await feed.read(directory.accounts().roots, 10_000);
      const outcome = await records.writeBatch({
        settlements: settlements.map(({ settlement }) => settlement),
        transfers: transfers.map(({ transfer }) => transfer),
        decisions: [],
      });
      if (outcome.conflicts.length > 0)
        throw new Error(JSON.stringify(outcome.conflicts.map(({ kind }) => kind)));
      await feed.remove([...settlements, ...transfers].map(({ entry }) => entry));
    },
    async import(talk, name) {
      const settlement = settledLive({ ...talk, allotmentSeconds: undefined }, books(), name);
      if (settlement === undefined) return;
      const { legUuid, account } = settlement.cdr;
      const decision = {
        id: importDecisionId(legUuid),
        at: now,
        kind: 'admission',
        verdict: 'admitted',
        aLeg: legUuid,
        legUuid,
        account,
        reason: 'charged from a file',
        inputs: {},
      } as const;
      await settler.settle([{ kind: 'chargeable', settlement, decision }]);
      await settler.finish();
    },
    async move(kind, account, amount, id) {
      const comes = amount > 0n;
      const other = systemLedger(kind === 'topup' ? 'cash' : 'adjust', rootOf(account));
      const transfer: Transfer = {
        id,
        kind,
        debit: comes ? other : walletLedger(account),
        credit: comes ? walletLedger(account) : other,
        amount: toMicros(comes ? amount : -amount),
        currency: 'EUR',
        at: now,
        reference: '',
      };
      await records.insertTransfer(transfer);
      await fundLive(parts, { account, transferId: id, amount: toMicros(amount) });
    },
    async price(percent) {
      for (const { version: _, ...content } of VERSIONS) {
        await tariffs.importVersion({
          ...content,
          rates: content.rates.map((rate) => priced(rate, percent)),
        });
      }
      await directory.refresh();
    },
    async plan(id, funding) {
      const run = { id, funding, filter: EVER, createdAt: now } as const;
      await rerates.begin(run);
      const plan = funding === 'replayed' ? planReplayed : planKept;
      await rerates.finishPlan(run, await plan(run, books(), rerates, () => undefined));
    },
    async change(run, wanted) {
      const carried = await carryOut(
        { run, wanted, holder: 'me' },
        { store: rerates, ...createTeller(live, records), clock: () => now, onChanged: () => undefined },
      );
      if (carried.kind !== 'done' && carried.kind !== 'already') throw new Error(carried.kind);
      await live.rightPools(new Set(directory.accounts().nodes.map(({ path }) => path)));
    },
    left: async (pool) => (await store.readWallet(pool))?.balance,
    async findings() {
      const found = (await Array.fromAsync(proveRecord(evidence))).map(describeFinding);
      return [...found, ...(await live.proveLive({ fix: false })).findings];
    },
    close() {
      changes.close();
      feed.close();
    },
  };
}

const EVER = { ...EVERYTHING, to: toEpochMs(Date.UTC(2030, 0, 1)) };

function priced(rate: TariffVersion['rates'][number], percent: bigint): TariffVersion['rates'][number] {
  return { ...rate, perMinute: toMicros((rate.perMinute * percent) / 100n) };
}
