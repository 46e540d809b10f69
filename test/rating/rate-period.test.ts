import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  nextPeriodEdge,
  parseClock,
  parseDays,
  periodHolds,
  periodOf,
  periodText,
  weekMinuteAt,
  type RatePeriod,
} from '../../src/rating/rate-period.ts';
import { toEpochMs, type EpochMs } from '../../src/units/time.ts';
import { anyPeriod, period } from './samples.ts';

const BERLIN = 'Europe/Berlin';
const SAO_PAULO = 'America/Sao_Paulo';
const MINUTE_MS = 60_000;

function moment(text: string): EpochMs {
  return toEpochMs(Date.parse(text));
}

function holds(one: RatePeriod, zone: string, text: string): boolean {
  return periodHolds(one, weekMinuteAt(zone, moment(text)));
}

describe('a period holds', () => {
  test.each([
    // 2026-03-02 is a Monday.
    ['mon-fri 08:00-18:00', '2026-03-02T07:59:59.999Z', false],
    ['mon-fri 08:00-18:00', '2026-03-02T08:00Z', true],
    ['mon-fri 08:00-18:00', '2026-03-06T17:59:59.999Z', true],
    ['mon-fri 08:00-18:00', '2026-03-06T18:00Z', false],
    ['mon-fri 08:00-18:00', '2026-03-07T12:00Z', false],
    ['sat,sun', '2026-03-07T00:00Z', true],
    ['sat,sun', '2026-03-08T23:59:59.999Z', true],
    ['sat,sun', '2026-03-09T00:00Z', false],
    ['fri 22:00-06:00', '2026-03-06T22:00Z', true],
    ['fri 22:00-06:00', '2026-03-07T05:59Z', true],
    ['fri 22:00-06:00', '2026-03-07T06:00Z', false],
    ['fri 22:00-06:00', '2026-03-06T05:00Z', false],
    ['fri 22:00-06:00', '2026-03-07T22:00Z', false],
    ['sun 20:00-04:00', '2026-03-09T03:59Z', true],
    ['sun 20:00-04:00', '2026-03-09T04:00Z', false],
    ['18:00-24:00', '2026-03-04T23:59Z', true],
    ['18:00-24:00', '2026-03-04T00:00Z', false],
  ])('%s at %s: %s', (written, at, expected) => {
    expect(holds(period(written), 'UTC', at)).toBe(expected);
  });

  test('by the clocks of its zone, in summer and in winter', () => {
    const peak = period('mon-fri 08:00-18:00');
    expect(holds(peak, BERLIN, '2026-01-05T07:00Z')).toBe(true);
    expect(holds(peak, BERLIN, '2026-01-05T06:59Z')).toBe(false);
    expect(holds(peak, BERLIN, '2026-07-06T06:00Z')).toBe(true);
    expect(holds(peak, BERLIN, '2026-07-06T16:00Z')).toBe(false);
  });

  test('through an hour that the clocks jump over, or not at all in it', () => {
    // In Berlin 01:59:59 is followed by 03:00:00 on 2026-03-29, a Sunday, at 01:00 UTC.
    const early = period('sun 02:30-03:30');
    expect(holds(early, BERLIN, '2026-03-29T00:59:59.999Z')).toBe(false);
    expect(holds(early, BERLIN, '2026-03-29T01:00Z')).toBe(true);
    expect(holds(early, BERLIN, '2026-03-29T01:29:59.999Z')).toBe(true);
    expect(holds(early, BERLIN, '2026-03-29T01:30Z')).toBe(false);
    const never = period('02:00-03:00');
    expect(holds(never, BERLIN, '2026-03-29T00:59:59.999Z')).toBe(false);
    expect(holds(never, BERLIN, '2026-03-29T01:00Z')).toBe(false);
  });

  test('in both of two hours that the clocks show', () => {
    // In Berlin 02:59:59 is followed by 02:00:00 on 2026-10-25, a Sunday, at 01:00 UTC.
    const night = period('sun 02:00-02:30');
    const held = ['T23:59Z', 'T00:00Z', 'T00:29Z', 'T00:30Z', 'T00:59Z', 'T01:00Z', 'T01:29Z', 'T01:30Z'];
    const days = held.map((time) => (time === 'T23:59Z' ? `2026-10-24${time}` : `2026-10-25${time}`));
    expect(days.map((at) => holds(night, BERLIN, at))).toEqual([
      false,
      true,
      true,
      false,
      false,
      true,
      true,
      false,
    ]);
  });

  test('over a midnight that there is not', () => {
    // In Sao Paulo 23:59:59 on Saturday, 2018-11-03, is followed by 01:00:00 on Sunday, at 03:00 UTC.
    const saturdayNight = period('sat 22:00-00:30');
    expect(holds(saturdayNight, SAO_PAULO, '2018-11-04T02:59:59.999Z')).toBe(true);
    expect(holds(saturdayNight, SAO_PAULO, '2018-11-04T03:00Z')).toBe(false);
    const sunday = period('sun');
    expect(holds(sunday, SAO_PAULO, '2018-11-04T02:59:59.999Z')).toBe(false);
    expect(holds(sunday, SAO_PAULO, '2018-11-04T03:00Z')).toBe(true);
    expect(holds(sunday, SAO_PAULO, '2018-11-05T01:59:59.999Z')).toBe(true);
    expect(holds(sunday, SAO_PAULO, '2018-11-05T02:00Z')).toBe(false);
  });
});

/** The days around changes of the clocks, and some others. */
const anyStart = fc.constantFrom(
  { zone: BERLIN, from: '2026-03-28T12:00Z' },
  { zone: BERLIN, from: '2026-10-24T12:00Z' },
  { zone: SAO_PAULO, from: '2018-11-03T12:00Z' },
  { zone: SAO_PAULO, from: '2018-02-17T12:00Z' },
  { zone: 'Asia/Kathmandu', from: '2026-05-01T00:00Z' },
  { zone: 'Australia/Lord_Howe', from: '2026-04-04T00:00Z' },
  { zone: 'UTC', from: '1969-12-31T00:00Z' },
);

const formats = new Map<string, Intl.DateTimeFormat>();

/** What Intl itself says that the clocks show. */
function shown(zone: string, at: EpochMs): { readonly day: number; readonly minute: number } {
  const fields = { weekday: 'short', hour: '2-digit', minute: '2-digit' } as const;
  const format = formats.get(zone) ?? new Intl.DateTimeFormat('en-GB', { timeZone: zone, ...fields });
  formats.set(zone, format);
  const [, weekday = '', hour = '', minute = ''] =
    /^(\w{3})\w*,? (\d{2}):(\d{2})$/.exec(format.format(at)) ?? [];
  return {
    day: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'].indexOf(weekday),
    minute: Number(hour) * 60 + Number(minute),
  };
}

describe('periods, minute by minute around a change of the clocks,', () => {
  test('hold as the shown day and time say', () => {
    fc.assert(
      fc.property(anyPeriod, anyStart, fc.nat({ max: 1440 }), (one, { zone, from }, after) => {
        const at = toEpochMs(moment(from) + after * MINUTE_MS);
        const { day, minute } = shown(zone, at);
        const begins = (which: number) => (one.days & (1 << ((which + 7) % 7))) !== 0;
        const expected =
          one.fromMinute < one.untilMinute
            ? begins(day) && minute >= one.fromMinute && minute < one.untilMinute
            : (begins(day) && minute >= one.fromMinute) || (begins(day - 1) && minute < one.untilMinute);
        expect(periodHolds(one, weekMinuteAt(zone, at))).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  test('stay as they are up to the next edge, and every edge comes', () => {
    fc.assert(
      fc.property(
        fc.array(anyPeriod, { minLength: 1, maxLength: 3 }),
        anyStart,
        (periods, { zone, from }) => {
          const state = (at: EpochMs) =>
            periods.map((one) => periodHolds(one, weekMinuteAt(zone, at))).join(' ');
          const start = moment(from);
          let edge = nextPeriodEdge(periods, zone, start);
          let before = state(start);
          const changes: string[] = [];
          for (let minute = 1; minute <= 2 * 1440; minute++) {
            const at = toEpochMs(start + minute * MINUTE_MS);
            if (edge !== undefined && at >= edge) {
              before = state(at);
              edge = nextPeriodEdge(periods, zone, at);
            }
            if (edge === undefined || edge <= at) throw new Error('every period has a further edge');
            if (state(at) !== before) changes.push(`${new Date(at).toISOString()} is no edge`);
          }
          expect(changes).toEqual([]);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('no period has no edge', () => {
    expect(nextPeriodEdge([], 'UTC', moment('2026-03-02T00:00Z'))).toBeUndefined();
  });

  test('an edge is told to the millisecond', () => {
    const peak = [period('mon-fri 08:00-18:00')];
    expect(nextPeriodEdge(peak, BERLIN, moment('2026-03-02T06:59:59.999Z'))).toBe(
      moment('2026-03-02T07:00Z'),
    );
    expect(nextPeriodEdge(peak, BERLIN, moment('2026-03-02T07:00Z'))).toBe(moment('2026-03-02T17:00Z'));
    // The change of the clocks itself is one, for 02:30 is jumped over.
    expect(nextPeriodEdge([period('02:30-12:00')], BERLIN, moment('2026-03-29T00:10Z'))).toBe(
      moment('2026-03-29T01:00Z'),
    );
  });
});

describe('days', () => {
  test.each([
    ['mon', 1],
    ['mon-fri', 31],
    ['sat,sun', 96],
    ['Sat; SUN', 96],
    ['fri-mon', 113],
    ['sun-sat', 127],
    ['mon|wed-thu sun', 77],
  ])('%s is %i', (text, days) => {
    expect(parseDays(text)).toBe(days);
  });

  test.each(['', 'monday', 'mo', 'mon-', '-fri', 'mon-tue-wed', '1-5', 'xyz'])('%j is none', (text) => {
    expect(parseDays(text)).toBeUndefined();
  });
});

test.each([
  ['00:00', 0],
  ['08:05', 485],
  ['23:59', 1439],
  ['24:00', 1440],
  ['24:01', undefined],
  ['12:60', undefined],
  ['8:00', undefined],
  ['08:00:00', undefined],
  ['0800', undefined],
])('the time of day %s is minute %s', (text, minute) => {
  expect(parseClock(text)).toBe(minute);
});

test('the whole week is no period, however it is written', () => {
  const always = { days: undefined, fromMinute: undefined, untilMinute: undefined };
  expect(periodOf(always)).toBeUndefined();
  expect(periodOf({ days: 127, fromMinute: 0, untilMinute: 1440 })).toBeUndefined();
  expect(periodOf({ ...always, fromMinute: 0, untilMinute: 0 })).toBeUndefined();
  expect(periodText(undefined)).toEqual({ days: '', from: '', until: '' });
});

test.each([
  [31, 'mon-fri'],
  [96, 'sat,sun'],
  [113, 'fri-mon'],
  [77, 'wed,thu,sun,mon'],
  [20, 'wed,fri'],
  [126, 'tue-sun'],
])('days %i are written %s', (days, text) => {
  expect(periodText({ days, fromMinute: 0, untilMinute: 1440 }).days).toBe(text);
});

test('a period is written so that it reads back as the same', () => {
  fc.assert(
    fc.property(anyPeriod, (one) => {
      const { days, from, until } = periodText(periodOf(one));
      const read = {
        days: days === '' ? undefined : parseDays(days),
        fromMinute: from === '' ? undefined : parseClock(from),
        untilMinute: until === '' ? undefined : parseClock(until),
      };
      expect(periodOf(read)).toEqual(periodOf(one));
    }),
  );
});
