import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isEmergency, toE164, type NumberingPlan } from '../../src/rating/numbers.ts';

const GERMANY: NumberingPlan = { country: '49', internationalPrefix: '00', trunkPrefix: '0' };
const AMERICA: NumberingPlan = { country: '1', internationalPrefix: '011', trunkPrefix: '1' };
const ITALY: NumberingPlan = { country: '39', internationalPrefix: '00', trunkPrefix: '' };

describe('a dialled number', () => {
  test.each<readonly [string, string, NumberingPlan | undefined, string | undefined]>([
    ['an international number', '+442071234567', GERMANY, '442071234567'],
    ['the international prefix', '00442071234567', GERMANY, '442071234567'],
    ['the trunk prefix', '030123456', GERMANY, '4930123456'],
    ['the country as carriers write it', '4930123456', GERMANY, '4930123456'],
    ['a national number without its prefix', '30123456', GERMANY, '4930123456'],
    ['its own country by the international prefix', '004930123456', GERMANY, '4930123456'],
    ['North America, long distance', '14158867900', AMERICA, '14158867900'],
    ['North America, ten digits', '4158867900', AMERICA, '14158867900'],
    ['North America, abroad', '011442071234567', AMERICA, '442071234567'],
    ['a leading zero that belongs to the number', '0612345678', ITALY, '390612345678'],
    ['a national number that starts like the country', '3912345678', ITALY, '393912345678'],
    ['no numbering', '0804993222', undefined, '0804993222'],
    ['no numbering, with a plus', '+4930', undefined, '4930'],
    ['letters', '49abc', GERMANY, undefined],
    ['a name', 'alice', undefined, undefined],
    ['a feature code', '*97', GERMANY, undefined],
    ['a second plus', '++4930', GERMANY, undefined],
    ['a command in disguise', '4930}{x=1', undefined, undefined],
    ['a line break at the end', '4930\n', undefined, undefined],
    ['digits of another script', '\u0664\u0669', undefined, undefined],
    ['a plus alone', '+', GERMANY, undefined],
    ['nothing', '', GERMANY, undefined],
    ['a trunk prefix alone', '0', GERMANY, undefined],
    ['an international prefix alone', '00', GERMANY, undefined],
    ['32 digits', '9'.repeat(32), undefined, '9'.repeat(32)],
    ['33 digits', '9'.repeat(33), undefined, undefined],
    ['33 digits once the country is before them', `0${'9'.repeat(31)}`, GERMANY, undefined],
  ])('%s: %s', (_, dialled, numbering, expected) => {
    expect(toE164(dialled, numbering)).toBe(expected);
  });

  test('in its international form is read the same by every root', () => {
    const digits = fc.stringMatching(/^[1-9]\d{5,14}$/);
    fc.assert(
      fc.property(digits, fc.constantFrom(GERMANY, AMERICA, ITALY, undefined), (number, numbering) => {
        expect(toE164(`+${number}`, numbering)).toBe(number);
        const prefix = numbering === undefined ? '+' : numbering.internationalPrefix;
        expect(toE164(prefix + number, numbering)).toBe(number);
      }),
    );
  });

  test('is an emergency only as it was dialled', () => {
    const numbers = ['112', '110'];
    expect(isEmergency('112', numbers)).toBe(true);
    expect(isEmergency('0112', numbers)).toBe(false);
    expect(isEmergency('+112', numbers)).toBe(false);
    expect(isEmergency('1120', numbers)).toBe(false);
    expect(isEmergency('112', [])).toBe(false);
  });
});
