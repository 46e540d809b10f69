import { COUNTERS } from '../../src/admission/plan.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Case, Step } from './cases.ts';
import { GATES, openExchange, type Exchange, type World } from './exchange.ts';

const USE_SETTLES_MS = 3_000;

/** Runs a table through both gates: every step in its order, and what is counted afterwards is nothing. */
export function runCases(cases: readonly Case[], settings: Readonly<Record<string, string>> = {}): void {
  let exchange: Exchange;

  beforeAll(async () => {
    exchange = await openExchange(cases, settings);
  });

  afterAll(async () => {
    await exchange.close();
  });

  describe.each(GATES)('through the gate %s', (gate) => {
    beforeAll(() => {
      exchange.useGate(gate);
    });

    // Each case has its tenants to itself.
    it.concurrent.each(cases.map(({ title, steps }, index) => [title, steps, index] as const))(
      '%s',
      async (_, steps, index) => {
        const world = exchange.enter(index);
        const story: unknown[] = [];
        for (const step of steps) story.push(await play(world, step));
        // Wanted and seen as whole stories: a failure shows what came before it.
        expect(story).toEqual(steps);
        await world.leave();
      },
    );
  });

  it('leaves books that add up', async () => {
    expect(await exchange.findings()).toEqual([]);
  });
}

/** The step as it really was. */
async function play(world: World, step: Step): Promise<unknown> {
  if (!('length' in step)) return await playOther(world, step);
  const [call] = step;
  return [call, await world.dial(call)];
}

async function playOther(world: World, step: Exclude<Step, readonly [unknown, unknown]>): Promise<unknown> {
  if ('hangUp' in step) await world.hangUp(step.hangUp);
  if ('set' in step) await world.set(step.set, step.to);
  if ('setRoute' in step) await world.setRoute(step.setRoute, step.to);
  if ('pay' in step) await world.pay(step.pay, step.amount);
  if ('use' in step) return { ...step, is: await useSettled(world, step) };
  if ('decision' in step) return { ...step, decision: world.decision(step.of) };
  if (!('together' in step)) return step;
  const verdicts: Record<string, number> = {};
  for (const verdict of await world.dialTogether(step.together)) {
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  }
  return { ...step, verdicts };
}

/** A call that was just refused or hung up is counted until its controller has heard of it. */
async function useSettled(world: World, step: Extract<Step, { readonly use: unknown }>): Promise<unknown> {
  const isWanted = (counts: Readonly<Record<string, number>>): boolean =>
    COUNTERS.every((counter) => (counts[counter] ?? 0) === (step.is[counter] ?? 0));
  const until = performance.now() + USE_SETTLES_MS;
  for (;;) {
    const is = await world.use(step.use);
    if (isWanted(is) || performance.now() > until) return is;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
