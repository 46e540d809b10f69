import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RerateRunId } from '../../src/units/ids.ts';
import { ACCOUNTS, anyTalk } from '../charging/live-calls.ts';
import { DATABASES } from '../database/databases.ts';
import { freshRedis } from '../support/redis.ts';
import { createBooksStage, type BooksStage } from './books-stage.ts';

const talk = anyTalk.map((each) => ({ ...each, billedSeconds: each.billedSeconds % 900, answered: true }));
const wallet = fc.constantFrom(
  ...ACCOUNTS.nodes.flatMap(({ path, account }) => (account.walletCurrency === undefined ? [] : [path])),
);

/** What may be done to the books. Names are given by the place in the sequence. */
const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('call' as const), talk }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('import' as const), talk }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('drain' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('move' as const),
      account: wallet,
      amount: fc.bigInt({ min: -5_000_000n, max: 20_000_000n }).filter((amount) => amount !== 0n),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('topup' as const),
      account: wallet,
      amount: fc.bigInt({ min: 1n, max: 20_000_000n }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('price' as const), percent: fc.bigInt({ min: 0n, max: 300n }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('rerate' as const),
      funding: fc.constantFrom('kept' as const, 'replayed' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('revert' as const), which: fc.nat() }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer Kind> ? Kind : never;

describe.each(DATABASES)('money on $name', ({ openScratch }) => {
  it('is conserved by every way in which it moves, and verify says so after each', async () => {
    const redis = await freshRedis();
    const done = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 8, maxLength: 20 }), async (operations) => {
        const database = await openScratch();
        const stage = await createBooksStage(database, redis);
        const runs: RerateRunId[] = [];
        try {
          for (const [index, each] of operations.entries()) {
            await carryOut(stage, each, `${index}`, runs);
            done.add(each.kind);
            expect(await stage.findings(), `after ${index}`).toEqual([]);
          }
        } finally {
          stage.close();
          await database.close();
        }
      }),
      { numRuns: 20, endOnFailure: true },
    );
    expect([...done].toSorted()).toEqual([
      'call',
      'drain',
      'import',
      'move',
      'price',
      'rerate',
      'revert',
      'topup',
    ]);
  }, 600_000);
});

async function carryOut(
  stage: BooksStage,
  operation: Operation,
  name: string,
  runs: RerateRunId[],
): Promise<void> {
  switch (operation.kind) {
    case 'call':
      await stage.call(operation.talk, name);
      return;
    case 'import':
      await stage.import(operation.talk, name);
      return;
    case 'drain':
      await stage.drain();
      return;
    case 'move':
      await stage.move('adjustment', operation.account, operation.amount, `adjust-${name}`);
      return;
    case 'topup':
      await stage.move('topup', operation.account, operation.amount, `topup-${name}`);
      return;
    case 'price':
      await stage.price(operation.percent);
      return;
    case 'rerate': {
      const run = `run-${name}` as RerateRunId;
      await stage.plan(run, operation.funding);
      await stage.change(run, 'applying');
      runs.push(run);
      return;
    }
    case 'revert': {
      const run = runs[operation.which % Math.max(1, runs.length)];
      if (run !== undefined) await stage.change(run, 'reverting');
      return;
    }
  }
}
