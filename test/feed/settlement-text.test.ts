import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatDecision,
  formatSettlement,
  parseDecision,
  parseSettlement,
  UnreadableEntryError,
} from '../../src/redis/settlement-text.ts';
import { anyCdr, anyCharge, anyDecision, anyTransfer, settlementOf } from '../records/samples.ts';

const anySettlement = fc.record({
  cdr: anyCdr('leg-1'),
  charges: fc.array(anyCharge('leg-1'), { maxLength: 3 }),
  transfers: fc.array(anyTransfer('charge:leg-1:0:acme:1'), { maxLength: 3 }),
});

describe('an entry of the stream', () => {
  it('gives back every settlement as it was written, strangers’ text included', () => {
    fc.assert(
      fc.property(anySettlement, (settlement) => {
        expect(parseSettlement(formatSettlement(settlement))).toEqual(settlement);
      }),
    );
  });

  it('gives back every decision, money in its inputs included', () => {
    fc.assert(
      fc.property(anyDecision('d-1'), (decision) => {
        expect(parseDecision(formatDecision(decision))).toEqual(decision);
      }),
    );
  });

  it('says which leg, price and amount it is to whoever reads it with redis-cli', () => {
    const shown = formatSettlement(settlementOf({ leg: 'b-1' }));
    expect(shown).toContain('"legUuid":"b-1"');
    expect(shown).toContain('"price":"200000"');
    expect(shown).toContain('"terms":"0,100000,60,60,0,0,up,6"');
  });

  const good = formatSettlement(settlementOf({ leg: 'b-1' }));
  it.each([
    ['what is no JSON', '{', 'JSON'],
    ['another version', good.replace('"v":1', '"v":2'), 'settlement.v is not one of 1'],
    ['a missing field', good.replace('"cause":"NORMAL_CLEARING",', ''), 'settlement.cdr.cause is not text'],
    ['a field it does not know', good.replace('"v":1', '"v":1,"w":1'), 'unknown field "w"'],
    ['a price that is a number', good.replace('"price":"200000"', '"price":200000'), 'price is not text'],
    ['a price with a point', good.replace('"price":"200000"', '"price":"0.2"'), 'an amount in micros'],
    [
      'an amount out of range',
      good.replace('"amount":"200000"', '"amount":"9007199254740993"'),
      'out of range',
    ],
    ['price terms of no sense', good.replace('0,100000,60', '0,x,60'), ''],
    ['an account in capitals', good.replace('"account":"acme', '"account":"ACME'), 'an account path'],
    ['a list in place of an object', '[]', 'settlement.v'],
    ['null', 'null', 'settlement is not an object'],
    ['a moment in text', good.replace(/"endedAt":\d+/, '"endedAt":"now"'), 'settlement.cdr.endedAt'],
  ])('refuses %s and says why', (_, text, why) => {
    expect(() => parseSettlement(text)).toThrow(UnreadableEntryError);
    expect(() => parseSettlement(text)).toThrow(why);
  });
});
