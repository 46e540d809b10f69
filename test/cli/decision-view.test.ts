import { describe, expect, it } from 'vitest';
import { decisionLines } from '../../src/cli-calls/decision-view.ts';
import type { Decision } from '../../src/records/records.ts';
import type { AccountPath, LegUuid } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';

const ACME = 'acme' as AccountPath;
const SHOP = 'acme/shop' as AccountPath;
const paying = (account: AccountPath) => ({ account, tariff: 'standard', tariffVersion: 1, rateId: 1 });

function headOf(fields: Partial<Decision>): string | undefined {
  const [head] = decisionLines({
    id: 'a1.1:b1:admission',
    at: toEpochMs(0),
    kind: 'admission',
    verdict: 'admitted',
    aLeg: 'a1' as LegUuid,
    legUuid: undefined,
    account: SHOP,
    reason: 'per_minute',
    inputs: {},
    ...fields,
  });
  return head?.slice('1970-01-01 00:00:00  '.length);
}

describe('the first line of a decision', () => {
  it('says how all payers pay, where they pay alike', () => {
    const inputs = { payers: [paying(ACME), paying(SHOP)], allotments: [], trunks: [] };
    expect(headOf({ inputs })).toBe('admitted for acme/shop: paid per minute');
    expect(headOf({ inputs: {}, reason: 'toll_free' })).toBe(
      'admitted for acme/shop: toll-free, nobody pays',
    );
  });

  it('says it of each payer where one has an allotment or a trunk and another has not', () => {
    const allotments = [{ account: SHOP, name: 'national' }];
    expect(headOf({ inputs: { payers: [paying(ACME)], allotments, trunks: [] } })).toBe(
      'admitted for acme/shop: acme/shop pays by an allotment, acme pays per minute',
    );
    const trunks = [
      { account: SHOP, way: 'flat_rate', taken: true },
      { account: ACME, way: 'flat_rate', taken: false },
    ];
    expect(headOf({ inputs: { payers: [paying(ACME)], allotments: [], trunks } })).toBe(
      'admitted for acme/shop: acme/shop pays by a flat-rate trunk, acme pays per minute',
    );
  });

  it('names the customer of a refused call', () => {
    const refusal = { kind: 'refusal', verdict: 'refused', reason: 'no_credit' } as const;
    const inputs = { words: 'there is too little' };
    expect(headOf({ ...refusal, account: undefined, inputs })).toBe('refused: there is too little');
    expect(headOf({ ...refusal, account: 'adhoc/john' as AccountPath, inputs })).toBe(
      'refused for adhoc/john: there is too little',
    );
  });
});
