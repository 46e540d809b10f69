import { describe, expect, it } from 'vitest';
import { StoreUnavailableError } from '../../src/admission/live-store.ts';
import type { Decision } from '../../src/records/records.ts';
import { createLaterWork } from '../../src/rehearsal/later-work.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { createDecisionKeeper } from '../../src/upkeep/decision-keeper.ts';
import { A_LEG } from '../controller/world.ts';
import { createMemoryLog } from '../freeswitch/support/memory-log.ts';

/** Timers that fire when they are told to. */
function createHandTimers() {
  const due: (() => void)[] = [];
  return {
    timers: {
      after: (_delayMs: number, callback: () => void) => {
        due.push(callback);
        return () => void due.splice(due.indexOf(callback), 1);
      },
      every: () => () => undefined,
    },
    fire: () => {
      for (const callback of due.splice(0)) callback();
    },
    waiting: () => due.length,
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('work that calls do not wait for', () => {
  it('begins after what is being said, a few things at a time, and goes on when one fails', async () => {
    const { timers, fire } = createHandTimers();
    const errors: unknown[] = [];
    const begun: number[] = [];
    const open: (() => void)[] = [];
    const work = createLaterWork(timers, (error) => errors.push(error));
    for (let n = 0; n < 10; n += 1) {
      void work.add(async () => {
        begun.push(n);
        await new Promise<void>((resolve) => open.push(resolve));
        if (n === 2) throw new Error('the third');
      });
    }
    await turn();
    expect(begun).toEqual([]);
    fire();
    expect(begun).toEqual([0, 1, 2, 3]);
    const idle = work.idle();
    while (open.length > 0) {
      for (const resolve of open.splice(0)) resolve();
      await turn();
    }
    await idle;
    expect(begun).toHaveLength(10);
    expect(errors.map(String)).toEqual(['Error: the third']);
    await work.idle();
  });
});

describe('decisions', () => {
  const decision = (id: string): Decision => ({
    id,
    at: toEpochMs(0),
    kind: 'refusal',
    verdict: 'refused',
    aLeg: A_LEG,
    legUuid: undefined,
    account: undefined,
    reason: 'store_down',
    inputs: {},
  });

  it('wait while the store is away, and are told once more before the end', async () => {
    const { timers, fire, waiting } = createHandTimers();
    const kept: string[] = [];
    let away = true;
    const decide = async ({ id }: Decision): Promise<void> => {
      if (away) throw new StoreUnavailableError('away');
      if (id === 'bad') throw new Error('no decision');
      kept.push(id);
      await turn();
    };
    const log = createMemoryLog();
    const keeper = createDecisionKeeper({ decide, timers, log });
    keeper.keep(decision('one'));
    keeper.keep(decision('two'));
    await turn();
    expect([kept, waiting()]).toEqual([[], 1]);
    fire();
    await turn();
    expect([kept, waiting()]).toEqual([[], 1]);
    away = false;
    fire();
    keeper.keep(decision('bad'));
    await turn();
    expect([...kept].toSorted((left, right) => (left < right ? -1 : 1))).toEqual(['one', 'two']);
    away = true;
    keeper.keep(decision('three'));
    await turn();
    away = false;
    await keeper.stop();
    expect(kept).toContain('three');
    expect(log.lines.filter(({ message }) => message === 'decision not kept')).toHaveLength(1);
  });
});
