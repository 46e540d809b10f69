import { describe, expect, it } from 'vitest';
import { createSequencer } from '../../src/state/sequencer.ts';

describe('a sequencer', () => {
  it('runs what concerns one key in order, and different keys side by side', async () => {
    const sequencer = createSequencer<string>(() => undefined);
    const told: string[] = [];
    const gate = Promise.withResolvers<void>();
    sequencer.run('a', async () => {
      await gate.promise;
      told.push('a1');
    });
    sequencer.run('a', () => Promise.resolve(void told.push('a2')));
    sequencer.run('b', async () => {
      told.push('b1');
      gate.resolve();
      await gate.promise;
    });
    await sequencer.idle();
    expect(told).toEqual(['b1', 'a1', 'a2']);
  });

  it('ends only the task that fails, and says whose it was', async () => {
    const failed: unknown[] = [];
    const sequencer = createSequencer<string>((error, key) => failed.push([key, (error as Error).message]));
    const told: string[] = [];
    sequencer.run('a', () => Promise.reject(new Error('first')));
    sequencer.run('a', () => {
      throw new Error('second');
    });
    sequencer.run('a', () => Promise.resolve(void told.push('third')));
    await sequencer.idle();
    expect(failed).toEqual([
      ['a', 'first'],
      ['a', 'second'],
    ]);
    expect(told).toEqual(['third']);
  });

  it('is idle only when what its tasks have begun is done too', async () => {
    const sequencer = createSequencer<string>(() => undefined);
    const told: string[] = [];
    sequencer.run('a', () => {
      told.push('a');
      sequencer.run('b', () => Promise.resolve(void told.push('b')));
      return Promise.resolve();
    });
    await sequencer.idle();
    expect(told).toEqual(['a', 'b']);
  });
});
