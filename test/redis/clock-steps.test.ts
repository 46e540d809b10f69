import * as fc from 'fast-check';
import type { Redis } from 'ioredis';
import { beforeAll, describe, expect, it } from 'vitest';
import type { WalletView } from '../../src/admission/live-store.ts';
import { totalCommittedAt } from '../../src/credit/wallet.ts';
import { createLiveStore } from '../../src/live-store/live-store.ts';
import { toMicros } from '../../src/units/money.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { connectTestRedis, hasRealRedis } from '../support/redis.ts';
import { legOf, questionsArbitrary, WALLETS } from './model-commands.ts';
import { ACME, readBound, START } from './samples.ts';

/** Without soft passes, which may spend below the floor by design (ruling 16) and are nobody's overdraft here. */
const hardQuestionsArbitrary = questionsArbitrary.map((questions) =>
  questions.map((question) => ({ ...question, soft: undefined })),
);
const openingArbitrary = fc.constantFrom(2_000_000n, 100_000_000n).map(toMicros);
/** The embedded Redis runs scripts some thirty times slower. */
const NUM_RUNS = { real: 80, embedded: 20 };

const eventArbitrary = fc.record({
  leg: fc.nat(5),
  does: fc.constantFrom('take', 'take', 'answer', 'answer', 'settle', 'evaluate', 'fund'),
  stepMs: fc.oneof(fc.integer({ min: -20_000, max: 0 }), fc.nat(20_000), fc.nat(2_000)),
  aheadMs: fc.integer({ min: -3_000, max: 3_000 }),
});

let redis: Redis;
beforeAll(() => {
  redis = connectTestRedis();
});

describe('a clock that steps back and forth', () => {
  it('never lets a wallet commit more than it has, nor its bound sink below what is committed', async () => {
    await fc.assert(
      fc.asyncProperty(
        openingArbitrary,
        hardQuestionsArbitrary,
        fc.array(eventArbitrary, { minLength: 30, maxLength: 60 }),
        async (opening, questions, events) => {
          await redis.flushdb();
          let now = START;
          let latest = now;
          let broughtIn = 0n;
          const store = createLiveStore(redis, {
            clock: () => now,
            clockRules: true,
            lostPools: async () => [],
            onDue: () => undefined,
            loadWallet: async () => ({ balance: opening, credit: toMicros(0n), policy: 'unpaid' }),
          });
          const legs = questions.map(legOf);
          for (const [index, { leg, does, stepMs, aheadMs }] of events.entries()) {
            now = toEpochMs(now + stepMs);
            latest = toEpochMs(Math.max(latest, now));
            const { plan, record } = legs[leg] ?? legOf(questions[0] as (typeof questions)[number], leg);
            if (does === 'take') await store.take(plan, record);
            if (does === 'answer') await store.answer(record, toEpochMs(now + aheadMs));
            if (does === 'settle')
              await store.settle(
                record,
                { billedSeconds: Math.max(0, Math.ceil(stepMs / 1000)), talkMs: Math.max(0, stepMs) },
                () => '{}',
              );
            if (does === 'evaluate') await store.evaluate(ACME);
            if (does === 'fund') {
              await store.fund(ACME, `transfer-${index}`, toMicros(100_000n));
              broughtIn += 100_000n;
            }
            for (const wallet of WALLETS) {
              const view = await store.readWallet(wallet);
              if (view === undefined) continue;
              expect({ wallet, overdrawn: overdraftOf(view, now) }).toEqual({ wallet, overdrawn: 0n });
              expect(view.balance).toBeLessThanOrEqual(opening + broughtIn);
              // It must hold from now on, whatever the clock does next.
              const later = toEpochMs(latest + 30_000);
              const bound = (await readBound(redis, wallet, later)) ?? 0n;
              expect(bound).toBeGreaterThanOrEqual(totalCommittedAt(view.legs, later));
            }
          }
        },
      ),
      { numRuns: hasRealRedis() ? NUM_RUNS.real : NUM_RUNS.embedded },
    );
  });
});

function overdraftOf({ balance, credit, legs }: WalletView, now: number): bigint {
  const over = totalCommittedAt(legs, toEpochMs(now)) - balance - credit;
  return over > 0n ? over : 0n;
}
