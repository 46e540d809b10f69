import { toAccountDocument } from '../accounts/account-document.ts';
import { idleLimits } from '../accounts/idle-limits.ts';
import { payersAt, type AccountNode } from '../accounts/account-tree.ts';
import { toLimitsDocument } from '../accounts/limits-document.ts';
import type { EffectiveLimits } from '../accounts/limits.ts';
import { isTimed, tariffsInWords } from '../accounts/tariff-assignments.ts';
import { columns } from '../command-line/help.ts';
import type { LiveWallet } from '../command-line/live-state.ts';
import { formatMicros, type Micros } from '../units/money.ts';
import type { EpochMs } from '../units/time.ts';
import { IDLE_WHY } from './account-refusal.ts';

/** Money as it leaves the program: never a bare number. */
export type MoneyJson = { readonly amount: string; readonly currency: string };

export type AccountView = {
  readonly node: AccountNode;
  /** By the transfers on record; undefined: no wallet. */
  readonly balance: Micros | undefined;
  readonly live: LiveWallet | undefined;
  /** Tariffs are shown as they are then. */
  readonly at: EpochMs;
};

export function moneyJson(amount: Micros, currency: string): MoneyJson {
  return { amount: formatMicros(amount), currency };
}

export function accountJson({ node, balance, live, at }: AccountView): Readonly<Record<string, unknown>> {
  const { account, limits } = node;
  const currency = account.walletCurrency;
  return {
    ...toAccountDocument(account),
    effective: limitsJson(limits),
    classifications: node.classifiers.map(({ name, treatment }) => ({ name, treatment })),
    payers: payersAt(node, at).map(({ path, walletCurrency, tariff }) => ({
      account: path,
      wallet: walletCurrency,
      tariff,
    })),
    ...(currency === undefined || balance === undefined ? {} : { balance: moneyJson(balance, currency) }),
    ...(currency === undefined || live === undefined
      ? {}
      : {
          live: {
            balance: moneyJson(live.balance, currency),
            committed: moneyJson(live.committed, currency),
            available: moneyJson(live.available, currency),
            legs: live.legs,
          },
        }),
  };
}

export function accountLines(view: AccountView): readonly string[] {
  const { node, balance, live, at } = view;
  const { account, limits } = node;
  const currency = account.walletCurrency ?? '';
  const paid = payersAt(node, at).map(
    ({ path, walletCurrency, tariff }) =>
      `${path} (${walletCurrency ?? 'no wallet'}, ${tariff ?? 'no tariff'})`,
  );
  return [
    node.path,
    ...columns([
      ...(balance === undefined ? [] : [['balance', `${formatMicros(balance)} ${currency}`]]),
      ...(live === undefined
        ? []
        : [
            ['committed', `${formatMicros(live.committed)} ${currency} by ${live.legs} legs`],
            ['available', `${formatMicros(live.available)} ${currency}`],
          ]),
      ['numbers', numbersInWords(node)],
      ['paid by', paid.length === 0 ? 'nobody' : paid.join(', ')],
      ...(isTimed(account.tariffs) ? [['tariffs', tariffsInWords(account.tariffs)]] : []),
      ...Object.entries(limitsJson(limits)).map(([name, value]) => [
        name,
        `${shownValue(value)}${originOf(view, name)}`,
      ]),
      ...(account.shadow === undefined ? [] : [['shadow', shownValue(toLimitsDocument(account.shadow))]]),
    ]),
  ];
}

/** How numbers of its tree are dialled, and what they are called, the first that matches. */
function numbersInWords({ chain, classifiers }: AccountNode): string {
  const numbering = chain[0]?.account.numbering;
  const plan = numbering === undefined ? 'as they are dialled' : `of country ${numbering.country}`;
  const names = classifiers.map(({ name, treatment }) =>
    treatment === undefined || name === treatment ? name : `${name} (${treatment.replace('_', '-')})`,
  );
  return `${plan}: ${names.join(', ')}`;
}

/** Where a limit comes from, when the account itself says something of it. */
function originOf({ node }: AccountView, name: string): string {
  const { operator, customer } = node.account;
  const said = [
    ...Object.entries(operator)
      .filter(([, value]) => value !== undefined)
      .map(([field]) => ({ field, by: 'operator' })),
    ...Object.entries(customer)
      .filter(([, value]) => value !== undefined)
      .map(([field]) => ({ field, by: 'customer' })),
  ].filter(({ field }) => field === name);
  const idle = idleLimits(node.account).includes(name) ? `; ${IDLE_WHY}` : '';
  return said.length === 0 ? '' : `  (set by ${said.map(({ by }) => by).join(' and ')}${idle})`;
}

/** What holds. */
function limitsJson(limits: EffectiveLimits): Readonly<Record<string, unknown>> {
  const { perNumber, flatRate, ...others } = limits;
  return {
    ...toLimitsDocument(others),
    perNumber: perNumber.map((rules) =>
      rules.map(({ pattern, calls }) => ({ pattern: pattern.text, calls })),
    ),
    flatRate: {
      whitelist: flatRate.whitelist.map(({ text }) => text),
      blacklist: flatRate.blacklist.map(({ text }) => text),
    },
  };
}

function shownValue(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}
