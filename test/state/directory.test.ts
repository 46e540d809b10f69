import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAccount } from '../../src/accounts/account-document.ts';
import { openDatabase, type Database } from '../../src/database/database.ts';
import { openDirectory } from '../../src/state/directory.ts';
import { assert } from '../../src/units/assert.ts';
import type { AccountPath } from '../../src/units/ids.ts';

const ACME = 'acme' as AccountPath;
let database: Database;

beforeEach(async () => {
  database = await openDatabase({ url: ':memory:' });
});

afterEach(async () => {
  await database.close();
});

async function save(account: string): Promise<void> {
  const parsed = parseAccount({ account }, { classificationsOf: () => undefined });
  assert(parsed.kind === 'ok', 'the document is right');
  await database.accounts.saveAccount(parsed.value);
}

describe('the accounts that calls are decided by', () => {
  it('are those of the record as of the last reading', async () => {
    const directory = await openDirectory({
      accountStore: database.accounts,
      tariffStore: database.tariffs,
      serviceDefaults: {},
    });
    const { accounts: before } = directory.revisions();
    await save(ACME);
    expect(directory.accounts().node(ACME)).toBeUndefined();
    expect(await directory.refresh()).toBe(true);
    expect(directory.accounts().node(ACME)?.path).toBe(ACME);
    expect(directory.revisions().accounts).toBe(before + 1);
    expect(await directory.refresh()).toBe(false);
  });

  it('are read once for all who ask while they are being read, and never too early', async () => {
    let readings = 0;
    let reached = (): void => undefined;
    const begun = new Promise<void>((resolve) => (reached = resolve));
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    const directory = await openDirectory({
      accountStore: database.accounts,
      tariffStore: {
        ...database.tariffs,
        async revision() {
          readings += 1;
          // The first reading is at the opening.
          if (readings === 2) {
            reached();
            await held;
          }
          return await database.tariffs.revision();
        },
      },
      serviceDefaults: {},
    });
    const first = directory.refresh();
    await begun;
    await save(ACME);
    const others = [1, 2, 3].map(() => directory.refresh());
    goOn();
    await Promise.all([first, ...others]);
    expect(directory.accounts().node(ACME)?.path).toBe(ACME);
    expect(readings).toBe(3);
  });

  it('stand when the record cannot be read, and are read the next time', async () => {
    let fails = false;
    const directory = await openDirectory({
      accountStore: {
        ...database.accounts,
        revision: () => (fails ? Promise.reject(new Error('SQL is away')) : database.accounts.revision()),
      },
      tariffStore: database.tariffs,
      serviceDefaults: {},
    });
    await save(ACME);
    fails = true;
    await expect(directory.refresh()).rejects.toThrow('SQL is away');
    expect(directory.accounts().node(ACME)).toBeUndefined();
    fails = false;
    expect(await directory.refresh()).toBe(true);
  });
});
