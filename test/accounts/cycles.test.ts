import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CYCLES, cycleAt, splitByCycle, type Cycle } from '../../src/accounts/cycles.ts';
import { isTimeZone } from '../../src/units/time-zone.ts';
import { addMs, toEpochMs, toIsoUtc, type EpochMs } from '../../src/units/time.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

function at(utc: string): EpochMs {
  return toEpochMs(Date.parse(`${utc}Z`));
}

function spanOf(cycle: Cycle, zone: string, utc: string): readonly string[] {
  const { startsAt, endsAt } = cycleAt(cycle, zone, at(utc));
  return [startsAt, endsAt].map((moment) => toIsoUtc(moment).slice(0, 16));
}

const BERLIN = 'Europe/Berlin';
const SAO_PAULO = 'America/Sao_Paulo';

describe('a cycle lies between boundaries of the calendar in its zone', () => {
  it.each<readonly [Cycle, string, string, string, string]>([
    // 2026-03-29 02:00 becomes 03:00 in Berlin.
    ['daily', BERLIN, '2026-03-29T12:00', '2026-03-28T23:00', '2026-03-29T22:00'],
    ['hourly', BERLIN, '2026-03-29T00:30', '2026-03-29T00:00', '2026-03-29T01:00'],
    ['hourly', BERLIN, '2026-03-29T01:00', '2026-03-29T01:00', '2026-03-29T02:00'],
    ['weekly', BERLIN, '2026-03-29T21:59', '2026-03-22T23:00', '2026-03-29T22:00'],
    ['weekly', BERLIN, '2026-03-29T22:00', '2026-03-29T22:00', '2026-04-05T22:00'],
    ['monthly', BERLIN, '2026-03-31T21:59', '2026-02-28T23:00', '2026-03-31T22:00'],
    // 2026-10-25 03:00 becomes 02:00: the hour from two is shown twice, and is two cycles.
    ['daily', BERLIN, '2026-10-25T12:00', '2026-10-24T22:00', '2026-10-25T23:00'],
    ['hourly', BERLIN, '2026-10-25T00:30', '2026-10-25T00:00', '2026-10-25T01:00'],
    ['hourly', BERLIN, '2026-10-25T01:30', '2026-10-25T01:00', '2026-10-25T02:00'],
    ['minutely', BERLIN, '2026-10-25T01:00', '2026-10-25T01:00', '2026-10-25T01:01'],
    // 2018-11-04 has no hour from midnight in Brazil: the day starts at one.
    ['daily', SAO_PAULO, '2018-11-04T02:59', '2018-11-03T03:00', '2018-11-04T03:00'],
    ['daily', SAO_PAULO, '2018-11-04T03:00', '2018-11-04T03:00', '2018-11-05T02:00'],
    ['hourly', SAO_PAULO, '2018-11-04T03:00', '2018-11-04T03:00', '2018-11-04T04:00'],
    ['monthly', SAO_PAULO, '2018-11-15T00:00', '2018-11-01T03:00', '2018-12-01T02:00'],
    // 2018-02-18 00:00 becomes 23:00: the Saturday has 25 hours, and the week ends a day later.
    ['daily', SAO_PAULO, '2018-02-18T02:30', '2018-02-17T02:00', '2018-02-18T03:00'],
    ['hourly', SAO_PAULO, '2018-02-18T01:30', '2018-02-18T01:00', '2018-02-18T02:00'],
    ['hourly', SAO_PAULO, '2018-02-18T02:30', '2018-02-18T02:00', '2018-02-18T03:00'],
    // Half and quarter hours from UTC, and a shift of half an hour (Lord Howe, 2026-04-05 02:00 becomes 01:30).
    ['hourly', 'Asia/Kolkata', '2026-01-01T00:00', '2025-12-31T23:30', '2026-01-01T00:30'],
    ['daily', 'Asia/Kathmandu', '2026-01-01T00:00', '2025-12-31T18:15', '2026-01-01T18:15'],
    ['hourly', 'Australia/Lord_Howe', '2026-04-04T14:59', '2026-04-04T14:00', '2026-04-04T15:00'],
    ['hourly', 'Australia/Lord_Howe', '2026-04-04T15:00', '2026-04-04T15:00', '2026-04-04T15:30'],
    ['hourly', 'Australia/Lord_Howe', '2026-10-03T15:40', '2026-10-03T15:30', '2026-10-03T16:00'],
    // Month ends, the 29th of February, a year in which there is none.
    ['monthly', 'UTC', '2026-01-31T23:59', '2026-01-01T00:00', '2026-02-01T00:00'],
    ['monthly', 'UTC', '2028-02-29T12:00', '2028-02-01T00:00', '2028-03-01T00:00'],
    ['daily', BERLIN, '2028-02-29T12:00', '2028-02-28T23:00', '2028-02-29T23:00'],
    ['yearly', BERLIN, '2028-02-29T12:00', '2027-12-31T23:00', '2028-12-31T23:00'],
    ['monthly', 'UTC', '2100-02-28T12:00', '2100-02-01T00:00', '2100-03-01T00:00'],
    ['weekly', 'UTC', '2026-01-01T00:00', '2025-12-29T00:00', '2026-01-05T00:00'],
    // Samoa had no 30 December 2011.
    ['daily', 'Pacific/Apia', '2011-12-30T09:59', '2011-12-29T10:00', '2011-12-30T10:00'],
    ['daily', 'Pacific/Apia', '2011-12-30T10:00', '2011-12-30T10:00', '2011-12-31T10:00'],
    // Where clocks went back a minute past midnight, the new day had begun, and begins once.
    ['daily', 'America/St_Johns', '2010-11-07T03:00', '2010-11-07T02:30', '2010-11-08T03:30'],
  ])('%s in %s at %s: from %s to %s', (cycle, zone, moment, startsAt, endsAt) => {
    expect(spanOf(cycle, zone, moment)).toEqual([startsAt, endsAt]);
  });

  it.each([
    '2026-03-29T12:00',
    '2026-10-25T12:00',
    '2026-10-25T01:30',
    '2018-11-04T12:00',
    '2018-11-04T02:59',
    '2018-02-18T02:30',
    '2026-07-31T23:59',
    '2028-02-29T23:59',
  ])('holds its first millisecond and not the one after its last, at %s', (moment) => {
    for (const cycle of CYCLES) {
      for (const zone of [BERLIN, SAO_PAULO]) {
        const span = cycleAt(cycle, zone, at(moment));
        expect(cycleAt(cycle, zone, span.startsAt)).toEqual(span);
        expect(cycleAt(cycle, zone, addMs(span.endsAt, -1))).toEqual(span);
        expect(cycleAt(cycle, zone, span.endsAt).startsAt).toBe(span.endsAt);
        expect(cycleAt(cycle, zone, addMs(span.startsAt, -1)).endsAt).toBe(span.startsAt);
      }
    }
  });
});

const ZONES = [
  BERLIN,
  SAO_PAULO,
  'UTC',
  'America/New_York',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'Asia/Kolkata',
  'Asia/Beirut',
  'Pacific/Chatham',
  'America/Havana',
  'Africa/Casablanca',
  'America/Caracas',
  'Asia/Pyongyang',
];
const WALK_HOURS = 60;

type Wall = { readonly minute: string; readonly hour: string; readonly date: string };

/** The wall clock by another road than the code's: as one sortable text. */
function createWall(zone: string): (moment: number) => Wall {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  return (moment) => {
    const text = format.format(moment);
    return { minute: text.slice(0, 16), hour: text.slice(0, 13), date: text.slice(0, 10) };
  };
}

/** Walks minute by minute and notes each at which a new cycle begins. */
function walkedBoundaries(
  cycle: 'hourly' | 'daily' | 'monthly',
  zone: string,
  from: number,
): readonly number[] {
  const wallAt = createWall(zone);
  const boundaries: number[] = [];
  let last = wallAt(from - MINUTE_MS);
  let latestDate = last.date;
  // A date that is shown again after midnight does not begin again: start where that is long past.
  for (let moment = from; moment < from + WALK_HOURS * HOUR_MS; moment += MINUTE_MS) {
    const wall = wallAt(moment);
    const unit = cycle === 'monthly' ? 7 : 10;
    if (cycle === 'hourly') {
      if (wall.hour !== last.hour || wall.minute < last.minute) boundaries.push(moment);
    } else if (wall.date.slice(0, unit) > latestDate.slice(0, unit)) boundaries.push(moment);
    if (wall.date > latestDate) latestDate = wall.date;
    last = wall;
  }
  return boundaries;
}

/** A whole hour near a change of the clocks of the zone, where it has any that year. */
function nearChange(zone: string, year: number, which: number): number {
  const wallAt = createWall(zone);
  const changes: number[] = [];
  for (let day = 0; day < 366; day++) {
    const noon = Date.UTC(year, 0, 1 + day, 12);
    if (wallAt(noon).minute.slice(11) !== wallAt(noon + 24 * HOUR_MS).minute.slice(11)) changes.push(noon);
  }
  return changes[which % Math.max(1, changes.length)] ?? Date.UTC(year, 1, 27);
}

describe('cycles are what a walk along the clock finds', () => {
  const places = fc.record({
    zone: fc.constantFrom(...ZONES),
    year: fc.integer({ min: 1995, max: 2030 }),
    which: fc.nat(7),
    cycle: fc.constantFrom('hourly' as const, 'daily' as const, 'monthly' as const),
  });

  it('near a change of the clocks', () => {
    fc.assert(
      fc.property(places, ({ zone, year, which, cycle }) => {
        const from = nearChange(zone, year, which) - 18 * HOUR_MS;
        const to = toEpochMs(from + WALK_HOURS * HOUR_MS);
        const pieces = splitByCycle(cycle, zone, toEpochMs(from), to);
        const boundaries = pieces.map((piece) => piece.from).filter((moment) => moment > from);
        const walked = walkedBoundaries(cycle, zone, from).filter((moment) => moment > from);
        expect({ zone, year, boundaries }).toEqual({ zone, year, boundaries: walked });
      }),
      { numRuns: 60 },
    );
  });

  it('whichever of its moments is asked about', () => {
    const asked = fc.record({
      cycle: fc.constantFrom(...CYCLES),
      zone: fc.constantFrom(...ZONES),
      moment: fc.integer({ min: Date.UTC(1990, 0), max: Date.UTC(2040, 0) }),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(asked, ({ cycle, zone, moment, part }) => {
        const span = cycleAt(cycle, zone, toEpochMs(moment));
        expect(span.startsAt).toBeLessThanOrEqual(moment);
        expect(span.endsAt).toBeGreaterThan(moment);
        const other = toEpochMs(span.startsAt + (span.endsAt - 1 - span.startsAt) * part);
        // Another zone in between, so that no memory answers.
        cycleAt(cycle, zone, addMs(span.endsAt, 40 * 24 * HOUR_MS));
        expect(cycleAt(cycle, zone, other)).toEqual(span);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a call is split at the boundaries it crosses', () => {
  it('into pieces that are the call', () => {
    const from = at('2026-10-24T21:59:30');
    const to = at('2026-10-24T22:01:10');
    const pieces = splitByCycle('daily', BERLIN, from, to);
    expect(pieces.map((piece) => piece.to - piece.from)).toEqual([30_000, 70_000]);
    expect(pieces[1]?.span).toEqual(cycleAt('daily', BERLIN, to));
    expect(splitByCycle('daily', BERLIN, from, from)).toEqual([]);
  });

  it('without a gap, whatever the call', () => {
    const call = fc.tuple(fc.integer({ min: 0, max: 2 ** 41 }), fc.nat(3 * HOUR_MS));
    fc.assert(
      fc.property(
        fc.constantFrom(...CYCLES),
        fc.constantFrom(...ZONES),
        call,
        (cycle, zone, [from, length]) => {
          const pieces = splitByCycle(cycle, zone, toEpochMs(from), toEpochMs(from + length));
          let reached = from;
          for (const { span, from: pieceFrom, to } of pieces) {
            expect(pieceFrom).toBe(reached);
            expect(span.startsAt <= pieceFrom && to <= span.endsAt && pieceFrom < to).toBe(true);
            reached = to;
          }
          expect(reached).toBe(from + length);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('the name of a time zone', () => {
  it.each([
    'Europe/Berlin',
    'America/Sao_Paulo',
    'UTC',
    'Asia/Kolkata',
    'America/Port-au-Prince',
    'Etc/GMT+5',
  ])('is %s', (zone) => expect(isTimeZone(zone)).toBe(true));
  it.each(['', 'Berlin', 'Europe/Atlantis', '+01:00', 'GMT+25', 'a'.repeat(100), 'Europe/Berlin '])(
    'is not %j',
    (zone) => expect(isTimeZone(zone)).toBe(false),
  );
});
