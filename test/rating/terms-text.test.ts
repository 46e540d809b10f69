import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatTerms, parseTerms } from '../../src/rating/terms-text.ts';
import { BrokenPromiseError } from '../../src/units/assert.ts';
import { anyTerms } from './samples.ts';

test('terms read back as they were written', () => {
  fc.assert(
    fc.property(anyTerms, (terms) => {
      expect(parseTerms(formatTerms(terms))).toEqual(terms);
    }),
  );
});

test.each(['', '1,2,3', '0,0,60,60,0,0,sideways,6', '0,0,-1,60,0,0,up,6', '0,0,60,60,0,0,up,x'])(
  '%j was not written by us',
  (text) => {
    expect(() => parseTerms(text)).toThrow(BrokenPromiseError);
  },
);
