import { describe, expect, it } from 'vitest';
import { claim, isProven, lateness, verdictOf } from '../../src/demo/claims.ts';

describe('the verdict', () => {
  it('is proven when every claim holds', () => {
    expect(isProven(verdictOf([claim('a', true, '1'), claim('b', true, '2')]))).toBe(true);
  });

  it('names the claims that do not hold', () => {
    const verdict = verdictOf([claim('a', true, '1'), claim('b', false, '2')]);
    expect(isProven(verdict)).toBe(false);
    expect(verdict).toEqual({ checked: 2, failed: [{ says: 'b', holds: false, figures: '2' }] });
  });

  it('is not proven by nothing', () => {
    expect(isProven(verdictOf([]))).toBe(false);
  });
});

it('tells early from late', () => {
  expect([lateness(3.14), lateness(-2), lateness(0)]).toEqual(['3.1 ms late', '2.0 ms early', '0.0 ms late']);
});
