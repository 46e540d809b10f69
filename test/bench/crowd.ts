import { useDialplan } from '../service/stage.ts';
import type { CallStage } from './call-stage.ts';
import { pause } from './load.ts';
import { DESTINATION, TARIFF } from './sample-legs.ts';

/** Many calls at once: how they are paid and placed. */

/** The simulator answers about twice as many a second without falling behind. */
export const PLACED_PER_SECOND = 200;
const TENANTS = 20;
/** The price of a second at 1.00 a minute, in micros, rounded up as the tariff rounds. */
const SECOND_MICROS = 16_667;

export async function openTenants(stage: CallStage): Promise<void> {
  for (let tenant = 0; tenant < TENANTS; tenant += 1) await stage.account({ account: `tenant${tenant}` });
}

export function accountOf(index: number): string {
  return `tenant${index % TENANTS}/a${index}`;
}

/** An account with money for so many seconds of talk and for less than one second more. */
export async function openWallet(stage: CallStage, account: string, seconds: number): Promise<void> {
  await stage.account({ account, wallet: 'EUR', tariff: TARIFF });
  const micros = Math.ceil(seconds * SECOND_MICROS);
  await stage.money(account, `${Math.floor(micros / 1e6)}.${String(micros % 1e6).padStart(6, '0')}`);
}

export async function placeCalls(
  stage: CallStage,
  calls: {
    readonly count: number;
    readonly ringMs: () => number;
    readonly account: (index: number) => string;
  },
): Promise<void> {
  const { sim } = stage;
  useDialplan(sim, 'park', stage.service().socketPort);
  sim.endpoint(/pstn/, () => ({ kind: 'answers', afterMs: calls.ringMs() }));
  const startedAt = performance.now();
  for (let index = 0; index < calls.count; index += 1) {
    sim.placeCall({ from: '1001', to: DESTINATION, variables: { tollgate_account: calls.account(index) } });
    const aheadMs = (index * 1000) / PLACED_PER_SECOND - (performance.now() - startedAt);
    if (aheadMs > 1) await pause(aheadMs);
  }
}
