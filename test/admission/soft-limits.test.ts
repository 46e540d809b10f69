import { describe, expect, it } from 'vitest';
import { decide } from '../../src/admission/decide.ts';
import type { AccountPath } from '../../src/units/ids.ts';
import { accountsOf, questionOf, tariffOf } from '../controller/world.ts';

const ACCOUNTS = accountsOf([
  { account: 'acme', wallet: 'EUR', tariff: 'retail', operator: { calls: 1, maxCallSeconds: 60 } },
  {
    account: 'acme/desk',
    wallet: 'EUR',
    operator: { calls: 0, callsPerSecond: 0, maxCallSeconds: 0, maxCallCost: '0', trunks: { twoway: 1 } },
  },
  { account: 'dollars', wallet: 'USD', tariff: 'retail' },
  { account: 'nobody' },
]);
const TARIFFS = tariffOf('retail', [
  { prefix: '49', rate: '0.60' },
  { prefix: '1', rate: '0.60' },
]);
const POLICY = {
  unrated: 'refuse',
  unratedInbound: 'allow',
  unfunded: 'refuse',
  customerCurrency: 'EUR',
} as const;

/** The plan of a leg that these accounts have refused and let go on. */
function softly(asked: Parameters<typeof questionOf>[1], ...soft: readonly string[]) {
  const question = { ...questionOf(ACCOUNTS, asked), soft: new Set(soft as AccountPath[]) };
  const decided = decide(question, TARIFFS, POLICY);
  if (decided.kind === 'refused') throw new Error(decided.refusal.words);
  return decided;
}

describe('a leg that goes on softly', () => {
  const { plan, record } = softly({ caller: 'acme/desk' }, 'acme/desk');

  it('is called so', () => {
    expect(record.decision).toBe('soft');
    expect(softly({ caller: 'acme' }).record.decision).toBe('admitted');
    expect(softly({ caller: 'acme', emergency: true }, 'acme').record.decision).toBe('emergency');
  });

  it('is counted without the bounds of its account, and with those of the account above', () => {
    const calls = plan.home.takes.map(({ counts, perSecond }) => [counts[0]?.bound, perSecond]);
    expect(calls).toEqual([
      [1, undefined],
      [undefined, undefined],
    ]);
    expect(record.cap).toEqual({ seconds: 60, reason: 'max_seconds', account: 'acme' });
  });

  it('holds nothing of its account, which is charged all the same', () => {
    expect(plan.home.holds.map(({ wallet }) => wallet)).toEqual(['acme']);
    expect(record.payers.map(({ account, soft }) => [account, soft])).toEqual([
      ['acme', undefined],
      ['acme/desk', true],
    ]);
    expect(record.funding).toBe('per_minute');
  });

  it('is not put on a trunk', () => {
    expect(
      softly({ caller: 'acme/desk', destination: '14158867900' }, 'acme/desk').plan.home.firstOf,
    ).toEqual([]);
  });

  it.each([
    ['nobody pays', 'nobody', '4930123'],
    ['its money is not that of the tariff', 'dollars', '4930123'],
    ['nobody prices the number', 'dollars', '331'],
  ])('costs nothing where %s', (_, caller, destination) => {
    expect(softly({ caller, destination }, caller).record).toMatchObject({ payers: [], funding: 'none' });
  });
});
