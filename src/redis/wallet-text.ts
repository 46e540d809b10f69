import { figuresOf, legFiguresOf } from '../credit/figures.ts';
import type { PayerLeg, PayerLegState, Wallet } from '../credit/wallet.ts';
import { formatTerms, parseTerms } from '../rating/terms-text.ts';
import { assert } from '../units/assert.ts';
import type { AccountPath, LegKey } from '../units/ids.ts';
import { toMicros } from '../units/money.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';

/** A wallet as a script handed it over, and the version that a write back must still find. */
export type WalletReading = { readonly wallet: Wallet; readonly version: number };

const POLICIES = ['unpaid', 'all'] as const;

/** The text that `prelude.lua` describes: what the scripts keep of a wallet. */
export function formatWallet(wallet: Wallet, version: number): string {
  const { held, base, burnPerMinute } = figuresOf(wallet);
  const { balance, credit, at, legs } = wallet;
  return `${balance} ${credit} ${held} ${base} ${burnPerMinute} ${at} ${legs.length} ${version} ${formatPolicy(wallet.policy)}`;
}

export function formatPolicy(policy: Wallet['policy']): string {
  return `${POLICIES.indexOf(policy)}`;
}

export function formatPart(leg: PayerLeg): string {
  const { state } = leg;
  const { amount, intercept, perMinute } = legFiguresOf(leg);
  const answeredAt = state.kind === 'held' ? 0 : state.answeredAt;
  const paidSeconds = state.kind === 'ended' ? state.paidSeconds : 0;
  return `${state.kind} ${amount} ${intercept} ${perMinute} ${answeredAt} ${paidSeconds} ${formatTerms(leg.terms)}`;
}

export function parsePart(legKey: LegKey, text: string): PayerLeg {
  const [kind, , , , answeredAt, paidSeconds, terms] = text.split(' ');
  assert(terms !== undefined, `a leg's part reads "${text}"`);
  return { legKey, terms: parseTerms(terms), state: parseState(kind, answeredAt, paidSeconds, text) };
}

/**
 * What a script read: the wallet and its legs at `now`. Legs are as of the wallet's last change, when all begun
 * pulses were paid; `at` is that moment, so that the caller lets time pass from there.
 */
export function parseWallet(
  account: AccountPath,
  text: string,
  parts: ReadonlyMap<string, string>,
): WalletReading {
  const [balance, credit, , , , anchor, , version, policy] = text.split(' ');
  assert(policy !== undefined && balance !== undefined && credit !== undefined, `a wallet reads "${text}"`);
  const wallet: Wallet = {
    account,
    balance: toMicros(BigInt(balance)),
    credit: toMicros(BigInt(credit)),
    policy: POLICIES[policy === '1' ? 1 : 0],
    at: toEpochMs(Number(anchor)),
    legs: [...parts].map(([legKey, part]) => parsePart(legKey as LegKey, part)),
  };
  return { wallet, version: Number(version) };
}

function parseState(
  kind: string | undefined,
  answeredAt: string | undefined,
  paidSeconds: string | undefined,
  text: string,
): PayerLegState {
  const at = (): EpochMs => toEpochMs(Number(answeredAt));
  if (kind === 'held') return { kind };
  if (kind === 'running') return { kind, answeredAt: at() };
  assert(kind === 'ended', `a leg's part reads "${text}"`);
  return { kind, answeredAt: at(), paidSeconds: Number(paidSeconds) };
}
