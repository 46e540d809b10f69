import { nextToEnd, type Exhausted } from '../credit/exhaustion.ts';
import type { PayerLeg, Wallet } from '../credit/wallet.ts';
import { assert } from '../units/assert.ts';
import type { PoolId } from '../units/ids.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';
import {
  formatPart,
  formatWallet,
  parseWallet,
  type RefillRulesOf,
  type WalletReading,
} from './wallet-text.ts';

export type Snapshot = { readonly now: EpochMs; readonly readings: ReadonlyMap<PoolId, WalletReading> };

/** The version of a wallet that Redis does not have: no wallet is ever written with it. */
export const NOT_THERE = 0;
/** That of a customer's pool which Redis has lost, as the books say what is left of it. */
const LOST = 1;

type SnapshotReply = readonly [
  kind: string,
  now: string,
  ...wallets: (readonly [string, string, readonly string[]])[],
];

/** Reads a script's `exact` reply. A wallet that is not there is left out. */
export function parseSnapshot(reply: unknown, rulesOf: RefillRulesOf): Snapshot {
  const [, now, ...wallets] = reply as SnapshotReply;
  const readings = new Map<PoolId, WalletReading>();
  for (const [account, text, flat] of wallets) {
    if (text === '') continue;
    readings.set(account as PoolId, parseWallet(account as PoolId, text, pairs(flat), rulesOf));
  }
  return { now: toEpochMs(Number(now)), readings };
}

/** ARGV of an exact wallet (`takeExact` in `wallets.lua`): valid until the first pulse that could not be paid, or a new cycle. */
export function exactArguments(
  reading: WalletReading,
  after: Wallet,
  next: readonly Exhausted[] = nextToEnd(after),
): readonly (string | number)[] {
  const cutoff = earliest(next[0]?.endsAt, after.refill?.endsAt);
  const changed = changedParts(reading.wallet.legs, after.legs);
  return [
    reading.version,
    cutoff ?? Number.MAX_SAFE_INTEGER,
    formatWallet(after, nextVersion(reading, after)),
    firstEnd(after) ?? (isDrawnOn(after) ? cutoff : undefined) ?? '',
    changed.length,
    ...changed.flat(),
  ];
}

/**
 * A pool that is opened counts its versions from the moment on: what was worked out from a pool of that name that has
 * been closed since is then never taken for this one's.
 */
function nextVersion({ version }: WalletReading, { at }: Wallet): number {
  return version === NOT_THERE || version === LOST ? at : version + 1;
}

function earliest(one: EpochMs | undefined, other: EpochMs | undefined): EpochMs | undefined {
  return one === undefined || (other !== undefined && other < one) ? other : one;
}

/** Where nobody talks, nothing needs to be looked at when a new cycle begins. */
export function isDrawnOn({ legs }: Wallet): boolean {
  return legs.some(({ state }) => state.kind === 'running');
}

/**
 * A leg that has ended and is still there must be told: whichever step found that its money is over, and whoever
 * died after it, the wallet stays due until the leg is settled.
 */
function firstEnd({ legs }: Wallet): EpochMs | undefined {
  let first: EpochMs | undefined;
  for (const { state } of legs) {
    if (state.kind === 'ended' && (first === undefined || state.endsAt < first)) first = state.endsAt;
  }
  return first;
}

function changedParts(before: readonly PayerLeg[], after: readonly PayerLeg[]): readonly [string, string][] {
  const old = new Map(before.map((leg) => [leg.legKey, leg]));
  const changed: [string, string][] = [];
  for (const leg of after) {
    const known = old.get(leg.legKey);
    old.delete(leg.legKey);
    if (known?.state.kind !== leg.state.kind || known.usedBefore !== leg.usedBefore)
      changed.push([leg.legKey, formatPart(leg)]);
  }
  for (const gone of old.keys()) changed.push([gone, '']);
  return changed;
}

export function pairs(flat: readonly string[]): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const [field, value] = [flat[i], flat[i + 1]];
    assert(field !== undefined && value !== undefined, 'a hash has fields and values');
    map.set(field, value);
  }
  return map;
}
