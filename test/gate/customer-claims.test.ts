import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCustomerClaim } from '../../src/gate/customer-claims.ts';
import { findParties, type Claims } from '../../src/gate/parties.ts';
import { accountsOf } from '../controller/world.ts';

const PRICE = { cps: '0.01', connect: '0.05', ipulse: '30', fpulse: '6' };

function wordsOf(variables: Parameters<typeof readCustomerClaim>[0]): string {
  const claim = readCustomerClaim({ customer: 'john', ...variables });
  return claim.kind === 'bad' ? `${claim.variable} | ${claim.words}` : 'read';
}

describe("a customer's variables", () => {
  it('are a price by the minute, and pools beside each other', () => {
    const variables = {
      customer: 'John_D.oe-1',
      maxCredit: '100',
      ...PRICE,
      maxTime: '120',
      maxChannels: '2',
    };
    expect(readCustomerClaim(variables)).toMatchObject({
      kind: 'pool',
      pool: {
        customer: 'john_d.oe-1',
        credit: {
          amount: 100_000_000n,
          terms: { surcharge: 50_000n, perMinute: 600_000n, minimumSeconds: 30, incrementSeconds: 6 },
        },
        seconds: 120,
        channels: 2,
      },
    });
  });

  it('leave out what is left out: pulses of a minute, no connect fee, no other pools', () => {
    expect(readCustomerClaim({ customer: 'john', maxCredit: '0.10', cps: '0' })).toMatchObject({
      pool: {
        credit: { terms: { surcharge: 0n, minimumSeconds: 60, incrementSeconds: 60 } },
        seconds: undefined,
        channels: undefined,
      },
    });
  });

  it.each([
    [{ customer: 'j ohn' }, 'tollgate_customer', 'tollgate_customer is "j ohn": expected a name of'],
    [{ customer: '../x' }, 'tollgate_customer', 'tollgate_customer is "../x": expected a name of'],
    [{ customer: 'x'.repeat(59) }, 'tollgate_customer', 'of at most 58 characters'],
    [{ customer: '', maxTime: '1' }, 'tollgate_customer', 'tollgate_customer is "": expected a name of'],
    [{}, 'tollgate_max_credit', 'or tollgate_max_time or tollgate_max_channels to be set'],
    [{ maxCredit: '-1', cps: '1' }, 'tollgate_max_credit', 'tollgate_max_credit is "-1": expected a decimal'],
    [{ maxCredit: '1e3', cps: '1' }, 'tollgate_max_credit', 'is "1e3"'],
    [{ maxCredit: '1000000000.01', cps: '1' }, 'tollgate_max_credit', 'from 0 to 1000000000.00'],
    [{ maxCredit: '1' }, 'tollgate_cps', 'tollgate_cps is not set: expected the price of a second'],
    [{ maxCredit: '1', cps: '0.0000001' }, 'tollgate_cps', 'at most six decimals'],
    [{ maxCredit: '1', cps: '10000.01' }, 'tollgate_cps', 'from 0 to 10000.00'],
    [
      { maxTime: '60', cps: '1' },
      'tollgate_max_credit',
      'expected an amount such as 10.00, because tollgate_cps is set',
    ],
    [{ maxCredit: '1', cps: '1', connect: 'free' }, 'tollgate_connect', 'is "free"'],
    [
      { maxCredit: '1', cps: '1', ipulse: '1.5' },
      'tollgate_ipulse',
      'expected a whole number from 0 to 86400',
    ],
    [{ maxCredit: '1', cps: '1', fpulse: '86401' }, 'tollgate_fpulse', 'is "86401"'],
    [{ maxTime: '-1' }, 'tollgate_max_time', 'is "-1": expected a whole number from 0 to 1000000000'],
    [{ maxChannels: 'two' }, 'tollgate_max_channels', 'is "two": expected a whole number from 0 to 1000000'],
  ])('%j are refused by the name of %s', (variables, variable, words) => {
    const said = wordsOf(variables);
    expect(said.split(' | ')[0]).toBe(variable);
    expect(said).toContain(words);
  });

  it('of any text are read or refused, and nothing else', () => {
    const text = fc.option(fc.string({ maxLength: 20 }), { nil: undefined });
    const names = [
      'customer',
      'maxCredit',
      'connect',
      'cps',
      'ipulse',
      'fpulse',
      'maxTime',
      'maxChannels',
    ] as const;
    const any = fc.record(Object.fromEntries(names.map((name) => [name, text])));
    fc.assert(
      fc.property(any, (variables) => {
        expect(['pool', 'bad']).toContain(readCustomerClaim(variables).kind);
      }),
    );
  });
});

describe('whose call it is', () => {
  const deep = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((_, depth, all) =>
    all.slice(0, depth + 1).join('/'),
  );
  const accounts = accountsOf([
    { account: 'acme', operator: { calls: 3 }, defaults: { calls: 1 } },
    { account: 'acme/retail' },
    ...deep.map((account) => ({ account })),
  ]);
  const customer = { customer: 'john', maxChannels: '2' };
  const find = (claims: Partial<Claims>) =>
    findParties(
      {
        account: undefined,
        callee: undefined,
        forwarder: undefined,
        routes: ['carrier'],
        options: [],
        dialled: '4930123',
        customer,
        ...claims,
      },
      accounts,
      ['112'],
    );
  const callerOf = (claims: Partial<Claims>): unknown => {
    const found = find(claims);
    if (found.kind === 'refused') return found.refusal.words;
    return found.caller?.chain.map(({ path, limits }) => `${path} ${limits.calls}`);
  };

  it('is counted below the root of customers where it names no account', () => {
    expect(callerOf({})).toEqual(['adhoc unlimited', 'adhoc/john 2']);
  });

  it('is counted below the account that it names, and the defaults of accounts are not for customers', () => {
    expect(callerOf({ account: 'acme' })).toEqual(['acme 3', 'acme/adhoc.john 2']);
    expect(callerOf({ account: 'acme/retail' })).toEqual([
      'acme 3',
      'acme/retail 1',
      'acme/retail/adhoc.john 2',
    ]);
    expect(callerOf({ account: 'acme', customer: { customer: 'john', maxTime: '1' } })).toEqual([
      'acme 3',
      'acme/adhoc.john unlimited',
    ]);
  });

  it('is refused below an account at the lowest level, and of an account that is not there', () => {
    expect(callerOf({ account: deep.at(-1) })).toContain('is too deep in its tree');
    expect(callerOf({ account: 'nobody' })).toBe('there is no account "nobody"');
  });

  it('needs no number that can be rated, unless an account above it rates it', () => {
    expect(callerOf({ dialled: 'reception' })).toEqual(['adhoc unlimited', 'adhoc/john 2']);
    expect(callerOf({ dialled: 'reception', account: 'acme' })).toContain('is no number that can be rated');
  });

  it('never keeps an emergency from its account', () => {
    const bad = { customer: 'j ohn', maxChannels: '0' };
    expect(find({ dialled: '112', customer: bad, account: 'acme' })).toMatchObject({
      kind: 'known',
      emergency: true,
      caller: { path: 'acme' },
    });
    expect(find({ dialled: '112', customer: bad })).toMatchObject({ kind: 'known', emergency: true });
  });
});
