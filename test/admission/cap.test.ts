import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { capByNow, capFrom } from '../../src/admission/cap.ts';
import { decide } from '../../src/admission/decide.ts';
import type { LegCap } from '../../src/admission/leg-record.ts';
import type { AccountPath } from '../../src/units/ids.ts';
import { accountsOf, questionOf, tariffOf } from '../controller/world.ts';

const TARIFFS = tariffOf('retail', [{ prefix: '49', rate: '0.60' }]);
const POLICY = {
  unrated: 'refuse',
  unratedInbound: 'allow',
  unfunded: 'allow',
  customerCurrency: 'EUR',
} as const;
const PATHS = ['acme', 'acme/alice', 'acme/alice/phone'];

const limits = fc.record(
  {
    maxCallSeconds: fc.constantFrom(1, 5, 60, 'unlimited'),
    maxCallCost: fc.constantFrom('0.01', '0.05', '1.00', 'unlimited'),
    enabled: fc.boolean(),
    enforcement: fc.constantFrom('enforce', 'dry_run'),
  },
  { requiredKeys: [] },
);
const trees = fc
  .tuple(
    ...PATHS.map((account) => fc.tuple(limits, fc.boolean()).map(([own, pays]) => ({ account, own, pays }))),
  )
  .map((accounts) =>
    accountsOf(
      accounts.map(({ account, own, pays }) => ({
        account,
        operator: own,
        ...(pays ? { wallet: 'EUR', tariff: 'retail' } : {}),
      })),
    ),
  );
const asked = fc.record({
  soft: fc.subarray(PATHS).map((paths) => new Set(paths as AccountPath[])),
  emergency: fc.boolean(),
});

describe('how long a leg may last by the limits as they are now', () => {
  it('is what it was admitted with, as long as nobody changes them', () => {
    fc.assert(
      fc.property(trees, asked, (accounts, { soft, emergency }) => {
        const question = questionOf(accounts, {
          caller: 'acme/alice/phone',
          routes: ['carrier'],
          soft,
          emergency,
        });
        const decided = decide(question, TARIFFS, POLICY);
        if (decided.kind === 'refused') return;
        expect(capByNow(decided.record, accounts)).toEqual(decided.record.cap);
      }),
    );
  });

  it('is what a new call would be admitted with', () => {
    fc.assert(
      fc.property(trees, trees, (before, after) => {
        const ask = { caller: 'acme/alice/phone', callee: 'acme', routes: [] };
        const old = decide(questionOf(before, ask), TARIFFS, POLICY);
        const fresh = decide(questionOf(after, ask), TARIFFS, POLICY);
        if (old.kind === 'refused' || fresh.kind === 'refused') throw new Error('internal calls are free');
        expect(capByNow(old.record, after)).toEqual(fresh.record.cap);
      }),
    );
  });

  const cap = (seconds: number): LegCap => ({
    seconds,
    reason: 'max_seconds',
    account: 'acme' as AccountPath,
  });

  it.each([
    ['looser than before', 10, 20, 5, 20],
    ['tighter than before', 20, 10, 5, 10],
    ['none any more', 10, undefined, 5, undefined],
    ['one where there was none', undefined, 10, 5, 10],
    ['exactly as long as it has talked', 20, 5, 5, 5],
    ['shorter than it has talked: what was spoken is charged', 20, 3, 5, 5],
    ['none, and then shorter than it has talked', undefined, 0, 5, 5],
    ['shorter, when the leg is being ended already', 5, 3, 7, 5],
    ['looser, when the leg is being ended already', 5, 9, 7, 9],
  ])('%s', (_, before, now, talked, expected) => {
    const of = (seconds: number | undefined) => (seconds === undefined ? undefined : cap(seconds));
    expect(capFrom(of(before), of(now), talked)).toEqual(of(expected));
  });
});
