import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/program.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { createStage, type Stage } from '../service/stage.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import type { CliRun } from './cli-run.ts';

let stage: Stage;

beforeAll(async () => {
  await freshRedis();
  stage = await createStage(redisUrl());
  const csv = 'prefix,rate,surcharge,minimum,increment\n49,0.02,,60,60\n4915,0.10,0.05,60,60\n800,0,,60,60\n';
  await stage.tariff('standard', csv);
  await stage.account({ account: 'acme', operator: { calls: 50 } });
  await stage.account({ account: 'acme/retail', wallet: 'EUR', tariff: 'standard', operator: { calls: 10 } });
  await stage.account({ account: 'acme/retail/alice', operator: { outboundCalls: 0 } });
  await stage.account({ account: 'acme/retail/bob', operator: { outboundCalls: 0, enforcement: 'dry_run' } });
  await stage.route({ route: 'carrier', calls: 30 });
  const numbering = { country: '1', internationalPrefix: '011', trunkPrefix: '1' };
  await stage.account({ account: 'us', wallet: 'EUR', tariff: 'standard', numbering });
  await stage.topUp('acme/retail', '10.00');
});

afterAll(async () => {
  await stage.close();
});

async function check(...args: readonly string[]): Promise<CliRun> {
  let out = '';
  let err = '';
  const code = await runCli(['check', ...args], {
    environment: stage.environment(),
    now: () => toEpochMs(Date.now()),
    print: (text) => {
      out += text;
    },
    say: (line) => {
      err += `${line}\n`;
    },
    connectLiveState: () => Promise.reject(new Error('not needed')),
    serve: () => Promise.resolve(0),
  });
  return { code, out, err };
}

describe('tollgate check', () => {
  it('shows every limit, who pays how much from what, and that the call would be admitted', async () => {
    const run = await check('acme/retail', '--to', '4915112345678', '--route', 'carrier');
    expect(run).toEqual({
      code: 0,
      err: '',
      out: `outbound: acme/retail → 4915112345678 by carrier, international
limits and their use now
  acme
    calls                   0 of 50
    resourceConsumingCalls  0, unlimited
    outboundCalls           0, unlimited
    publicCalls             0, unlimited
  acme/retail
    calls                   0 of 10
    resourceConsumingCalls  0, unlimited
    outboundCalls           0, unlimited
    publicCalls             0, unlimited
  route carrier
    calls                   0 of 30
    outboundCalls           0, unlimited
who pays
  acme/retail
    rate      standard version 1, rate 2 for 4915
    price     0.10 a minute + 0.05, pulses of 60 s, then 60 s
    to begin  0.15 of 10.00 EUR available
    lasts     5940 s on what is available now
admitted: per minute, funded for 5940 s
`,
    });
  });

  it('names the limit that refuses and the answer that the caller would get, exit code 1', async () => {
    const run = await check('acme/retail/alice', '--to', '4930123', '--route', 'carrier', '--from', '1001');
    expect(run).toMatchObject({ code: 1, err: '' });
    expect(run.out).toContain('    outboundCalls           0 of 0          full\n');
    expect(run.out).toContain(`refused: limit_reached, outboundCalls of acme/retail/alice
  why     acme/retail/alice has 0 of 0 outboundCalls in use
  answer  503 Service Unavailable, else CALL_REJECTED
`);
  });

  it('says the same as JSON', async () => {
    const run = await check('acme/retail/alice', '--to', '4930123', '--route', 'carrier', '--json');
    expect(run.code).toBe(1);
    expect(JSON.parse(run.out)).toMatchObject({
      verdict: 'refused',
      direction: 'outbound',
      chains: { caller: ['acme', 'acme/retail', 'acme/retail/alice'], callee: [] },
      payers: [{ account: 'acme/retail', needed: { amount: '0.02', currency: 'EUR' }, passes: true }],
      refusal: {
        reason: 'limit_reached',
        limit: 'outboundCalls',
        holder: 'acme/retail/alice',
        figures: { bound: 0, inUse: 0 },
        answer: { sipCode: 503, cause: 'CALL_REJECTED' },
      },
    });
    const { limits } = JSON.parse(run.out) as { limits: readonly unknown[] };
    expect(limits).toContainEqual({
      holder: 'route carrier',
      limit: 'calls',
      bound: 30,
      inUse: 0,
      passes: true,
    });
  });

  it('says of an account in dry run that it refuses nobody', async () => {
    const { code, out } = await check('acme/retail/bob', '--to', '4930123', '--route', 'carrier');
    expect(code).toBe(0);
    expect(out).toContain('  acme/retail/bob (dry run: counted, refuses nobody)\n');
    expect(out).toMatch(/^dry_run: per minute, funded for 30000 s$/m);
  });

  it('lets a free number through and refuses one without a rate', async () => {
    expect((await check('acme/retail', '--to', '800111', '--route', 'carrier')).out).toMatch(
      /^ {4}to begin {2}nothing: the call is free\nadmitted: free$/m,
    );
    const unrated = await check('acme/retail', '--to', '33123', '--route', 'carrier');
    expect(unrated.out).toContain('refused: no_rate, acme/retail\n');
    expect(unrated.out).toContain('answer  403 Forbidden');
  });

  it('knows who is called, internally, from a route and by forwarding', async () => {
    const internal = await check('acme/retail/bob', '--to', '1001', '--callee', 'acme/retail/alice');
    expect(internal.out).toContain('internal: acme/retail/bob → acme/retail/alice (1001)\n');
    expect(internal.out).toContain('    internalCalls  0, unlimited\n');
    const inbound = await check(
      'acme/retail/alice',
      '--to',
      '1001',
      '--route',
      'carrier',
      '--direction',
      'inbound',
    );
    expect(inbound.out).toContain('inbound: somebody → acme/retail/alice (1001) by carrier\n');
    const forwarder = ['--forwarder', 'acme/retail/alice'];
    const forwarded = await check('acme/retail', '--to', '4930123', '--route', 'carrier', ...forwarder);
    expect(forwarded.out).toContain('outbound: acme/retail/alice → 4930123 by carrier, international\n');
    expect(forwarded.out).not.toContain('resourceConsumingCalls');
  });

  it('lets an emergency call through a closed account', async () => {
    const { code, out } = await check('acme/retail/alice', '--to', '112', '--route', 'carrier');
    expect(code).toBe(0);
    expect(out).toContain('  acme/retail/alice (emergency: counted, refuses nobody)\n');
    expect(out).toMatch(/^emergency: nobody pays$/m);
  });

  it('says what the number is called, and that a toll-free one is paid for by nobody', async () => {
    const { code, out } = await check('us', '--to', '8005551234', '--route', 'carrier');
    expect(code).toBe(0);
    expect(out).toContain('outbound: us → 18005551234 by carrier, tollfree_us (toll-free)\n');
    expect(out).toMatch(/^admitted: toll-free, nobody pays$/m);
  });

  it('takes what a customer of channel variables would bring, and stands in for him alone', async () => {
    const pools = [
      '--max-credit',
      '1.00',
      '--connect',
      '0.10',
      '--cps',
      '0.01',
      '--ipulse',
      '1',
      '--fpulse',
      '1',
    ];
    const run = await check('--to', '4930123', '--customer', 'John', ...pools, '--max-time', '60');
    expect(run).toEqual({
      code: 0,
      err: '',
      out: `outbound: adhoc/john → 4930123, international
limits and their use now
  adhoc
    calls                   0, unlimited
    resourceConsumingCalls  0, unlimited
    outboundCalls           0, unlimited
    publicCalls             0, unlimited
  adhoc/john
    calls                   0, unlimited
    resourceConsumingCalls  0, unlimited
    outboundCalls           0, unlimited
    publicCalls             0, unlimited
who pays
  adhoc/john
    rate      what the call brings with it
    price     0.60 a minute + 0.10, pulses of 1 s, then 1 s
    to begin  0.11 of 1.00 EUR available
    lasts     90 s on what is available now
    time      60 s left for all calls, 1 s needed to begin
admitted: per minute, funded for 60 s
`,
    });
    const poor = await check(
      '--to',
      '4930123',
      '--customer',
      'john',
      '--max-credit',
      '0.05',
      '--cps',
      '0.01',
    );
    expect(poor.out).toContain('0.60 of 0.05 EUR available: too little\n');
    const full = await check('acme', '--to', '4930123', '--customer', 'john', '--max-channels', '0');
    expect(full.out).toContain('refused: limit_reached, calls of acme/adhoc.john\n');
    const late = await check('--to', '4930123', '--customer', 'john', '--max-time', '0', '--json');
    expect(late.code).toBe(1);
    expect(JSON.parse(late.out)).toMatchObject({
      payers: [{ account: 'adhoc/john', way: 'time', passes: false, leftSeconds: 0 }],
      refusal: { reason: 'no_time', holder: 'adhoc/john' },
    });
  });

  it('tells what shadow limits and those in a dry run would say', async () => {
    await stage.account({ account: 'shady', operator: { calls: 9 }, shadow: { calls: 0 } });
    await stage.account({ account: 'shady/dry', operator: { maxCallSeconds: 40, enforcement: 'dry_run' } });
    const route = ['--to', '4930123', '--route', 'carrier'];
    await stage.account({
      account: 'shady',
      wallet: 'EUR',
      tariff: 'standard',
      operator: { calls: 9 },
      shadow: { calls: 0 },
    });
    await stage.topUp('shady', '1.00');
    const run = await check('shady/dry', ...route);
    expect(run.code).toBe(0);
    expect(run.out).toMatch(
      /limits that refuse nobody\n {2}shadow limits of shady {2}would refuse it: shady has 0 of 0 calls in use\n {2}dry run of shady\/dry {4}would let it through: nobody pays, for 40 s at most by maxCallSeconds of shady\/dry\n$/,
    );
    const { whatIf } = JSON.parse((await check('shady/dry', ...route, '--json')).out) as { whatIf: unknown };
    expect(whatIf).toMatchObject([
      { kind: 'shadow', account: 'shady', verdict: 'refused', refusal: { limit: 'calls' } },
      { kind: 'dry_run', account: 'shady/dry', verdict: 'admitted', fundedSeconds: 40 },
    ]);
  });

  it('refuses in the name of an account that does not exist', async () => {
    const run = await check('acme/nobody', '--to', '4930123');
    expect(run.code).toBe(1);
    expect(run.out).toContain('why     there is no account "acme/nobody"\n');
  });

  it.each([
    [['acme'], '--to: nothing: expected the number called'],
    [['acme', '--to', '49', '--direction', 'sideways'], '--direction: sideways'],
    [
      ['acme', '--to', '49', '--direction', 'inbound', '--callee', 'acme'],
      '--callee: acme: expected to be left out',
    ],
    [['no such/account', '--to', '49'], 'ACCOUNT: no such/account'],
    [['--to', '49'], 'ACCOUNT: : expected'],
    [
      ['--to', '49', '--customer', 'j', '--max-credit', 'lots', '--cps', '1'],
      '--max-credit: lots: expected a decimal such as 0.10 from 0 to 1000000000.00, with at most six decimals',
    ],
    [
      ['--to', '49', '--customer', 'j', '--cps', '1', '--max-time', '9'],
      '--max-credit: nothing: expected an amount such as 10.00, because tollgate_cps is set',
    ],
    [
      ['--to', '49', '--customer', 'j', '--max-credit', '1'],
      '--cps: nothing: expected the price of a second',
    ],
    [['--to', '49', '--customer', 'j o', '--max-time', '1'], '--customer: j o: expected a name'],
    [['--to', '49', '--max-time', '1'], '--customer: nothing: expected a name'],
    [['--to', '49', '--customer', 'j'], '--max-credit: nothing: expected an amount, or'],
    [
      ['--to', '49', '--customer', 'j', '--max-channels', '-1'],
      '--max-channels: -1: expected a whole number',
    ],
    [
      ['--to', '49', '--customer', 'j', '--max-time', '1', '--direction', 'inbound'],
      '--direction: inbound: expected outbound where no ACCOUNT is named',
    ],
    [['acme', '--to', '49', '--forwarder', '!'], '--forwarder: !'],
  ])('exits 2 for %j', async (args, said) => {
    const run = await check(...args);
    expect(run).toMatchObject({ code: 2, out: '' });
    expect(run.err).toContain(said);
  });

  it('is read in eighty columns', async () => {
    const { out } = await check('acme/retail', '--to', '4915112345678', '--route', 'carrier');
    const { err } = await check('acme/retail/alice', '--to', '4930123', '--route', 'carrier');
    const lines = `${out}${err}`.split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });
});
