import { describe, expect, it } from 'vitest';
import type { LegRecord } from '../../src/admission/leg-record.ts';
import { formatChannel, formatRecord, parseRecord } from '../../src/live-text/record-text.ts';
import type { AccountPath, AdmissionId, LegUuid } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { ACME, sampleLeg, termsOf } from './samples.ts';

const BOB = 'acme/bob' as AccountPath;
const HOLD = { wallet: ACME, terms: termsOf(60) };
const { record } = sampleLeg('1', {
  takes: [
    {
      holder: { kind: 'account', path: ACME },
      counts: [{ counter: 'calls', bound: 2 }],
      perSecond: undefined,
    },
  ],
  holds: [HOLD],
});
const [payer] = record.payers;

function kept(changed: LegRecord): LegRecord {
  const { legKey } = changed;
  return parseRecord({ legKey, text: formatRecord(changed), channel: formatChannel(changed) });
}

describe('a leg record as text', () => {
  it('leaves out what its key says, what is empty and what follows from the rest', () => {
    const usual = { ...record, siblings: ['a:acme'] };
    expect(formatRecord(usual)).toBe(
      '{"v":1,"node":"fs1","coreUuid":"core","account":"acme","direction":"outbound","callerNumber":"1001",' +
        '"dialled":"4930123","admittedAt":1800000000000,"payers":[{"tariff":"t@1","rateId":1,"prefix":"49",' +
        '"currency":"EUR","terms":"0,1000000,60,60,0,0,up,6"}],"taken":["acme=calls"]}',
    );
    expect(kept(usual)).toEqual(usual);
  });

  it.each<[string, Partial<LegRecord>]>([
    [
      'of an admission and an A-leg that its key does not name',
      { admission: 'x.7' as AdmissionId, aLeg: 'y' as LegUuid },
    ],
    ['of a fork', { siblings: ['a:acme', 'b:umbrella'] }],
    ['of a branch that is kept elsewhere', { siblings: ['a:umbrella'] }],
    ['of a number that is dialled otherwise', { dialled: '030123', destination: '4930123' }],
    ['by a route, with options', { routes: ['carrier'], options: ['hd'] }],
    ['that was let through', { decision: 'soft', soft: [ACME] }],
    ['that nobody pays for', { payers: [], funding: 'toll_free' }],
    [
      'of an account whose wallet is above it',
      { account: BOB, payers: payer === undefined ? [] : [{ ...payer, account: BOB }] },
    ],
    ['of an account below the payer', { account: BOB }],
    ['on a trunk', { payers: [], trunks: [{ account: ACME, way: 'flat_rate' }], funding: 'flat_rate' }],
    [
      'of an account below others',
      {
        account: BOB,
        taken: record.taken.map(({ slot }) => ({
          slot,
          counted: [ACME, BOB].map((path) => ({ holder: { kind: 'account', path }, counters: ['calls'] })),
        })),
      },
    ],
    ['of limited length', { cap: { seconds: 60, reason: 'max_seconds', account: ACME } }],
    ['whose channel is known', { uuid: 'c-1' as LegUuid }],
  ])('reads back a leg %s', (_, changes) => {
    const changed: LegRecord = { ...record, ...changes };
    expect(kept(changed)).toEqual(changed);
  });

  it('takes channel and answer from beside it, where there are any', () => {
    const text = formatRecord(record);
    const { legKey } = record;
    const answered = { ...record, answeredAt: toEpochMs(1_800_000_001_000) };
    expect(parseRecord({ legKey, text, channel: 'c-1 1800000001000' })).toEqual({ ...answered, uuid: 'c-1' });
    expect(parseRecord({ legKey, text, channel: '- 1800000001000' })).toEqual(answered);
    expect(parseRecord({ legKey, text, channel: null })).toEqual(record);
  });
});
