import type { AccountPath, TariffName } from '../units/ids.ts';
import { addMs, ALWAYS, type Clock } from '../units/time.ts';
import { failed, type Result, type Stores } from './command.ts';

/** What a command looks at, where only a part of the record is asked for. */
export type AskedNames = {
  readonly account?: AccountPath | undefined;
  readonly tariff?: TariffName | undefined;
};

/**
 * A name that nothing on record has, as the failure of the command: it would find nothing, which reads as if all were
 * well. An account that was removed is still that of its calls.
 */
export async function unknownName(
  { account, tariff }: AskedNames,
  { accounts, tariffs, records }: Pick<Stores, 'accounts' | 'tariffs' | 'records'>,
  now: Clock,
): Promise<Result | undefined> {
  if (tariff !== undefined && (await tariffs.versions(tariff)).length === 0)
    return failed(`no tariff ${tariff}`);
  if (account === undefined) return undefined;
  if ((await accounts.loadAll()).accounts.some(({ path }) => path === account)) return undefined;
  const ever = { from: ALWAYS, to: addMs(now(), 1) };
  const calls = await records.cdrs({ ...ever, account, scope: 'subtree', order: 'newest_first', limit: 1 });
  return calls.rows.length === 0 ? failed(`no account ${account}`) : undefined;
}
