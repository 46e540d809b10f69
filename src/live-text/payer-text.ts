import type { AllotmentRecord, Continuation, FundedPart, PayerRecord } from '../admission/leg-record.ts';
import { formatTerms, parseTerms } from '../rating/terms-text.ts';
import { assert } from '../units/assert.ts';
import type { AccountPath, PoolId, TariffName } from '../units/ids.ts';
import { toMicros } from '../units/money.ts';

/** Who pays for a leg and how, as its record in Redis has it; price terms in their one-line form. */

/** Left out is the account that the leg is of, and a wallet of its own. `tariff`: as in `standard@1`. */
export type StoredPayer = Omit<PayerRecord, 'terms' | 'account' | 'wallet' | 'tariff' | 'tariffVersion'> & {
  readonly tariff: string;
  readonly account?: AccountPath | undefined;
  readonly wallet?: PoolId | undefined;
  readonly terms: string;
};
export type StoredAllotment = Omit<AllotmentRecord, 'terms' | 'goesOn'> & {
  readonly terms: string;
  readonly goesOn?: Omit<Continuation, 'payer' | 'costMax'> & {
    readonly payer: StoredPayer;
    readonly costMax?: string;
  };
};
export type StoredPart =
  | Exclude<FundedPart, { readonly way: 'per_minute' | 'allotment' }>
  | { readonly way: 'allotment'; readonly allotment: StoredAllotment }
  | (Omit<Extract<FundedPart, { readonly way: 'per_minute' }>, 'payer'> & { readonly payer: StoredPayer });

export function storedPart(part: FundedPart, account: AccountPath): StoredPart {
  switch (part.way) {
    case 'per_minute':
      return { ...part, payer: storedPayer(part.payer, account) };
    case 'allotment':
      return { ...part, allotment: storedAllotment(part.allotment, account) };
    case 'flat_rate':
    case 'flat_rate_burst':
      return part;
  }
}

export function readPart(part: StoredPart, account: AccountPath): FundedPart {
  switch (part.way) {
    case 'per_minute':
      return { ...part, payer: readPayer(part.payer, account) };
    case 'allotment':
      return { ...part, allotment: readAllotment(part.allotment, account) };
    case 'flat_rate':
    case 'flat_rate_burst':
      return part;
  }
}

export function storedAllotment(
  { terms, goesOn, ...allotment }: AllotmentRecord,
  account: AccountPath,
): StoredAllotment {
  const stored = { ...allotment, terms: formatTerms(terms) };
  if (goesOn === undefined) return stored;
  const { payer, costMax, ...rest } = goesOn;
  const bound = costMax === undefined ? {} : { costMax: `${costMax}` };
  return { ...stored, goesOn: { ...rest, payer: storedPayer(payer, account), ...bound } };
}

export function readAllotment(
  { terms, goesOn, ...allotment }: StoredAllotment,
  account: AccountPath,
): AllotmentRecord {
  const read = { ...allotment, terms: parseTerms(terms) };
  if (goesOn === undefined) return { ...read, goesOn };
  const { payer, costMax, ...rest } = goesOn;
  const bound = costMax === undefined ? {} : { costMax: toMicros(BigInt(costMax)) };
  return { ...read, goesOn: { ...rest, payer: readPayer(payer, account), ...bound } };
}

export function storedPayer(payer: PayerRecord, legAccount: AccountPath): StoredPayer {
  const { account, wallet, tariff, tariffVersion, ...rest } = payer;
  return {
    account: unless(legAccount, account),
    wallet: unless(account, wallet),
    tariff: `${tariff}@${tariffVersion}`,
    ...rest,
    terms: formatTerms(payer.terms),
  };
}

export function readPayer(payer: StoredPayer, legAccount: AccountPath): PayerRecord {
  const { account = legAccount, wallet = account } = payer;
  const [tariff, version] = payer.tariff.split('@');
  assert(version !== undefined, `a tariff in a leg record reads "${payer.tariff}"`);
  return {
    ...payer,
    account,
    wallet,
    tariff: tariff as TariffName,
    tariffVersion: Number(version),
    terms: parseTerms(payer.terms),
  };
}

/** A value that is no news is left out of JSON. */
export function unless<T>(implied: T, value: T): T | undefined {
  return value === implied ? undefined : value;
}
