import { describe, expect, it } from 'vitest';
import {
  classify,
  DEFAULT_CLASSIFIERS,
  defaultClassifiers,
  findClassifier,
} from '../../src/rating/classify.ts';
import { toE164 } from '../../src/rating/numbers.ts';
import { storedPattern } from '../../src/rating/patterns.ts';

const GERMANY = { country: '49', internationalPrefix: '00', trunkPrefix: '0' };
const AMERICA = { country: '1', internationalPrefix: '011', trunkPrefix: '1' };

describe('a number is classified by the first that matches', () => {
  it.each([
    ['+18005551234', 'tollfree_us'],
    ['+18335551234', 'tollfree_us'],
    ['+18225551234', 'tollfree_us'],
    ['+19005551234', 'toll_us'],
    ['+12425551234', 'caribbean'],
    ['+14158867900', 'did_us'],
    ['+442071234567', 'international'],
    ['+10005551234', 'unknown'],
    ['+1415886790', 'unknown'],
    ['911', 'emergency'],
    ['9110', 'unknown'],
    ['alice', 'unknown'],
    ['', 'unknown'],
  ])('%s is %s', (dialled, expected) => {
    const e164 = dialled.startsWith('+') ? dialled.slice(1) : undefined;
    expect(classify(DEFAULT_CLASSIFIERS, { dialled, e164 })).toBe(expected);
  });

  it.each([
    ['4158867900', AMERICA, 'did_us'],
    ['01144207123456', AMERICA, 'international'],
    ['0014158867900', GERMANY, 'did_us'],
    ['030123456', GERMANY, 'international'],
    // Were it a number of the country first, help would be a call to be paid.
    ['911', AMERICA, 'emergency'],
    ['999', GERMANY, 'emergency'],
  ])('%s, dialled under a numbering plan, is %s', (dialled, numbering, expected) => {
    expect(classify(DEFAULT_CLASSIFIERS, { dialled, e164: toE164(dialled, numbering) })).toBe(expected);
  });

  it('never emergency for what only looks so in E.164', () => {
    expect(classify(DEFAULT_CLASSIFIERS, { dialled: '+911', e164: '911' })).toBe('international');
  });

  it('as an emergency only by the dialled form, and before everything else', () => {
    const help = { name: 'police', pattern: storedPattern('^110$'), treatment: 'emergency' } as const;
    const all = { name: 'all', pattern: storedPattern('.*') };
    expect(classify([all, help], { dialled: '110', e164: '49110' })).toBe('police');
    expect(classify([help], { dialled: '0110', e164: '110' })).toBe('unknown');
  });

  it('as what it is treated as in its own country only', () => {
    const treatmentIn = (country: string | undefined, dialled: string) =>
      findClassifier(defaultClassifiers(country), { dialled, e164: dialled })?.treatment;
    expect(treatmentIn('1', '18005551234')).toBe('toll_free');
    expect(treatmentIn('1', '999')).toBe('emergency');
    for (const country of ['49', undefined]) {
      expect(treatmentIn(country, '18005551234')).toBe(undefined);
      expect(treatmentIn(country, '999')).toBe(undefined);
    }
  });

  it('by whatever list there is, in its order', () => {
    const mobile = { name: 'mobile_de', pattern: storedPattern(String.raw`^\+491[567]`) };
    const germany = { name: 'de', pattern: storedPattern(String.raw`^\+49`) };
    const number = { dialled: '0171123456', e164: '49171123456' };
    expect(classify([mobile, germany], number)).toBe('mobile_de');
    expect(classify([germany, mobile], number)).toBe('de');
    expect(classify([], number)).toBe('unknown');
    expect(classify([germany], { dialled: '0044', e164: '44' })).toBe('unknown');
  });
});
