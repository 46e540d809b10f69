import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FarEnd } from '../../src/simulator/far-end.ts';
import type { Action } from '../../src/simulator/leg.ts';
import type { EslClient } from './esl-client.ts';
import { Stage } from './stage.ts';

/** What may happen to any leg at any time. */
const MEDDLING = [
  'uuid_kill A ALLOTTED_TIMEOUT',
  'uuid_transfer A 2 XML public',
  'uuid_transfer A -bleg 2 XML public',
  'uuid_transfer A -both 3 XML public',
  'uuid_bridge A B',
  'uuid_park A',
  'uuid_answer A',
  'sched_hangup +1 A',
  'uuid_broadcast A silence_stream://300',
  'hangup A',
] as const;

const DIALPLAN: Readonly<Record<string, readonly Action[]>> = {
  '1': [
    ['set', 'hangup_after_bridge=true'],
    ['bridge', 'sofia/gateway/a/10,sofia/gateway/a/11|sofia/gateway/a/12'],
  ],
  '2': [['bridge', 'sofia/gateway/a/13'], ['bridge', 'sofia/gateway/a/10'], ['answer'], ['sleep', '700']],
  '3': [['answer'], ['set', 'park_timeout=4'], ['park']],
  '4': [['bridge', 'loopback/5/public']],
  '5': [['ring_ready'], ['sleep', '300'], ['answer'], ['playback', 'silence_stream://2000']],
};

const farEnd = fc.oneof(
  fc.record({
    kind: fc.constant('answers' as const),
    afterMs: fc.integer({ min: 0, max: 2000 }),
    hangsUpAfterMs: fc.integer({ min: 0, max: 4000 }),
  }),
  fc.record({
    kind: fc.constant('rejects' as const),
    cause: fc.constantFrom('USER_BUSY', 'NORMAL_TEMPORARY_FAILURE'),
    afterMs: fc.integer({ min: 0, max: 1000 }),
  }),
  fc.record({ kind: fc.constant('rings' as const), earlyMediaAfterMs: fc.integer({ min: 1, max: 3000 }) }),
);

const run = fc.record({
  farEnds: fc.array(farEnd, { minLength: 4, maxLength: 4 }),
  calls: fc.array(
    fc.record({
      to: fc.constantFrom(...Object.keys(DIALPLAN)),
      atMs: fc.integer({ min: 0, max: 1000 }),
      hangsUpAfterMs: fc.integer({ min: 0, max: 9000 }),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  meddling: fc.array(
    fc.record({
      what: fc.constantFrom(...MEDDLING),
      atMs: fc.integer({ min: 0, max: 6000 }),
      first: fc.nat(9),
      second: fc.nat(9),
    }),
    { maxLength: 8 },
  ),
});

type Run = typeof run extends fc.Arbitrary<infer Value> ? Value : never;

async function play({ farEnds, calls, meddling }: Run): Promise<{ stage: Stage; client: EslClient }> {
  const stage = await Stage.open();
  stage.sim.dialplan(({ destination }) => DIALPLAN[destination]);
  for (const [index, far] of farEnds.entries()) stage.sim.endpoint(String(10 + index), far satisfies FarEnd);
  const client = await stage.login('event json ALL');
  for (const { to, atMs, hangsUpAfterMs } of calls) {
    stage.time.after(atMs, () => void stage.sim.placeCall({ from: '1001', to, hangsUpAfterMs }));
  }
  for (const { what, atMs, first, second } of meddling) {
    stage.time.after(atMs, () => {
      const uuids = stage.sim.legs().map(({ uuid }) => uuid);
      const [aLeg = 'none', bLeg = 'none'] = [uuids[first % uuids.length], uuids[second % uuids.length]];
      if (what === 'hangup A') stage.sim.hangup(aLeg);
      else stage.sim.runApi(what.replace('A', aLeg).replace(/\bB\b/, bLeg));
    });
  }
  stage.time.advance(60_000);
  // Legs that nobody would ever end, as a carrier's leg that was parked.
  stage.sim.runApi('hupall normal_clearing');
  stage.time.advance(5000);
  await stage.settle();
  const legCount = stage.sim.legs().length;
  await stage.runUntil('the last event', () => client.eventsNamed('CHANNEL_DESTROY').length === legCount);
  return { stage, client };
}

describe('whatever happens to calls', () => {
  it('each leg is created once, hung up once, completed once and destroyed once, in this order', async () => {
    await fc.assert(
      fc.asyncProperty(run, async (choices) => {
        const { stage, client } = await play(choices);
        expect(stage.sim.liveCount).toBe(0);
        for (const leg of stage.sim.legs()) {
          const names = client.events
            .filter((event) => event['Unique-ID'] === leg.uuid)
            .map((event) => event['Event-Name'] ?? '');
          const life = ['CHANNEL_CREATE', 'CHANNEL_HANGUP', 'CHANNEL_HANGUP_COMPLETE', 'CHANNEL_DESTROY'];
          // A leg may be hung up before its thread has started.
          expect(names.filter((name) => life.includes(name)).toSorted()).toEqual(life.toSorted());
          expect(names.indexOf('CHANNEL_HANGUP')).toBeLessThan(names.indexOf('CHANNEL_HANGUP_COMPLETE'));
          expect(names.indexOf('CHANNEL_HANGUP_COMPLETE')).toBeLessThan(names.indexOf('CHANNEL_DESTROY'));
          expect(names.filter((name) => name === 'CHANNEL_ANSWER')).toHaveLength(
            leg.answeredMicros === undefined ? 0 : 1,
          );
        }
        await stage.close();
      }),
      { numRuns: 60 },
    );
  });

  it('bridges and their ends come in pairs, and what is billed is what was spoken', async () => {
    await fc.assert(
      fc.asyncProperty(run, async (choices) => {
        const { stage, client } = await play(choices);
        const pairOf = (event: Readonly<Record<string, string>>) =>
          `${event['Bridge-A-Unique-ID']} ${event['Bridge-B-Unique-ID']}`;
        expect(client.eventsNamed('CHANNEL_BRIDGE').map(pairOf).toSorted()).toEqual(
          client.eventsNamed('CHANNEL_UNBRIDGE').map(pairOf).toSorted(),
        );
        for (const leg of stage.sim.legs()) {
          const [end] = client.eventsNamed('CHANNEL_HANGUP_COMPLETE', leg.uuid);
          const spoken = leg.answeredMicros === undefined ? 0 : (leg.endedMicros ?? 0) - leg.answeredMicros;
          expect(Number(end?.['variable_billusec'])).toBe(spoken);
          expect(Math.abs(Number(end?.['variable_billsec']) - spoken / 1_000_000)).toBeLessThan(1.000_001);
          expect(end?.['Hangup-Cause']).toBe(leg.cause);
        }
        await stage.close();
      }),
      { numRuns: 60 },
    );
  });
});
