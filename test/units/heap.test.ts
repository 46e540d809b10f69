import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { createHeap } from '../../src/units/heap.ts';

it('gives what is in it in order, however it came in', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer({ min: 0, max: 20 }))), (steps) => {
      const heap = createHeap<number>((one, other) => one < other);
      let plain: number[] = [];
      for (const step of steps) {
        const popped = step === null ? heap.pop() : heap.push(step);
        expect(popped).toBe(step === null ? plain[0] : undefined);
        plain = step === null ? plain.slice(1) : [...plain, step].toSorted((a, b) => a - b);
        expect(heap.peek()).toBe(plain[0]);
        expect(heap.size).toBe(plain.length);
      }
    }),
  );
});
