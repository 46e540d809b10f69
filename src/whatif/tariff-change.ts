import type { PricedPart } from '../charging/finished-call.ts';
import { isOfOwnPrice } from '../records/records.ts';
import { isWithin, type AccountPath, type TariffName } from '../units/ids.ts';

/** Another tariff in the place of those that calls were charged by. */
export type TariffChange = {
  /** As the book has it: a single version of a tariff, or a file, is there under a name that no tariff can have. */
  readonly by: TariffName;
  /** Only what this tariff charged; undefined: whatever was charged per minute. */
  readonly replaces: TariffName | undefined;
  /** Only what this account, and those below it, paid; undefined: whoever did. */
  readonly account: AccountPath | undefined;
};

/** What came with a price of its own keeps it. */
export function isReplaced(
  part: Pick<PricedPart, 'payer' | 'tariff' | 'tariffVersion'>,
  { replaces, account }: TariffChange,
): boolean {
  if (isOfOwnPrice(part) || (replaces !== undefined && part.tariff !== replaces)) return false;
  return account === undefined || isWithin(part.payer, account);
}
