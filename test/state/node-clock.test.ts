import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNodeClocks } from '../../src/state/node-clock.ts';
import type { NodeId } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';

const NODE = 'fs1' as NodeId;
const at = toEpochMs;

describe("a node's clock", () => {
  it('is as far from ours as its least delayed event says (ruling 21)', () => {
    const clocks = createNodeClocks();
    clocks.observe(NODE, at(1_000), at(6_300));
    clocks.observe(NODE, at(2_000), at(7_002));
    clocks.observe(NODE, at(3_000), at(9_000));
    expect(clocks.toOurs(NODE, at(2_500), at(20_000))).toBe(7_502);
  });

  it('may be ahead of ours', () => {
    const clocks = createNodeClocks();
    clocks.observe(NODE, at(90_000), at(10_000));
    expect(clocks.toOurs(NODE, at(90_500), at(11_000))).toBe(10_500);
  });

  it('never says that something lies ahead of now', () => {
    const clocks = createNodeClocks();
    clocks.observe(NODE, at(1_000), at(1_500));
    expect(clocks.toOurs(NODE, at(2_000), at(2_100))).toBe(2_100);
    expect(clocks.toOurs('other' as NodeId, at(5_000), at(4_000))).toBe(4_000);
    expect(clocks.toOurs('other' as NodeId, at(3_000), at(4_000))).toBe(3_000);
  });

  it('is believed anew after two windows, so that a step of it does not stay', () => {
    const clocks = createNodeClocks();
    clocks.observe(NODE, at(0), at(10));
    // The node's clock has stepped back by a minute: the offset grows.
    clocks.observe(NODE, at(10_000), at(70_020));
    expect(clocks.toOurs(NODE, at(10_000), at(70_020))).toBe(10_010);
    clocks.observe(NODE, at(80_000), at(140_020));
    expect(clocks.toOurs(NODE, at(80_000), at(140_020))).toBe(140_020);
  });

  it('is one clock to a node', () => {
    const clocks = createNodeClocks();
    clocks.observe(NODE, at(0), at(10));
    clocks.observe('fs2' as NodeId, at(0), at(5_000));
    expect(clocks.toOurs(NODE, at(100), at(9_000))).toBe(110);
    expect(clocks.toOurs('fs2' as NodeId, at(100), at(9_000))).toBe(5_100);
  });

  it('never puts an event later than it was received, nor earlier than the least delay allows', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1e9, max: 1e9 }),
        fc.array(fc.record({ gap: fc.nat(1_000), delay: fc.nat(3_000) }), { minLength: 1, maxLength: 50 }),
        (offset, steps) => {
          const clocks = createNodeClocks();
          let occurred = 2e9;
          const least = Math.min(...steps.map(({ delay }) => delay));
          for (const { gap, delay } of steps) {
            occurred += gap;
            const received = at(occurred + offset + delay);
            clocks.observe(NODE, at(occurred), received);
            const ours = clocks.toOurs(NODE, at(occurred), received);
            expect(ours).toBeLessThanOrEqual(received);
            expect(ours).toBeGreaterThanOrEqual(occurred + offset + least);
          }
        },
      ),
    );
  });
});
