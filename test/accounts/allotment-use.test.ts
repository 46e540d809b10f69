import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  allotmentFor,
  hasRoom,
  secondsCommitted,
  secondsFunded,
  secondsLeft,
  secondsUsed,
  usedUpBy,
  useByCycle,
} from '../../src/accounts/allotment-use.ts';
import { CYCLES, cycleAt } from '../../src/accounts/cycles.ts';
import type { Allotment } from '../../src/accounts/limits.ts';
import { toEpochMs, toIsoUtc } from '../../src/units/time.ts';

function allotment(fields: Partial<Allotment> = {}): Allotment {
  return { seconds: 600, cycle: 'monthly', minimum: 0, increment: 1, grace: 0, groups: [], ...fields };
}

const pulses = fc.record({
  minimum: fc.nat(90),
  increment: fc.integer({ min: 1, max: 70 }),
  grace: fc.nat(10),
});

describe('a call uses an allotment', () => {
  it.each([
    [40, 60],
    [69, 70],
    [75, 80],
    [5, 0],
    [6, 60],
    [0, 0],
    [60, 60],
    [61, 70],
    [70, 70],
  ])('T30 of minimum 60, increment 10 and grace 5: %i s as %i', (billed, used) => {
    expect(secondsUsed({ minimum: 60, increment: 10, grace: 5 }, billed)).toBe(used);
  });

  it('to the second where nothing else is said', () => {
    fc.assert(
      fc.property(fc.nat(9000), (billed) => {
        expect(secondsUsed(allotment(), billed)).toBe(billed);
      }),
    );
  });

  it('never less for longer, nor less than it was long, unless in the grace', () => {
    fc.assert(
      fc.property(pulses, fc.nat(400), (terms, billed) => {
        const used = secondsUsed(terms, billed);
        expect(secondsUsed(terms, billed + 1)).toBeGreaterThanOrEqual(used);
        expect(used === 0 ? billed <= terms.grace : used >= billed).toBe(true);
        expect(used - billed).toBeLessThan(Math.max(terms.minimum, terms.increment) + 1);
      }),
    );
  });
});

describe('an allotment admits a call', () => {
  it.each([
    [{ minimum: 60 }, 540, true],
    [{ minimum: 60 }, 541, false],
    [{ minimum: 60, increment: 100 }, 500, true],
    [{ minimum: 60, increment: 100 }, 501, false],
    // Used up is used up, though no minimum is asked for.
    [{}, 599, true],
    [{}, 600, false],
    [{}, 700, false],
    [{ seconds: 0 }, 0, false],
  ])('T31 of 600 s with %j after %i: %s', (fields, used, expected) => {
    expect(hasRoom(allotment(fields), used)).toBe(expected);
    expect(secondsLeft(allotment(fields), used)).toBeGreaterThanOrEqual(0);
  });

  it('and lets it go on for as long as pulses can be had, exactly', () => {
    fc.assert(
      fc.property(pulses, fc.nat(500), (terms, left) => {
        const funded = secondsFunded(terms, left);
        fc.pre(funded > 0);
        // The last second that is paid for was committed with what is left, and the next would not be.
        expect(secondsCommitted(terms, funded - 1)).toBeLessThanOrEqual(left);
        expect(secondsCommitted(terms, funded)).toBeGreaterThan(left);
        expect(secondsUsed({ ...terms, grace: 0 }, funded)).toBeLessThanOrEqual(left);
      }),
    );
    expect(secondsFunded(allotment(), 120)).toBe(120);
    expect(secondsFunded(allotment({ minimum: 60, increment: 6 }), 65)).toBe(60);
    expect(secondsFunded(allotment({ minimum: 60 }), 59)).toBe(0);
  });
});

function used(fields: Partial<Allotment>, zone: string, answered: string, billedSeconds: number) {
  const answeredAt = toEpochMs(Date.parse(`${answered}Z`));
  return useByCycle(allotment(fields), zone, { answeredAt, billedSeconds }).map(({ span, seconds }) => [
    toIsoUtc(span.startsAt).slice(0, 16),
    seconds,
  ]);
}

describe('seconds count in the cycle in which they are spoken', () => {
  it.each<
    readonly [string, Partial<Allotment>, string, string, number, readonly (readonly [string, number])[]]
  >([
    ['T33 the last day of a long month', {}, 'UTC', '2026-03-31T10:30:00', 50, [['2026-03-01T00:00', 50]]],
    [
      'T33 forty of a hundred seconds',
      { cycle: 'daily' },
      'UTC',
      '2026-03-31T23:59:00',
      100,
      [
        ['2026-03-31T00:00', 60],
        ['2026-04-01T00:00', 40],
      ],
    ],
    [
      'T33 a week over the end of a month',
      { cycle: 'weekly' },
      'UTC',
      '2026-04-01T12:00:00',
      9,
      [['2026-03-30T00:00', 9]],
    ],
    ['T33 a year', { cycle: 'yearly' }, 'UTC', '2026-04-01T12:00:00', 9, [['2026-01-01T00:00', 9]]],
    [
      'what rounding adds is of the last',
      { cycle: 'hourly', minimum: 60, increment: 30 },
      'UTC',
      '2026-01-01T00:59:20',
      65,
      [
        ['2026-01-01T00:00', 40],
        ['2026-01-01T01:00', 50],
      ],
    ],
    [
      'a second belongs where it begins',
      { cycle: 'minutely' },
      'UTC',
      '2026-01-01T00:00:57.500',
      4,
      [
        ['2026-01-01T00:00', 3],
        ['2026-01-01T00:01', 1],
      ],
    ],
    [
      'whole cycles between',
      { cycle: 'minutely' },
      'UTC',
      '2026-01-01T00:00:50',
      75,
      [
        ['2026-01-01T00:00', 10],
        ['2026-01-01T00:01', 60],
        ['2026-01-01T00:02', 5],
      ],
    ],
    ['within the grace', { cycle: 'hourly', grace: 20 }, 'UTC', '2026-01-01T00:59:50', 20, []],
    [
      'an hour that is shown twice',
      { cycle: 'hourly' },
      'Europe/Berlin',
      '2026-10-25T00:59:30',
      60,
      [
        ['2026-10-25T00:00', 30],
        ['2026-10-25T01:00', 30],
      ],
    ],
  ])('%s', (_, fields, zone, answered, billed, expected) => {
    expect(used(fields, zone, answered, billed)).toEqual(expected);
  });

  it('all of them, each once', () => {
    const call = fc.record({
      answeredAt: fc.integer({ min: 0, max: 2 ** 41 }).map(toEpochMs),
      billedSeconds: fc.nat(900),
    });
    fc.assert(
      fc.property(fc.constantFrom(...CYCLES), pulses, call, (cycle, terms, { answeredAt, billedSeconds }) => {
        const uses = useByCycle(allotment({ cycle, ...terms }), 'America/New_York', {
          answeredAt,
          billedSeconds,
        });
        const sum = uses.reduce((total, { seconds }) => total + seconds, 0);
        expect(sum).toBe(secondsUsed(terms, billedSeconds));
        expect(uses.every(({ seconds }) => seconds > 0)).toBe(true);
        expect(uses.length === 0 ? [] : [uses[0]?.span]).toEqual(
          uses.length === 0 ? [] : [cycleAt(cycle, 'America/New_York', answeredAt)],
        );
      }),
    );
  });
});

describe('which allotments a call uses', () => {
  const allotments = {
    did_us: allotment({ groups: ['inbound_did_us'] }),
    inbound_did_us: allotment(),
    international: allotment({ groups: ['did_us'] }),
  };
  it('that of its direction, else that of its classification', () => {
    const nameOf = (direction: 'inbound' | 'outbound', classification: string) =>
      allotmentFor(allotments, { direction, classification })?.name;
    expect(nameOf('inbound', 'did_us')).toBe('inbound_did_us');
    expect(nameOf('outbound', 'did_us')).toBe('did_us');
    expect(nameOf('outbound', 'caribbean')).toBeUndefined();
    expect(nameOf('outbound', 'constructor')).toBeUndefined();
  });
  it('and those that count it, not those that count these', () => {
    expect(usedUpBy(allotments, 'inbound_did_us')).toEqual(['inbound_did_us', 'did_us']);
    expect(usedUpBy(allotments, 'did_us')).toEqual(['did_us', 'international']);
    expect(usedUpBy(allotments, 'international')).toEqual(['international']);
  });
});
