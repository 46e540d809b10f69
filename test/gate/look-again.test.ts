import { describe, expect, it } from 'vitest';
import { createLookAgain } from '../../src/gate/look-again.ts';
import { createMemoryLog } from '../freeswitch/support/memory-log.ts';

describe('looking again for an account', () => {
  it('waits for the record to be read, and calls off its timer', async () => {
    const stage = setUp(() => Promise.resolve(true));
    await stage.look();
    expect(stage.waiting()).toEqual([]);
  });

  it('goes on with what is known when the record does not answer', async () => {
    const stage = setUp(() => new Promise(() => undefined));
    const looking = stage.look();
    const [end] = stage.waiting();
    end?.();
    await expect(looking).resolves.toBeUndefined();
  });

  it('goes on with what is known when the record cannot be read, and says so', async () => {
    const stage = setUp(() => Promise.reject(new Error('SQL is away')));
    await stage.look();
    expect(stage.log.lines.map(({ level }) => level)).toEqual(['warn']);
    expect(stage.waiting()).toEqual([]);
  });
});

function setUp(refresh: () => Promise<boolean>) {
  const timers = new Set<() => void>();
  const log = createMemoryLog();
  const look = createLookAgain({
    directory: { refresh },
    timers: {
      after: (_, callback) => {
        timers.add(callback);
        return () => void timers.delete(callback);
      },
      every: () => () => undefined,
    },
    log,
  });
  return { look, log, waiting: () => [...timers] };
}
