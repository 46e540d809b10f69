import type { WalletView } from '../admission/live-store.ts';
import type { PoolId } from '../units/ids.ts';
import type { ControllerContext } from './context.ts';

/** What a pool has left, for the record only: a store that is away now keeps no call up. */
export async function readLeft(
  { store, log }: Pick<ControllerContext, 'store' | 'log'>,
  pool: PoolId,
): Promise<WalletView | undefined> {
  try {
    return await store.readWallet(pool);
  } catch (err) {
    log.debug({ err, pool }, 'what was left at a cut is not known');
    return undefined;
  }
}
