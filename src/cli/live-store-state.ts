import type { LegRecord } from '../admission/leg-record.ts';
import type { LiveStore } from '../admission/live-store.ts';
import type { LiveCall, LiveState } from '../command-line/live-state.ts';
import { nextCutoff } from '../credit/exhaustion.ts';
import { availableAt, committedAt, type Wallet } from '../credit/wallet.ts';
import type { ConnectedSwitch } from '../freeswitch/switch.ts';
import type { RecordStore } from '../records/record-store.ts';
import type { Decision } from '../records/records.ts';
import type { SettlementFeed } from '../records/settlement-feed.ts';
import type { ChangeFeed } from '../redis/change-feed.ts';
import type { Directory } from '../state/directory.ts';
import { walletSettingsOf } from '../state/wallet-settings.ts';
import { isWithin, rootOf, type AccountPath, type PoolId } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';
import { extendCustomer, liveCustomers } from './live-customers.ts';
import { proveLive } from './live-proof.ts';
import { readShadowUse } from './live-shadows.ts';
import { fundLive, tellLive } from './live-wallets.ts';
import { provePools } from './pool-proof.ts';

export type LiveParts = {
  readonly store: LiveStore;
  readonly directory: Directory;
  readonly records: RecordStore;
  readonly changes: ChangeFeed;
  readonly feed: SettlementFeed;
  readonly switches: readonly ConnectedSwitch[];
};

/** A command line that waits longer for a FreeSWITCH says so instead. */
const CONNECT_WAIT_MS = 3_000;
const CONNECT_POLL_MS = 20;
const KILL_CAUSE = 'CALL_REJECTED';
/** More than ever waits for SQL while SQL is there to be asked. */
const FEED_READ_MAX = 1_000_000;

/** The live state as the command line sees it: Redis itself, and FreeSWITCH for what must end now. */
export function createLiveState(parts: LiveParts): LiveState {
  const { store, directory, changes } = parts;

  const liveLegs = async (under: AccountPath | undefined): Promise<readonly LegRecord[]> => {
    const roots = under === undefined ? directory.accounts().roots : [rootOf(under)];
    const legs = (await Promise.all(roots.map((root) => store.liveLegs(root)))).flat();
    return legs
      .filter(({ account }) => under === undefined || isWithin(account, under))
      .toSorted((a, b) => a.admittedAt - b.admittedAt);
  };

  const kill = async (legs: readonly LegRecord[]): Promise<number> => {
    let asked = 0;
    for (const leg of legs) {
      const { node, uuid, aLeg } = leg;
      const found = parts.switches.find((candidate) => candidate.node === node);
      if (found === undefined) continue;
      await connected(found);
      // A leg that only rings has no channel of its own yet: its caller's is ended.
      await Promise.all(
        [...new Set([uuid ?? aLeg, aLeg])].map((each) => found.control.kill(each, KILL_CAUSE)),
      );
      await parts.feed.decide(killDecision(leg, store.now()));
      asked += 1;
    }
    return asked;
  };

  return {
    async calls(under) {
      const legs = await liveLegs(under);
      const wallets = new Map<PoolId, Awaited<ReturnType<LiveStore['readWallet']>>>();
      for (const wallet of new Set(legs.flatMap(poolsShown))) {
        wallets.set(wallet, await store.readWallet(wallet));
      }
      return legs.map((leg) => toLiveCall(leg, wallets));
    },
    async killLeg(uuid) {
      const legs = await liveLegs(undefined);
      const found = legs.filter((leg) => leg.uuid === uuid || leg.aLeg === uuid);
      return (await kill(found)) > 0 ? 'asked' : 'unknown';
    },
    killAccount: async (path) => await kill(await liveLegs(path)),
    async wallet(path) {
      const view = await store.readWallet(path);
      if (view === undefined) return undefined;
      const { balance, committed, legs, at } = view;
      return { balance, committed, available: availableAt(view, at), legs: legs.length };
    },
    shadowUse: (path) => readShadowUse(parts, path),
    fund: (funding) => fundLive(parts, funding),
    tell: (movement) => tellLive(parts, movement),
    customers: async () => await liveCustomers(store, await liveLegs(undefined)),
    async extendCustomer(extension) {
      const outcome = await extendCustomer(store, await liveLegs(extension.path), extension);
      await changes.announce({ kind: 'account', account: extension.path });
      return outcome;
    },
    async unrecordedLegs() {
      const live = (await liveLegs(undefined)).flatMap(({ uuid }) => (uuid === undefined ? [] : [uuid]));
      const { settlements } = await parts.feed.read(directory.accounts().roots, FEED_READ_MAX);
      return new Set([...live, ...settlements.map(({ settlement }) => settlement.cdr.legUuid)]);
    },
    async announceAccounts(changed) {
      await directory.refresh();
      for (const account of changed) {
        const node = directory.accounts().node(account);
        if (node?.account.walletCurrency !== undefined) {
          await store.configureWallet(account, walletSettingsOf(node));
        }
        await changes.announce({ kind: 'account', account });
      }
      if (changed.length === 0) await changes.announce({ kind: 'everything' });
    },
    async announceTariffs() {
      await changes.announce({ kind: 'everything' });
    },
    rightPools: async (accounts) => (await provePools(parts, { fix: true, of: accounts })).fixed,
    proveLive: (options) => proveLive(parts, options),
  };
}

function killDecision(leg: LegRecord, at: EpochMs): Decision {
  return {
    id: `${leg.legKey}:kill:${at}`,
    at,
    kind: 'kill',
    verdict: 'cut',
    aLeg: leg.aLeg,
    legUuid: leg.uuid,
    account: leg.account,
    reason: 'killed',
    inputs: { by: 'command line' },
  };
}

/** What a call's end may come of. */
function poolsShown({ payers, time }: LegRecord): readonly PoolId[] {
  return [...payers.map(({ wallet }) => wallet), ...(time === undefined ? [] : [time.pool])];
}

function toLiveCall(
  leg: LegRecord,
  wallets: ReadonlyMap<PoolId, Awaited<ReturnType<LiveStore['readWallet']>>>,
): LiveCall {
  const cutoffs = poolsShown(leg).flatMap((pool): readonly number[] => {
    const view = wallets.get(pool);
    if (view === undefined || !view.legs.some(({ legKey }) => legKey === leg.legKey)) return [];
    const cutoff = nextCutoff({ ...view, account: pool } satisfies Wallet);
    return cutoff === undefined ? [] : [cutoff];
  });
  const committed = leg.payers.flatMap(({ wallet, account, currency }) => {
    const view = wallets.get(wallet);
    const part = view?.legs.find((candidate) => candidate.legKey === leg.legKey);
    if (view === undefined || part === undefined) return [];
    return [{ payer: account, amount: committedAt(part, view.at), currency }];
  });
  return {
    uuid: leg.uuid,
    node: leg.node,
    account: leg.account,
    direction: leg.direction,
    callerNumber: leg.callerNumber,
    destination: leg.destination,
    state: leg.answeredAt === undefined ? 'ringing' : 'answered',
    admittedAt: leg.admittedAt,
    answeredAt: leg.answeredAt,
    committed,
    cutoffAt: cutoffs.length === 0 ? undefined : (Math.min(...cutoffs) as LiveCall['admittedAt']),
  };
}

async function connected(node: ConnectedSwitch): Promise<void> {
  node.start();
  const until = performance.now() + CONNECT_WAIT_MS;
  while (!node.health().up) {
    if (performance.now() > until) throw new Error(`FreeSWITCH ${node.node} cannot be reached`);
    await new Promise((resolve) => setTimeout(resolve, CONNECT_POLL_MS));
  }
}
