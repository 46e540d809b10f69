import type { LegRecord } from '../admission/leg-record.ts';
import { formatMicros, type Micros } from '../units/money.ts';
import type { AccountPath } from '../units/ids.ts';
import { areAllKnown } from './channel-proof.ts';
import type { LiveParts } from './live-store-state.ts';

export type LostRemainder = {
  readonly path: AccountPath;
  readonly currency: string;
  readonly amount: Micros;
};

/**
 * A customer's pool that Redis has lost is closed in the books once nobody talks on it. As long as a FreeSWITCH has calls
 * that are not known here, one of them may be his, found by the next comparison: it goes on with what is left then.
 */
export async function closeLostPool(
  parts: Pick<LiveParts, 'store' | 'switches'>,
  roots: readonly AccountPath[],
  { path, currency, amount }: LostRemainder,
): Promise<string[]> {
  const readLegs = async (): Promise<readonly LegRecord[]> =>
    (await Promise.all(roots.map((root) => parts.store.liveLegs(root)))).flat();
  if ((await readLegs()).some(({ account }) => account === path)) return [];
  if (!(await areAllKnown(parts, readLegs))) return [];
  if (!(await parts.store.closeLost(path, { amount, currency }))) return [];
  return [
    `${path}: closed the pool that Redis has lost, ${formatMicros(amount)} ${currency} were left in it`,
  ];
}
