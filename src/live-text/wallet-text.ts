import { figuresOf, legFiguresOf } from '../credit/figures.ts';
import type { RefillRules } from '../credit/pools.ts';
import { heldAmount, type PayerLeg, type PayerLegState, type Refill, type Wallet } from '../credit/wallet.ts';
import { formatTerms, parseTerms } from '../rating/terms-text.ts';
import { assert } from '../units/assert.ts';
import type { LegKey, PoolId } from '../units/ids.ts';
import { toMicros } from '../units/money.ts';
import { toEpochMs } from '../units/time.ts';

/** A wallet as a script handed it over, and the version that a write back must still find. */
export type WalletReading = { readonly wallet: Wallet; readonly version: number };

/** How a pool is filled anew, by the limits as they are now; undefined: it is money. */
export type RefillRulesOf = (pool: PoolId) => RefillRules | undefined;

/** The same patterns as in `wallets.lua`: anything else is a broken promise, there as here. */
const WALLET = /^-?\d+(?: \d+){2} -?\d+(?: \d+){4} [01](?: \d+ \d+| opened \d+ \S+)?$/;
const PART = /^(?:held|running|ended|passed) \d+ -?\d+(?: \d+){4} \S+(?: \d+ [01])?$/;
const OPENED = 'opened';
const POLICIES = ['unpaid', 'all'] as const;

/** The text that `wallets.lua` describes: what the scripts keep of a wallet. */
export function formatWallet(wallet: Wallet, version: number): string {
  const { held, base, burnPerMinute } = figuresOf(wallet);
  const { balance, credit, at, legs, refill, opened } = wallet;
  let rest = refill === undefined ? '' : ` ${refill.amount} ${refill.endsAt}`;
  if (opened !== undefined) rest = ` ${OPENED} ${opened.amount} ${opened.serial}`;
  return `${balance} ${credit} ${held} ${base} ${burnPerMinute} ${at} ${legs.length} ${version} ${formatPolicy(wallet.policy)}${rest}`;
}

export function formatPolicy(policy: Wallet['policy']): string {
  return `${POLICIES.indexOf(policy)}`;
}

export function formatPart(leg: PayerLeg): string {
  const { state } = leg;
  const { amount, intercept, perMinute } = legFiguresOf(leg);
  const answeredAt = state.kind === 'held' ? 0 : state.answeredAt;
  const isOver = state.kind === 'ended' || state.kind === 'passed';
  const [paidSeconds, endsAt] = isOver ? [state.paidSeconds, state.endsAt] : [0, 0];
  const { usedBefore = 0n, isForced = false } = leg;
  const rest = usedBefore === 0n && !isForced ? '' : ` ${usedBefore} ${isForced ? 1 : 0}`;
  return `${state.kind} ${amount} ${intercept} ${perMinute} ${answeredAt} ${paidSeconds} ${endsAt} ${formatTerms(leg.terms)}${rest}`;
}

export function parsePart(legKey: LegKey, text: string): PayerLeg {
  assert(PART.test(text), `a leg's part reads "${text}"`);
  const [kind, amount = '', , , answeredAt, paidSeconds, endsAt, termsText = '', usedBefore = '0', forced] =
    text.split(' ');
  const terms = parseTerms(termsText);
  const leg = { legKey, terms, state: stateOf(kind, answeredAt, paidSeconds, endsAt) };
  const held = toMicros(BigInt(amount));
  const more = kind === 'held' && held > heldAmount(leg);
  return {
    ...leg,
    ...(more ? { state: { kind: 'held', amount: held } } : {}),
    ...(usedBefore === '0' ? {} : { usedBefore: toMicros(BigInt(usedBefore)) }),
    ...(forced === '1' ? { isForced: true } : {}),
  };
}

/**
 * What a script read: the wallet and its legs at `now`. Legs are as of the wallet's last change, when all begun
 * pulses were paid; `at` is that moment, so that the caller lets time pass from there.
 */
export function parseWallet(
  account: PoolId,
  text: string,
  parts: ReadonlyMap<string, string>,
  rulesOf: RefillRulesOf,
): WalletReading {
  assert(WALLET.test(text), `the wallet of ${account} reads "${text}"`);
  const [balance = '', credit = '', , , , anchor, , version, policy, ...rest] = text.split(' ');
  const wallet: Wallet = {
    account,
    balance: toMicros(BigInt(balance)),
    credit: toMicros(BigInt(credit)),
    policy: POLICIES[policy === '1' ? 1 : 0],
    at: toEpochMs(Number(anchor)),
    legs: [...parts].map(([legKey, part]) => parsePart(legKey as LegKey, part)),
    ...restOf(account, rest, rulesOf),
  };
  return { wallet, version: Number(version) };
}

/** What stands behind: a cycle, or what a customer's pool was opened with. */
function restOf(
  pool: PoolId,
  [first, ...words]: readonly string[],
  rulesOf: RefillRulesOf,
): Pick<Wallet, 'refill' | 'opened'> {
  if (first === undefined) return {};
  if (first !== OPENED) return { refill: refillOf(pool, first, words[0], rulesOf) };
  const [amount = '', serial = ''] = words;
  return { opened: { amount: toMicros(BigInt(amount)), serial } };
}

function refillOf(pool: PoolId, amount: string, endsAt: string | undefined, rulesOf: RefillRulesOf): Refill {
  const rules = rulesOf(pool);
  assert(rules !== undefined, `${pool} is filled anew by no calendar`);
  return { ...rules, amount: toMicros(BigInt(amount)), endsAt: toEpochMs(Number(endsAt)) };
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
  const isPassed = kind === 'passed';
  return {
    kind: isPassed ? 'passed' : 'ended',
    answeredAt,
    paidSeconds: Number(paid),
    endsAt: toEpochMs(Number(ends)),
  };
}
