import { afterEach, describe, expect, it } from 'vitest';
import { createNearLooks, type NearLooks } from '../../src/queue/near-looks.ts';
import { toEpochMs, type EpochMs } from '../../src/units/time.ts';
import { until } from '../feed/until.ts';
import { account } from '../records/samples.ts';

const ACME = account('acme');
const ZETA = account('zeta');
const clock = () => toEpochMs(Date.now());
const inMs = (ms: number): EpochMs => toEpochMs(Date.now() + ms);

type Look = { readonly roots: readonly string[]; readonly until: EpochMs; readonly at: number };
let near: NearLooks;
afterEach(() => near.stop());

function looks(during: (look: Look) => Promise<void> | void = () => undefined): readonly Look[] {
  const made: Look[] = [];
  near = createNearLooks(clock, async (roots, until) => {
    const look = { roots, until, at: performance.now() };
    made.push(look);
    await during(look);
  });
  return made;
}

describe('a look at what is near', () => {
  it('is made at once, and once for all roots named meanwhile', async () => {
    const made = looks();
    const due = inMs(800);
    const askedAt = performance.now();
    near.add(ACME, inMs(500));
    near.add(ZETA, due);
    near.add(ACME, inMs(400));
    await until(() => made.length === 1, 'the look');
    expect(made[0]?.roots).toEqual(['acme', 'zeta']);
    expect(made[0]?.until).toBeGreaterThanOrEqual(due);
    expect((made[0]?.at ?? Infinity) - askedAt).toBeLessThan(400);
  });

  it('does not become a tight loop when what it calls says the same again', async () => {
    const due = inMs(600);
    const made = looks(() => near.add(ACME, due));
    near.add(ACME, due);
    await until(() => Date.now() > due, 'the due time');
    expect(made.length).toBeGreaterThan(1);
    expect(made.length).toBeLessThan(25);
    expect(made.at(-1)?.at ?? 0).toBeGreaterThan(performance.now() - 500);
  });

  it('brings a later, nearer word forward', async () => {
    const made = looks();
    near.add(ACME, inMs(1000));
    await until(() => made.length === 1, 'the first look');
    near.add(ACME, inMs(5000));
    const askedAt = performance.now();
    near.add(ZETA, inMs(0));
    await until(() => made.length === 2, 'the second look');
    expect(performance.now() - askedAt).toBeLessThan(800);
    expect(made[1]?.roots).toEqual(['acme', 'zeta']);
  });

  it('waits for the one under way before it stops', async () => {
    let ended = false;
    const made = looks(async () => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      ended = true;
    });
    near.add(ACME, inMs(0));
    await until(() => made.length === 1, 'the look');
    near.add(ZETA, inMs(0));
    await near.stop();
    expect(ended).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(made).toHaveLength(1);
  });
});
