import { figuresOf, legFiguresOf } from '../credit/figures.ts';
import type { PayerLeg, PayerLegState, Wallet } from '../credit/wallet.ts';
import { formatTerms, parseTerms } from '../rating/terms-text.ts';
import { assert } from '../units/assert.ts';
import type { AccountPath, LegKey } from '../units/ids.ts';
import { toMicros } from '../units/money.ts';
import { toEpochMs } from '../units/time.ts';

/** A wallet as a script handed it over, and the version that a write back must still find. */
export type WalletReading = { readonly wallet: Wallet; readonly version: number };

/** The same patterns as in `prelude.lua`: anything else is a broken promise, there as here. */
const WALLET = /^-?\d+(?: \d+){7} [01]$/;
const PART = /^(?:held|running|ended)(?: \d+){6} \S+$/;
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
  const [paidSeconds, endsAt] = state.kind === 'ended' ? [state.paidSeconds, state.endsAt] : [0, 0];
  return `${state.kind} ${amount} ${intercept} ${perMinute} ${answeredAt} ${paidSeconds} ${endsAt} ${formatTerms(leg.terms)}`;
}

export function parsePart(legKey: LegKey, text: string): PayerLeg {
  assert(PART.test(text), `a leg's part reads "${text}"`);
  const [kind, , , , answeredAt, paidSeconds, endsAt, terms = ''] = text.split(' ');
  return { legKey, terms: parseTerms(terms), state: stateOf(kind, answeredAt, paidSeconds, endsAt) };
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
  assert(WALLET.test(text), `the wallet of ${account} reads "${text}"`);
  const [balance = '', credit = '', , , , anchor, , version, policy] = text.split(' ');
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

function stateOf(
  kind: string | undefined,
  answered: string | undefined,
  paid: string | undefined,
  ends: string | undefined,
): PayerLegState {
  if (kind === 'held') return { kind };
  const answeredAt = toEpochMs(Number(answered));
  if (kind === 'running') return { kind, answeredAt };
  return { kind: 'ended', answeredAt, paidSeconds: Number(paid), endsAt: toEpochMs(Number(ends)) };
}
