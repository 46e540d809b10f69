import { describe, expect, it } from 'vitest';
import { createChangeFollower } from '../../src/upkeep/change-follower.ts';
import { createMemoryLog } from '../freeswitch/support/memory-log.ts';
import { account } from '../records/samples.ts';

const ALICE = account('acme/alice');
const BOB = account('acme/bob');

/** A record that can be read only while it is up, and a retry that comes when the test says so. */
function stage() {
  const told: string[] = [];
  const log = createMemoryLog();
  const state = { up: true, readings: 0, retry: undefined as (() => void) | undefined };
  const follower = createChangeFollower({
    directory: {
      refresh: async () => {
        await Promise.resolve();
        if (!state.up) throw new Error('no SQL');
        state.readings += 1;
        return true;
      },
    },
    settings: { apply: () => Promise.resolve([BOB]) },
    walletChanged: (wallet) => Promise.resolve(void told.push(wallet)),
    limitsChanged: () => Promise.resolve(void told.push('limits')),
    timers: {
      after: (_, callback) => {
        state.retry = callback;
        return () => (state.retry = undefined);
      },
      every: () => () => undefined,
    },
    log,
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { follower, told, log, state, settle };
}

describe('a change in SQL', () => {
  it('reaches the account that is named and those whose limits changed with it', async () => {
    const { follower, told, settle } = stage();
    follower.follow(ALICE);
    await settle();
    expect(told).toEqual([ALICE, BOB, 'limits']);
  });

  it('that comes while another is read is read after it, and all that came meanwhile at once', async () => {
    const { follower, told, state, settle } = stage();
    follower.follow(undefined);
    for (let n = 0; n < 100; n += 1) follower.follow(ALICE);
    await settle();
    expect(state.readings).toBe(2);
    expect(told).toContain(ALICE);
  });

  it('that cannot be read is read when SQL is back, told of once', async () => {
    const { follower, told, log, state, settle } = stage();
    state.up = false;
    follower.follow(ALICE);
    await settle();
    state.retry?.();
    await settle();
    expect(told).toEqual([]);
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    state.up = true;
    state.retry?.();
    await settle();
    expect(told).toContain(ALICE);
  });

  it('is left alone after the stop', async () => {
    const { follower, told, state, settle } = stage();
    state.up = false;
    follower.follow(ALICE);
    await settle();
    follower.stop();
    expect(state.retry).toBeUndefined();
    state.up = true;
    follower.follow(ALICE);
    await settle();
    expect(told).toEqual([]);
  });
});
