import type { AccountChange, Difference } from '../accounts/account-difference.ts';
import { lostClassifications, rulesOn } from '../accounts/account-document.ts';
import type { AccountTree } from '../accounts/account-store.ts';
import { savingOrder, type RecordFacts } from '../accounts/saving-order.ts';
import { parseTree, type DescribedTree } from '../accounts/tree-document.ts';
import { BadInputError, type CommandContext } from '../command-line/command.ts';
import { readDocumentFile } from '../command-line/document-file.ts';
import { walletLedger } from '../records/records.ts';
import type { AccountPath } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';
import { refusalOf } from './account-refusal.ts';

/**
 * What a file says of accounts and routes, `-` being standard input; whatever is wrong with it is bad input. A plain
 * `tariff` of an account on record holds from `now` on.
 */
export async function readTreeFile(
  file: string,
  { accounts }: AccountTree,
  { now, field }: { readonly now: EpochMs; readonly field: string },
): Promise<DescribedTree> {
  const parsed = parseTree(await readDocumentFile(file, field), rulesOn(accounts, now));
  if (parsed.kind === 'bad') {
    throw new BadInputError(
      parsed.problems.map((problem) => ({ ...problem, field: `${file}: ${problem.field}` })),
    );
  }
  const lost = lostClassifications(accounts, parsed.value.accounts);
  if (lost.length > 0) throw new BadInputError(lost);
  return parsed.value;
}

/** In which order a description's accounts can be saved, and in words why some of them cannot be. */
export async function foreseeSaving(
  onRecord: AccountTree,
  difference: Difference,
  context: CommandContext,
): Promise<{ readonly order: readonly AccountChange[]; readonly refused: readonly string[] }> {
  const facts = await readFacts(difference, context);
  const { order, refused } = savingOrder(onRecord.accounts, difference.accounts, facts);
  return { order, refused: refused.map(({ account, refusal }) => refusalOf(account, refusal)) };
}

async function readFacts(difference: Difference, context: CommandContext): Promise<RecordFacts> {
  const { tariffs, records } = await context.stores();
  const currencyOfTariff = new Map(
    (await tariffs.listTariffs()).map(({ tariff, currency }) => [tariff, currency]),
  );
  const currencyHeld = new Map<AccountPath, string>();
  const moved = new Map<string, AccountPath>(
    difference.accounts
      .filter(mayMoveWallet)
      .map(({ account }) => [walletLedger(account.path), account.path]),
  );
  if (moved.size === 0) return { currencyOfTariff, currencyHeld };
  for await (const { ledger, currency } of records.walletBalances()) {
    const path = moved.get(ledger);
    if (path !== undefined) currencyHeld.set(path, currency);
  }
  return { currencyOfTariff, currencyHeld };
}

/** A new one too: an account of that name may have been removed with money on record. */
function mayMoveWallet({ isNew, fields }: AccountChange): boolean {
  return isNew || fields.some(({ field }) => field === 'wallet');
}
