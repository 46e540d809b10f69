import { describe, expect, it } from 'vitest';
import type { CallControl, DeadmanTask } from '../../src/calls/switch.ts';
import { createDeadman } from '../../src/cutting/deadman.ts';
import type { ControllerContext } from '../../src/state/context.ts';
import { createLegBook } from '../../src/state/leg-book.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { factsOf, recordOf } from '../controller/legs.ts';
import { B_LEG, money } from '../controller/world.ts';

describe('a dead-man timer', () => {
  it('that money renews while it is being set leaves none of before behind', async () => {
    const standing = new Map<DeadmanTask, number>();
    let funds = money('10.00');
    let armed = 0;
    const control: Pick<CallControl, 'armDeadman' | 'disarmDeadman' | 'dropScheduledHangup'> = {
      async armDeadman(_uuid, seconds, previous) {
        const task = `task-${seconds}-${(armed += 1)}` as DeadmanTask;
        standing.set(task, seconds);
        await new Promise((resolve) => setImmediate(resolve));
        if (previous !== undefined) standing.delete(previous);
        return task;
      },
      disarmDeadman: (task) => Promise.resolve(void standing.delete(task)),
      dropScheduledHangup: () => Promise.resolve(),
    };
    const context = {
      store: { now: () => toEpochMs(1_000), funds: () => Promise.resolve(funds) },
      policy: { deadmanSlackSeconds: 2, deadmanSecondsMax: 86_400 },
      controlOf: () => control,
    } as unknown as ControllerContext;
    const book = createLegBook();
    const leg = book.open(factsOf({ uuid: B_LEG }), toEpochMs(0));
    book.attach(leg, recordOf({ answeredAt: toEpochMs(1_000) }));
    leg.phase = 'answered';
    leg.answeredAt = toEpochMs(1_000);
    const deadman = createDeadman(context, book);
    const [wallet] = recordOf().payers.map((payer) => payer.wallet);
    if (wallet === undefined) throw new Error('somebody pays');

    const atAnswer = deadman.arm(leg);
    await Promise.resolve();
    funds = money('20.00');
    await Promise.all([atAnswer, deadman.walletChanged(wallet)]);
    expect([...standing.values()]).toEqual([Math.max(...standing.values())]);
    await Promise.all([deadman.walletChanged(wallet), deadman.disarm(leg)]);
    expect([...standing.keys()]).toEqual([]);
  });
});
