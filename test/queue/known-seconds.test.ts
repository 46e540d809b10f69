import { describe, expect, it } from 'vitest';
import { createKnownSeconds } from '../../src/queue/known-seconds.ts';
import { account } from '../records/samples.ts';

const ACME = account('acme');
const ZETA = account('zeta');

describe('the seconds that are known', () => {
  it('are new once, and a root in them once', () => {
    const known = createKnownSeconds(10);
    expect(known.learn(7, ACME)).toBe('second');
    expect(known.learn(7, ACME)).toBe('nothing');
    expect(known.learn(7, ZETA)).toBe('root');
    expect(known.learn(8, ACME)).toBe('second');
    expect(known.size()).toBe(3);
    known.forget(7);
    expect(known.size()).toBe(1);
    expect(known.learn(7, ZETA)).toBe('second');
  });

  it('are forgotten when they are past', () => {
    const known = createKnownSeconds(100);
    for (let second = 0; second < 50; second += 1) known.learn(second, ACME);
    known.forgetBefore(45);
    expect(known.size()).toBe(5);
    known.forget(1);
    expect(known.size()).toBe(5);
    expect(known.learn(45, ACME)).toBe('nothing');
  });

  it('never take more memory than they may', () => {
    const known = createKnownSeconds(100);
    for (let second = 0; second < 1000; second += 1) known.learn(second % 250, second % 2 ? ACME : ZETA);
    expect(known.size()).toBeLessThanOrEqual(100);
  });
});
