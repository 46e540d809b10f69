import { describe, expect, it } from 'vitest';
import type { ReplayOutcome } from '../../src/replay/replayed-call.ts';
import type { AccountPath } from '../../src/units/ids.ts';
import { booksOf, FLAT_RATE_NUMBER, replayed, told, type PastCall } from './past-calls.ts';

const PAYING = { account: 'acme/shop', wallet: 'EUR', tariff: 'retail' };

function shop(operator: Readonly<Record<string, unknown>>, changes: object = {}) {
  return booksOf([{ account: 'acme' }, { ...PAYING, operator, ...changes }]);
}

const minutes = (seconds: number, more: object = {}) => ({
  allotments: { international: { seconds, cycle: 'daily', minimum: 1, increment: 1, ...more } },
});

describe('a replay', () => {
  it('shares an allotment of 120 seconds among three calls, second by second', () => {
    const books = shop({ fundingOrder: ['allotment', 'per_minute'], ...minutes(120) });
    const outcomes = replayed(books, [
      { at: 0, seconds: 60 },
      { at: 10, seconds: 60 },
      { at: 20, seconds: 60 },
    ]);
    // At 50 s after the first began, 50 + 40 + 30 seconds are gone.
    expect(told(outcomes)).toEqual([
      'allotment 50 + per_minute 10 = 0.10',
      'allotment 40 + per_minute 20 = 0.20',
      'allotment 30 + per_minute 30 = 0.30',
    ]);
  });

  it('lends one trunk to one call at a time', () => {
    const books = shop({ trunks: { outbound: 1 } });
    const outcomes = replayed(
      books,
      [0, 30, 60].map((at) => ({ at, seconds: 60, number: FLAT_RATE_NUMBER })),
    );
    expect(told(outcomes)).toEqual(['flat_rate 60', 'per_minute 60 = 0.60', 'flat_rate 60']);
  });

  it('gives an allotment anew at midnight of its account, and counts seconds where they are spoken', () => {
    const books = shop({
      fundingOrder: ['allotment', 'per_minute'],
      timeZone: 'Asia/Tokyo',
      ...minutes(100),
    });
    // Noon in UTC is nine in the evening in Tokyo.
    const midnight = 3 * 3600;
    const outcomes = replayed(books, [
      { at: midnight - 200, seconds: 70 },
      { at: midnight - 20, seconds: 80 },
      { at: midnight + 61, seconds: 50 },
    ]);
    expect(told(outcomes)).toEqual(['allotment 70', 'allotment 80', 'allotment 40 + per_minute 10 = 0.10']);
  });

  it('tells of a call that would have been cut, and charges what was talked', () => {
    const books = shop({ fundingOrder: ['allotment'], ...minutes(40) }, { tariff: undefined });
    const [outcome] = replayed(books, [{ at: 0, seconds: 60 }]);
    expect(told([outcome as ReplayOutcome])).toEqual(['allotment 60']);
    expect(outcome).toMatchObject({
      billedSeconds: 60,
      cut: { paidSeconds: 40, by: { pool: 'acme/shop#allotment.international' } },
    });
  });

  it('charges per minute what a full window would have refused, and says so', () => {
    const books = shop({ maxSpend: { hour: '0.50' } });
    const outcomes = replayed(books, [
      { at: 0, seconds: 60 },
      { at: 100, seconds: 10 },
      { at: 3600, seconds: 10 },
    ]);
    expect(told(outcomes)).toEqual(['per_minute 60 = 0.60', 'per_minute 10 = 0.10', 'per_minute 10 = 0.10']);
    expect(outcomes.map(cutAt)).toEqual([50, undefined, undefined]);
    expect(outcomes.map(refusalOf)).toEqual([undefined, 'spend_limit', undefined]);
  });

  it('ends and refuses by the rules where it is asked to', () => {
    const books = shop({ maxSpend: { hour: '0.50' } });
    const outcomes = replayed(
      books,
      [
        { at: 0, seconds: 60 },
        { at: 100, seconds: 10 },
      ],
      'as_ruled',
    );
    expect(told(outcomes)).toEqual(['per_minute 50 = 0.50', 'refused']);
  });

  it('tells what is in use after each call, and by which limit a further one would have been refused', () => {
    const books = shop({ calls: 2 });
    const calls: readonly PastCall[] = [0, 1, 2, 70].map((at) => ({ at, seconds: 60 }));
    const talked = replayed(books, calls);
    expect(talked.map(callsInUse)).toEqual([1, 2, 3, 1]);
    expect(talked.map(refusalOf)).toEqual([undefined, undefined, 'limit_reached', undefined]);
    const ruled = replayed(books, calls, 'as_ruled');
    expect(ruled.map(({ kind }) => kind)).toEqual(['admitted', 'admitted', 'refused', 'admitted']);
    expect(ruled.map(callsInUse)).toEqual([1, 2, 2, 1]);
  });

  it('holds calls of a second against callsPerSecond', () => {
    const books = shop({ callsPerSecond: 1 });
    const outcomes = replayed(
      books,
      [0, 0.5, 1, 2.1].map((at) => ({ at, seconds: 1 })),
      'as_ruled',
    );
    expect(outcomes.map(({ kind }) => kind)).toEqual(['admitted', 'refused', 'admitted', 'admitted']);
  });

  it('counts an internal call for both sides, and charges it to nobody', () => {
    const books = booksOf([{ account: 'acme' }, PAYING, { account: 'acme/other', operator: { calls: 0 } }]);
    const [outcome] = replayed(books, [
      { at: 0, seconds: 5, direction: 'internal', routes: [], callee: 'acme/other' as AccountPath },
    ]);
    expect(told([outcome as ReplayOutcome])).toEqual(['nothing']);
    expect(outcome).toMatchObject({ refusal: { holder: 'acme/other', limit: 'calls' } });
  });

  it('leaves a call alone that nobody prices now', () => {
    const [outcome] = replayed(shop({}), [{ at: 0, seconds: 5, number: '33123456' }]);
    expect(outcome).toMatchObject({ kind: 'standing', refusal: { reason: 'no_rate' } });
  });
});

function callsInUse({ inUse }: ReplayOutcome): number | undefined {
  return inUse.find(({ holder }) => holder.kind === 'account' && holder.path === 'acme/shop')?.counts.calls;
}

function refusalOf(outcome: ReplayOutcome): string | undefined {
  return outcome.kind === 'admitted' ? outcome.refusal?.reason : undefined;
}

function cutAt(outcome: ReplayOutcome): number | undefined {
  return outcome.kind === 'admitted' ? outcome.cut?.paidSeconds : undefined;
}
