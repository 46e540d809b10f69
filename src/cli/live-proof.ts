import type { LegRecord } from '../admission/leg-record.ts';
import { COUNTERS, holderName } from '../admission/plan.ts';
import type { LiveProof } from '../command-line/live-state.ts';
import { describeFinding } from '../records/finding.ts';
import { findingsOfWallet, netOf } from '../records/proof.ts';
import { walletLedger, type Transfer } from '../records/records.ts';
import { customerOf, parseAccountPath, rootOf, type AccountPath, type PoolId } from '../units/ids.ts';
import { toMicros, type Micros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';
import { channelFindings } from './channel-proof.ts';
import type { LiveParts } from './live-store-state.ts';
import { tellLive } from './live-wallets.ts';
import { closeLostPool, type LostRemainder } from './lost-pool-proof.ts';
import { provePools } from './pool-proof.ts';

/** A settlement on its way into SQL makes two readings differ for a moment; a real difference stays. */
const READINGS_MAX = 5;
const BETWEEN_READINGS_MS = 200;
const FEED_READ_MAX = 10_000;
/** How far back a missing second half is looked for. */
const TRANSFERS_READ_MAX = 1_000;

/** What only the live state can be asked: wallets against the record, counters and holds against live calls. */
export async function proveLive(parts: LiveParts, options: { readonly fix: boolean }): Promise<LiveProof> {
  const findings: string[] = [];
  const fixed: string[] = [];
  const { nodes, roots } = parts.directory.accounts();
  const stored = nodes.flatMap(({ path, account }) =>
    account.walletCurrency === undefined ? [] : [{ path, currency: account.walletCurrency }],
  );
  const payers = [...stored, ...(await customersWallets(parts, roots))];
  for (const { path, currency } of payers) {
    let finding = await walletFinding(parts, path, currency);
    if (finding !== undefined && options.fix) {
      fixed.push(...(await supplyMissing(parts, path, currency)));
      const left = await leftUnclosed(parts, path, currency);
      if (left !== undefined) fixed.push(...(await closeLostPool(parts, roots, left)));
      finding = await walletFinding(parts, path, currency);
    }
    if (finding !== undefined) findings.push(finding);
  }
  const pools = await provePools(parts, options);
  findings.push(...pools.findings);
  fixed.push(...pools.fixed);
  const legsChecked = (await readLegs(parts, roots)).length;
  const drawnOn = [...payers.map(({ path }) => path), ...pools.checked];
  const suspicions = await legFindings(parts, roots, drawnOn);
  // A call that begins or ends between two readings is no fault: only what both say counts.
  const again = suspicions.length === 0 ? suspicions : await legFindings(parts, roots, drawnOn);
  findings.push(...suspicions.filter((finding) => again.includes(finding)));
  findings.push(
    ...(await channelFindings(parts, await readLegs(parts, roots), () => readLegs(parts, roots))),
  );
  const poolsChecked = pools.checked.length;
  return { walletsChecked: payers.length, poolsChecked, legsChecked, findings, fixed };
}

type WalletOwner = { readonly path: AccountPath; readonly currency: string };

/** Pools of customers that are stored nowhere: those of live calls, and those that the record says are not closed. */
async function customersWallets(
  parts: LiveParts,
  roots: readonly AccountPath[],
): Promise<readonly WalletOwner[]> {
  const found = new Map<string, WalletOwner>();
  for (const { payers } of await readLegs(parts, roots)) {
    for (const { account, currency } of payers) {
      if (customerOf(account) !== undefined) found.set(`${account} ${currency}`, { path: account, currency });
    }
  }
  for await (const { ledger, currency, balance } of parts.records.walletBalances()) {
    const path = balance === 0n ? undefined : parseAccountPath(ledger.replace(/^wallet:/, ''));
    if (path === undefined || customerOf(path) === undefined) continue;
    found.set(`${path} ${currency}`, { path, currency });
  }
  return [...found.values()];
}

type Reading = { readonly recorded: Micros; readonly pending: Micros; readonly live: Micros | undefined };

async function readBalances(parts: LiveParts, path: AccountPath, currency: string): Promise<Reading> {
  const ledger = walletLedger(path);
  const { settlements, transfers } = await parts.feed.read([rootOf(path)], FEED_READ_MAX);
  const waiting = [
    ...settlements.flatMap(({ settlement }) => settlement.transfers),
    ...transfers.map(({ transfer }) => transfer),
  ];
  const known = await parts.records.knownTransferIds(waiting.map(({ id }) => id));
  const live = await parts.store.readWallet(path);
  const recorded = await parts.records.balance(ledger, currency);
  const pending = netOf(
    waiting.filter(({ id }) => !known.has(id)),
    ledger,
    currency,
  );
  return { recorded, pending: toMicros(pending), live: live?.balance };
}

async function walletFinding(
  parts: LiveParts,
  path: AccountPath,
  currency: string,
): Promise<string | undefined> {
  let said: string | undefined;
  for (let reading = 0; reading < READINGS_MAX; reading += 1) {
    const balances = await readBalances(parts, path, currency);
    const [finding] = findingsOfWallet({ ledger: walletLedger(path), currency, ...balances });
    if (finding === undefined) return undefined;
    said = describeFinding(finding);
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_READINGS_MS));
  }
  return said;
}

/** What the books have of a customer's pool that is not there. */
async function leftUnclosed(
  parts: LiveParts,
  path: AccountPath,
  currency: string,
): Promise<LostRemainder | undefined> {
  if (customerOf(path) === undefined) return undefined;
  const { recorded, pending, live } = await readBalances(parts, path, currency);
  const amount = toMicros(recorded + pending);
  return live === undefined && amount > 0n ? { path, currency, amount } : undefined;
}

/** What is on record and never reached Redis (ruling 9): moved now, by its own id, so once. */
async function supplyMissing(parts: LiveParts, path: AccountPath, currency: string): Promise<string[]> {
  const told: string[] = [];
  for await (const movement of parts.records.untold(path)) {
    const reached = await tellLive(parts, movement);
    if (reached === 'no_wallet') continue;
    await parts.records.forgetTold([movement]);
    if (reached === 'moved') told.push(`${path}: supplied ${movement.id} to the live wallet`);
  }
  return [...told, ...(await supplyTopUps(parts, path, currency))];
}

async function supplyTopUps(parts: LiveParts, path: AccountPath, currency: string): Promise<string[]> {
  const { recorded, pending, live } = await readBalances(parts, path, currency);
  let missing = recorded + pending - (live ?? 0n);
  const supplied: string[] = [];
  const page = await parts.records.transfersOf({
    ledger: walletLedger(path),
    from: 0 as EpochMs,
    to: Number.MAX_SAFE_INTEGER as EpochMs,
    order: 'newest_first',
    limit: TRANSFERS_READ_MAX,
  });
  for (const transfer of page.rows) {
    const amount = cameIn(transfer, path);
    if (missing <= 0n || amount === undefined || amount > missing) continue;
    const outcome = await parts.store.fund(path, transfer.id, amount);
    if (outcome.kind !== 'moved') continue;
    missing -= amount;
    supplied.push(`${path}: supplied ${transfer.id} to the live wallet`);
    await parts.changes.announce({ kind: 'account', account: path });
  }
  return supplied;
}

/** A reversal comes in with the charge that replaces it, as one movement. */
function cameIn({ kind, credit, amount }: Transfer, path: AccountPath): Micros | undefined {
  const isSupplied = kind !== 'charge' && kind !== 'reversal';
  return isSupplied && credit === walletLedger(path) ? amount : undefined;
}

/** Counters against memberships, and holds against records. */
async function legFindings(
  parts: LiveParts,
  roots: readonly AccountPath[],
  wallets: readonly PoolId[],
): Promise<string[]> {
  const findings: string[] = [];
  const holders = await parts.store.countingHolders();
  // An account that was removed while it talked is counted on.
  const counting = holders.flatMap((holder) => (holder.kind === 'route' ? [] : [rootOf(holder.path)]));
  const everyRoot = [...new Set([...roots, ...counting])];
  const before = await readLegs(parts, everyRoot);
  const uses = await Promise.all(
    holders.map(async (holder) => ({ name: holderName(holder), use: await parts.store.usage(holder) })),
  );
  // A call that came or went while the uses were read is in one of the two.
  const legs = [...before, ...(await readLegs(parts, everyRoot))];
  const records = [...new Map(legs.map((leg) => [leg.legKey, leg])).values()];
  const most = countedMost(records);
  for (const { name, use } of uses) {
    for (const counter of COUNTERS) {
      const counted = most.get(`${name} ${counter}`) ?? 0;
      // A call whose channel is going is counted no more and still has its record; never the other way round.
      if (use[counter] > counted) {
        findings.push(`${name} counts ${use[counter]} ${counter} and ${counted} calls hold one`);
      }
    }
  }
  const keys = new Set(records.map(({ legKey }) => legKey));
  for (const wallet of wallets) {
    for (const leg of (await parts.store.readWallet(wallet))?.legs ?? []) {
      if (!keys.has(leg.legKey))
        findings.push(`the wallet of ${wallet} holds money for ${leg.legKey}, which is no live call`);
    }
  }
  return findings;
}

async function readLegs(parts: LiveParts, roots: readonly AccountPath[]): Promise<readonly LegRecord[]> {
  return (await Promise.all(roots.map((root) => parts.store.liveLegs(root)))).flat();
}

/** By holder and counter: accounts, called numbers, trunks and routes alike. */
function countedMost(records: readonly LegRecord[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { holder, counters } of records.flatMap(({ taken }) =>
    taken.flatMap(({ counted }) => counted),
  )) {
    for (const counter of counters) {
      const name = `${holderName(holder)} ${counter}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return counts;
}
