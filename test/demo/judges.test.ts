import { describe, expect, it } from 'vitest';
import { judgeBooks, type BooksFacts } from '../../src/demo/books.ts';
import { judgeFundedSecond, type FundedSecondFacts } from '../../src/demo/funded-second.ts';
import { judgeResellerLimit, type ResellerLimitFacts } from '../../src/demo/reseller-limit.ts';
import { judgeRunningTopup, type RunningTopupFacts } from '../../src/demo/running-topup.ts';
import { judgeThirtyCallers, type ThirtyCallersFacts } from '../../src/demo/thirty-callers.ts';
import type { Claim } from '../../src/demo/claims.ts';
import { money, topupOf } from '../records/samples.ts';
import { chargedCall, walletOf } from './samples.ts';

// A claim that cannot fail claims nothing: every judge is shown what went well, and then each thing gone wrong.

const failures = (claims: readonly Claim[]): readonly string[] =>
  claims.filter(({ holds }) => !holds).map(({ says }) => says);

describe('thirty callers', () => {
  // Twenty-nine of two seconds and one of one: 0.983353 of 1.00.
  const calls = Array.from({ length: 30 }, (_, index) =>
    chargedCall(`call-${index}`, { perMinute: '1.00', seconds: index === 0 ? 1 : 2, cut: true }),
  );
  const good: ThirtyCallersFacts = {
    funds: money('1.00'),
    left: money('0.016647'),
    calls,
    dialled: 30,
    lateCallerStatus: 402,
    lowestAvailable: money('0.016647'),
    samples: 10,
    latenessMs: calls.map(() => 3),
    bounds: { one: 250, median: 100, worst: 500 },
  };

  it('hold when all went well', () => {
    expect(failures(judgeThirtyCallers(good))).toEqual([]);
  });

  it.each<[string, Partial<ThirtyCallersFacts>, string]>([
    [
      'a call that was not cut',
      { calls: [...calls.slice(1), chargedCall('x', { perMinute: '1.00', seconds: 1, cut: false })] },
      'Every caller',
    ],
    ['a call without a record', { calls: calls.slice(1), left: money('0.033314') }, 'Every caller'],
    ['more charged than there was', { funds: money('0.98'), left: money('-0.003353') }, 'Charged in all'],
    ['a balance that is not what is left', { left: money('0.01') }, 'Charged in all'],
    ['a second that could still have been paid', { left: money('0.016667') }, 'And no second less'],
    ['a moment below zero', { lowestAvailable: money('-0.000001') }, 'What was available'],
    ['no sample at all', { samples: 0 }, 'What was available'],
    ['one hang-up late', { latenessMs: [501, ...calls.slice(1).map(() => 3)] }, 'FreeSWITCH got'],
    ['most hang-ups late', { latenessMs: calls.map(() => 101) }, 'FreeSWITCH got'],
    ['one hang-up early', { latenessMs: [-6, ...calls.slice(1).map(() => 3)] }, 'FreeSWITCH got'],
    [
      'one hang-up that never came',
      { latenessMs: [Number.NaN, ...calls.slice(1).map(() => 3)] },
      'FreeSWITCH got',
    ],
    ['a late caller who got through', { lateCallerStatus: undefined }, 'The thirty-first'],
  ])('notice %s', (_, wrong, says) => {
    const failed = failures(judgeThirtyCallers({ ...good, ...wrong }));
    expect(failed.some((each) => each.startsWith(says))).toBe(true);
  });
});

describe('the funded second', () => {
  const good: FundedSecondFacts = {
    paidSeconds: 5,
    promised: '5',
    lateMs: 2.5,
    lateMsMax: 250,
    funds: money('0.05'),
    charged: money('0.05'),
    left: money('0.00'),
    call: chargedCall('bob', { perMinute: '0.60', seconds: 5, cut: true }),
  };

  it('holds when all went well', () => {
    expect(failures(judgeFundedSecond(good))).toEqual([]);
  });

  it.each<[string, Partial<FundedSecondFacts>]>([
    ['a dialplan that was told otherwise', { promised: '6' }],
    ['a late hang-up', { lateMs: 251 }],
    ['an early hang-up', { lateMs: -6 }],
    ['a hang-up that never came', { lateMs: undefined }],
    ['a second too many', { call: chargedCall('bob', { perMinute: '0.60', seconds: 6, cut: true }) }],
    ['a call without a record', { call: undefined }],
    ['money left over', { left: money('0.01') }],
    ['another price', { charged: money('0.06') }],
  ])('notices %s', (_, wrong) => {
    expect(failures(judgeFundedSecond({ ...good, ...wrong }))).toHaveLength(1);
  });
});

describe('the top-up', () => {
  const payment = topupOf({ id: 'topup:PAYMENT-1' });
  const good: RunningTopupFacts = {
    before: 8,
    after: 12,
    afterRepeat: 12,
    codes: [0, 0],
    lateMs: 1,
    lateMsMax: 250,
    charged: money('0.12'),
    transfers: [topupOf({ id: 'topup:FIRST-3' }), payment],
  };

  it('holds when all went well', () => {
    expect(failures(judgeRunningTopup(good))).toEqual([]);
  });

  it.each<[string, Partial<RunningTopupFacts>]>([
    ['a cut that did not move', { after: 8, afterRepeat: 8 }],
    ['a second payment that moved', { afterRepeat: 16 }],
    ['two transfers of one payment', { transfers: [payment, payment] }],
    ['a command that failed', { codes: [0, 1] }],
    ['a late hang-up', { lateMs: 300 }],
    ['seconds for free', { charged: money('0.08') }],
  ])('notices %s', (_, wrong) => {
    expect(failures(judgeRunningTopup({ ...good, ...wrong }))).toHaveLength(1);
  });
});

describe("the reseller's limit", () => {
  const good: ResellerLimitFacts = {
    sipStatus: 503,
    limit: 'calls',
    limitedAccount: 'reseller',
    explained: ['12:00:00  refused: reseller has 2 of 2 calls in use'],
    mostInUse: 2,
    secondTryAnswered: true,
    calls: 3,
    paidByClient: money('0.10'),
    paidByReseller: money('0.03'),
  };

  it('holds when all went well', () => {
    expect(failures(judgeResellerLimit(good))).toEqual([]);
  });

  it.each<[string, Partial<ResellerLimitFacts>]>([
    ['another answer', { sipStatus: 480 }],
    ['a limit without a name', { limit: undefined }],
    ['the wrong account', { limitedAccount: 'reseller/client' }],
    ['a decision that does not say why', { explained: ['refused: limit_reached'] }],
    ['a call too many', { mostInUse: 3 }],
    ['no calls at all', { mostInUse: 0 }],
    ['a place that stays taken', { secondTryAnswered: false }],
    ['a reseller who pays nothing', { paidByReseller: money('0.00') }],
  ])('notices %s', (_, wrong) => {
    expect(failures(judgeResellerLimit({ ...good, ...wrong }))).toHaveLength(1);
  });
});

describe('the books', () => {
  const call = chargedCall('call', { perMinute: '1.00', seconds: 3, cut: false });
  const wallet = walletOf('acme/alice', { topUp: '1.00', calls: [call] });
  const good: BooksFacts = {
    calls: [call],
    wallets: [wallet],
    redisBalances: [wallet.balance],
    revenue: money('0.05'),
    verifyCode: 0,
    serviceErrors: [],
  };

  it('hold when all went well', () => {
    expect(failures(judgeBooks(good))).toEqual([]);
  });

  it.each<[string, Partial<BooksFacts>]>([
    ['nothing to look at', { calls: [], wallets: [], redisBalances: [], revenue: money('0.00') }],
    ['a charge without its transfer', { wallets: [walletOf('acme/alice', { topUp: '0.95', calls: [] })] }],
    ['money that came from nowhere', { revenue: money('0.06') }],
    ['a Redis that disagrees', { redisBalances: [money('1.00')] }],
    ['a Redis without the wallet', { redisBalances: [undefined] }],
    ['a verify that found something', { verifyCode: 1 }],
    ['an error in the log', { serviceErrors: ['cutoff not worked out'] }],
  ])('notice %s', (_, wrong) => {
    expect(failures(judgeBooks({ ...good, ...wrong }))).toHaveLength(1);
  });

  it('notice a price that is not that of its seconds', () => {
    const [charge] = call.charges;
    const dear = { ...call, charges: [{ ...charge!, price: money('0.06') }] };
    expect(failures(judgeBooks({ ...good, calls: [dear] }))).toContain(
      'Each charge is the price of its seconds',
    );
  });
});
