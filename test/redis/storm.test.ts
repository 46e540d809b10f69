import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { COUNTERS } from '../../src/admission/plan.ts';
import { slotKeys, useKey } from '../../src/redis/keys.ts';
import { freshRedis, needRealRedis, redisUrl } from '../support/redis.ts';
import { ACME, ROOT_SLOT } from './samples.ts';
import type { StormOrder, StormReport } from './storm-worker.ts';

const BOUND = 50;
const PROCESSES = 2;
const WORKERS = 64;
const ADMISSIONS = 100_000;
const CALLS = COUNTERS.indexOf('calls');

describe('a storm of 100,000 admissions from two processes', () => {
  it('never has one more than its limit, and leaves nothing behind', async (context) => {
    needRealRedis(context);
    const redis = await freshRedis();
    const seed = Math.floor(Math.random() * 2 ** 31);
    const storms = Array.from({ length: PROCESSES }, (_, index) =>
      runStorm({
        url: redisUrl(),
        name: `p${index}`,
        seed: seed + index,
        workers: WORKERS,
        admissions: ADMISSIONS / PROCESSES,
        bound: BOUND,
      }),
    );

    // The auditor knows nothing of the scripts: it compares counter and membership at one instant, all the while.
    const seen = { samples: 0, mostCounted: 0, mostMembers: 0, apart: 0 };
    const storm = { over: false };
    const reports = Promise.all(storms).finally(() => (storm.over = true));
    const use = useKey(ROOT_SLOT, { kind: 'account', path: ACME });
    const { slots } = slotKeys(ROOT_SLOT);
    while (!storm.over) {
      const [[, text], [, members]] = (await redis.multi().get(use).hlen(slots).exec()) as [
        [null, string | null],
        [null, number],
      ];
      const counted = Number((text ?? '0').split(' ')[CALLS]);
      seen.samples += 1;
      seen.mostCounted = Math.max(seen.mostCounted, counted);
      seen.mostMembers = Math.max(seen.mostMembers, members);
      if (counted !== members) seen.apart += 1;
    }

    const said = await reports;
    const sum = (of: (report: StormReport) => number): number =>
      said.reduce((total, report) => total + of(report), 0);
    // The seed stands in what is compared, so that a failure shows it.
    expect({ seed, seen, asked: sum((report) => report.taken + report.refused) }).toMatchObject({
      seed,
      seen: { mostCounted: BOUND, mostMembers: BOUND, apart: 0 },
      asked: ADMISSIONS,
    });
    expect(seen.samples).toBeGreaterThan(100);
    for (const { usesNamed, heldMost, taken } of said) {
      expect({ seed, usesNamed }).toEqual({ seed, usesNamed: [BOUND] });
      expect(heldMost).toBeLessThanOrEqual(BOUND);
      expect(taken).toBeGreaterThan(BOUND);
    }
    const { settlements } = slotKeys(ROOT_SLOT);
    expect({ seed, entries: await redis.xlen(settlements) }).toEqual({
      seed,
      entries: sum((report) => report.settled),
    });
    expect(await redis.keys('*')).toEqual([settlements]);
  }, 60_000);
});

async function runStorm(order: StormOrder): Promise<StormReport> {
  const child = fork(fileURLToPath(new URL('./storm-worker.ts', import.meta.url)), { execArgv: [] });
  const exited = once(child, 'exit');
  child.send(order);
  const said = await Promise.race([once(child, 'message'), exited.then(() => undefined)]);
  await exited;
  if (said === undefined) throw new Error(`a process of the storm ended early, with code ${child.exitCode}`);
  return said[0] as StormReport;
}
