import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTollgateHere } from './tollgate-command.ts';

/** Who is called what, and has how much. Each scene has accounts of its own, so that its sums stand alone. */
export const CURRENCY = 'USD';
export const ACME = { account: 'acme', funds: '1.00' };
export const BOB = { account: 'bob', funds: '0.05' };
export const CAROL = { account: 'carol', funds: '0.08' };
export const RESELLER = { account: 'reseller', funds: '10.00', calls: 2 };
export const CLIENT = { account: 'reseller/client', funds: '10.00', calls: 10 };
export const WALLETS = [ACME, BOB, CAROL, RESELLER, CLIENT];

/** Per minute, in one-second pulses: 1.00 to numbers of 49, and 0.60, a cent a second, to those of 44. */
const RETAIL = 'prefix,description,rate,minimum,increment\n49,Germany,1.00,1,1\n44,Britain,0.60,1,1\n';
const WHOLESALE = 'prefix,description,rate,minimum,increment\n49,Germany,0.30,1,1\n44,Britain,0.18,1,1\n';

const ACCOUNTS = [
  ...[ACME, BOB, CAROL].map(({ account }) => ({ account, wallet: CURRENCY, tariff: 'retail' })),
  {
    account: RESELLER.account,
    wallet: CURRENCY,
    tariff: 'wholesale',
    operator: { calls: RESELLER.calls },
  },
  { account: CLIENT.account, wallet: CURRENCY, tariff: 'retail', operator: { calls: CLIENT.calls } },
  ...[101, 102, 103].map((extension) => ({ account: `${CLIENT.account}/${extension}` })),
];

/** Makes tariffs, accounts and first payments by the command line's own commands. */
export async function openAccounts(configFile: string, folder: string): Promise<void> {
  const files = join(folder, 'files');
  mkdirSync(files);
  const write = (name: string, text: string): string => {
    const file = join(files, name);
    writeFileSync(file, text);
    return file;
  };
  const run = (...args: string[]): Promise<void> => runTollgateHere(configFile, args);
  await run('tariff', 'import', 'retail', write('retail.csv', RETAIL), '--currency', CURRENCY);
  await run('tariff', 'import', 'wholesale', write('wholesale.csv', WHOLESALE), '--currency', CURRENCY);
  await run('account', 'set', '--file', write('accounts.json', JSON.stringify(ACCOUNTS)));
  for (const [index, { account, funds }] of WALLETS.entries()) {
    await run('account', 'topup', account, '--amount', funds, '--id', `FIRST-${index + 1}`);
  }
}
