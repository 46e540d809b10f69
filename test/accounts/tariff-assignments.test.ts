import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { differenceOf } from '../../src/accounts/account-difference.ts';
import {
  parseAccount,
  parseAccounts,
  rulesOn,
  toAccountDocument,
} from '../../src/accounts/account-document.ts';
import type { Account } from '../../src/accounts/account.ts';
import {
  effectiveTariffs,
  tariffAt,
  tariffsInWords,
  withTariffFrom,
  type TariffAssignments,
} from '../../src/accounts/tariff-assignments.ts';
import { ALWAYS, parseMoment, toEpochMs, type EpochMs } from '../../src/units/time.ts';
import { tariffName } from '../rating/samples.ts';

const NOW = day('2026-08-01');

function day(text: string): EpochMs {
  const moment = parseMoment(text);
  if (moment === undefined) throw new Error(`no moment: ${text}`);
  return moment;
}

function read(document: unknown, onRecord: readonly Account[] = []): Account {
  const parsed = parseAccount(document, rulesOn(onRecord, NOW));
  if (parsed.kind === 'bad') throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}

/** What a document makes of the tariffs of an account that stands as another document says. */
function changed(
  standing: Readonly<Record<string, unknown>>,
  document: Readonly<Record<string, unknown>>,
): string {
  const before = read({ account: 'a', ...standing });
  return tariffsInWords(read({ account: 'a', ...document }, [before]).tariffs);
}

const OLD_AND_NEW = {
  tariffs: [
    { tariff: 'old', from: 'always' },
    { tariff: 'new', from: '2026-09-01' },
  ],
};

describe('the tariff of an account', () => {
  it('is for always where the account is new', () => {
    expect(read({ account: 'a', tariff: 'Standard' }).tariffs).toEqual([
      { from: ALWAYS, tariff: 'standard' },
    ]);
    expect(read({ account: 'a' }).tariffs).toEqual([]);
  });

  it.each([
    [
      'another one, from now on',
      { tariff: 'old' },
      { tariff: 'new' },
      'old, new from 2026-08-01T00:00:00.000Z',
    ],
    ['the same one', { tariff: 'old' }, { tariff: 'old' }, 'old'],
    ['none any more', { tariff: 'old' }, {}, 'old, unset from 2026-08-01T00:00:00.000Z'],
    ['one where there was none', {}, { tariff: 'new' }, 'new from 2026-08-01T00:00:00.000Z'],
    ['none where there was none', {}, {}, ''],
    ['the one that holds, and what was planned is dropped', OLD_AND_NEW, { tariff: 'old' }, 'old'],
    ['the planned one at once', OLD_AND_NEW, { tariff: 'new' }, 'old, new from 2026-08-01T00:00:00.000Z'],
    [
      'a list, which is all there is',
      { tariff: 'gone' },
      OLD_AND_NEW,
      'old, new from 2026-09-01T00:00:00.000Z',
    ],
    ['an empty list', OLD_AND_NEW, { tariffs: [] }, ''],
    ['the same list', OLD_AND_NEW, OLD_AND_NEW, 'old, new from 2026-09-01T00:00:00.000Z'],
    [
      'repetitions, which say nothing',
      {},
      {
        tariffs: [
          { tariff: 'unset', from: 'always' },
          { tariff: 'x', from: '2026-01-01' },
          { tariff: 'X', from: '2026-02-01' },
          { tariff: 'unset', from: '2026-03-01' },
          { tariff: 'unset', from: '2026-04-01' },
        ],
      },
      'x from 2026-01-01T00:00:00.000Z, unset from 2026-03-01T00:00:00.000Z',
    ],
  ])('may become %s', (_, standing, document, expected) => {
    expect(changed(standing, document)).toBe(expected);
  });

  it.each([
    [{ tariff: 'a', tariffs: [] }, 'tariff', '"a"', 'to be left out beside tariffs'],
    [{ tariffs: 'a' }, 'tariffs', '"a"', 'a list'],
    [{ tariffs: ['a'] }, 'tariffs[0]', '"a"', 'fields and values'],
    [
      { tariffs: [{ from: 'always' }] },
      'tariffs[0].tariff',
      'nothing',
      'the name of a tariff, or "unset" where there is none of its own from then on',
    ],
    [
      { tariffs: [{ tariff: 'a', from: '2026-02-30' }] },
      'tariffs[0].from',
      '"2026-02-30"',
      'a moment such as 2026-08-01 or 2026-08-01T00:00:00Z, or "always"',
    ],
    [
      {
        tariffs: [
          { tariff: 'a', from: '2026-02-01' },
          { tariff: 'b', from: '2026-02-01' },
        ],
      },
      'tariffs[1].from',
      '"2026-02-01"',
      'a later date than 2026-02-01T00:00:00.000Z, that of the tariff before',
    ],
    [
      {
        tariffs: [
          { tariff: 'a', from: '2026-02-01' },
          { tariff: 'b', from: 'always' },
        ],
      },
      'tariffs[1].from',
      '"always"',
      'a later date than 2026-02-01T00:00:00.000Z, that of the tariff before',
    ],
    [{ tariffs: [{ tariff: 'a', from: 'always', until: 'x' }] }, 'tariffs[0].until', '"x"', 'no such field'],
  ])('%j is refused', (document, field, value, expected) => {
    const parsed = parseAccount({ account: 'a', ...document });
    const problems = parsed.kind === 'bad' ? parsed.problems : [];
    expect(problems).toContainEqual({ field, value, expected });
  });

  it('is written so that it reads back as the same', () => {
    expect(toAccountDocument(read({ account: 'a', tariff: 'x' }))).toMatchObject({ tariff: 'x' });
    const document = toAccountDocument(read({ account: 'a', ...OLD_AND_NEW }));
    expect(document).toMatchObject({
      tariffs: [
        { tariff: 'old', from: 'always' },
        { tariff: 'new', from: '2026-09-01T00:00:00.000Z' },
      ],
    });
    expect(read(document, [read({ account: 'a', tariff: 'other' })])).toEqual(read(document));
  });

  it('is shown with its dates where a difference is one of dates', () => {
    const before = read({ account: 'a', tariff: 'old' });
    const after = read({ account: 'a', tariff: 'new' }, [before]);
    const difference = differenceOf({ accounts: [before], routes: [] }, { accounts: [after], routes: [] });
    expect(difference.accounts[0]?.fields).toEqual([
      {
        field: 'tariffs',
        before: 'old',
        after: 'old, new from 2026-08-01T00:00:00.000Z',
      },
    ]);
  });

  it('is read for every account of a list by what is on record of it', () => {
    const parsed = parseAccounts(
      [
        { account: 'a', tariff: 'new' },
        { account: 'b', tariff: 'new' },
      ],
      rulesOn([read({ account: 'a', tariff: 'old' })], NOW),
    );
    const words = parsed.kind === 'ok' ? parsed.value.map(({ tariffs }) => tariffsInWords(tariffs)) : [];
    expect(words).toEqual(['old, new from 2026-08-01T00:00:00.000Z', 'new']);
  });
});

const anyAssignments: fc.Arbitrary<TariffAssignments> = fc
  .array(
    fc.record({
      from: fc.nat({ max: 20 }).map(toEpochMs),
      tariff: fc.constantFrom(undefined, tariffName('a'), tariffName('b'), tariffName('c')),
    }),
    { maxLength: 6 },
  )
  .map((all) =>
    all.reduce<TariffAssignments>((list, { from, tariff }) => withTariffFrom(list, tariff, from), []),
  );

test('the dates of a chain are what a look at each day finds', () => {
  fc.assert(
    fc.property(anyAssignments, anyAssignments, (own, inherited) => {
      const effective = effectiveTariffs(own, inherited);
      for (let at = 0; at <= 21; at++) {
        const moment = toEpochMs(at);
        expect(tariffAt(effective, moment)).toBe(tariffAt(own, moment) ?? tariffAt(inherited, moment));
      }
      const tariffs = effective.map(({ tariff }) => tariff);
      expect(tariffs.filter((tariff, index) => tariff === tariffs[index - 1])).toEqual([]);
    }),
  );
});

test('a tariff from a day on changes nothing before it, and a second time nothing at all', () => {
  const anyTariff = fc.constantFrom(undefined, tariffName('a'), tariffName('b'));
  fc.assert(
    fc.property(anyAssignments, anyTariff, fc.nat({ max: 20 }), (before, tariff, from) => {
      const after = withTariffFrom(before, tariff, toEpochMs(from));
      for (let at = 0; at <= 21; at++) {
        const moment = toEpochMs(at);
        expect(tariffAt(after, moment)).toBe(at < from ? tariffAt(before, moment) : tariff);
      }
      expect(withTariffFrom(after, tariff, toEpochMs(from))).toEqual(after);
    }),
  );
});
