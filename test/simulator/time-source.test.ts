import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createVirtualTime } from '../../src/simulator/time-source.ts';

describe('virtual time', () => {
  it('runs what is due in order of its moment, then of its making', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 60 }), (delays) => {
        const time = createVirtualTime(0);
        const ran: (readonly [atMs: number, index: number])[] = [];
        for (const [index, delayMs] of delays.entries()) {
          time.after(delayMs, () => ran.push([time.nowMicros() / 1000, index]));
        }
        time.advance(50);
        const expected = delays
          .map((delayMs, index) => [delayMs, index] as const)
          .toSorted((left, right) => left[0] - right[0] || left[1] - right[1]);
        expect(ran).toEqual(expected);
      }),
    );
  });

  it('runs what an action sets for the same span, and nothing that was called off', () => {
    const time = createVirtualTime(0);
    const ran: string[] = [];
    const never = time.after(5, () => ran.push('never'));
    time.after(1, () => {
      never.cancel();
      time.after(2, () => ran.push(`at ${time.nowMicros()}`));
    });
    time.advance(10);
    expect(ran).toEqual(['at 3000']);
    expect(time.pendingCount).toBe(0);
    expect(time.nowMicros()).toBe(10_000);
  });
});
