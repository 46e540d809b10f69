import type { AccountStore } from '../accounts/account-store.ts';
import { createAccountLookup, type AccountLookup } from '../accounts/account-tree.ts';
import type { OperatorLimits } from '../accounts/limits.ts';
import type { TariffVersion } from '../rating/rate.ts';
import { EMPTY_TARIFF_BOOK, withTariffVersions, type TariffBook } from '../rating/tariff-book.ts';
import type { TariffStore } from '../rating/tariff-store.ts';

/** Accounts, routes and tariffs as calls are decided by them: read from SQL at start and at each change, held in memory. */
export type Directory = {
  accounts(): AccountLookup;
  tariffs(): TariffBook;
  /** Reads what has changed. False: nothing had. A failure leaves what was there in force. */
  refresh(): Promise<boolean>;
};

export type ServedDirectory = Directory & {
  /** How far it has read the record: what was saved with a higher revision is not in force here yet. */
  revisions(): { readonly accounts: number; readonly tariffs: number };
};

export async function openDirectory(options: {
  readonly accountStore: AccountStore;
  readonly tariffStore: TariffStore;
  readonly serviceDefaults: OperatorLimits;
}): Promise<ServedDirectory> {
  const { accountStore, tariffStore, serviceDefaults } = options;
  let accounts = createAccountLookup(await accountStore.loadAll(), serviceDefaults);
  // Before what it counts: a version that is imported meanwhile is then read once more, and never missed.
  let tariffRevision = await tariffStore.revision();
  let tariffs = await addVersions(EMPTY_TARIFF_BOOK, tariffStore);
  let reading: Promise<unknown> = Promise.resolve();
  let next: Promise<boolean> | undefined;

  const refresh = async (): Promise<boolean> => {
    let changed = false;
    const revision = await tariffStore.revision();
    if (revision !== tariffRevision) {
      tariffs = await addVersions(tariffs, tariffStore);
      tariffRevision = revision;
      changed = true;
    }
    if ((await accountStore.revision()) !== accounts.revision) {
      accounts = createAccountLookup(await accountStore.loadAll(), serviceDefaults);
      changed = true;
    }
    return changed;
  };
  return {
    accounts: () => accounts,
    tariffs: () => tariffs,
    revisions: () => ({ accounts: accounts.revision, tariffs: tariffRevision }),
    // One at a time: an older reading must never replace a newer one. Whoever asks while one runs shares the next,
    // which begins after all of them have asked.
    refresh: async () => {
      next ??= reading.then(() => {
        next = undefined;
        const mine = refresh();
        reading = mine.catch(() => undefined);
        return mine;
      });
      return await next;
    },
  };
}

async function addVersions(book: TariffBook, store: TariffStore): Promise<TariffBook> {
  const missing: TariffVersion[] = [];
  for (const { tariff } of await store.listTariffs()) {
    for (const { version } of await store.versions(tariff)) {
      const known = book.get(tariff)?.some((entry) => entry.version.version === version) ?? false;
      const loaded = known ? undefined : await store.loadVersion(tariff, version);
      if (loaded !== undefined) missing.push(loaded);
    }
  }
  return withTariffVersions(book, missing);
}
