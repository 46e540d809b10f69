import * as fc from 'fast-check';
import { priceOf, chargedSeconds, toPriceTerms } from '../../src/rating/price.ts';
import {
  chargeTransferId,
  currencyOf,
  systemLedger,
  walletLedger,
  type Cdr,
  type Charge,
  type Decision,
  type PerMinuteCharge,
  type Settlement,
  type Transfer,
} from '../../src/records/records.ts';
import {
  admissionIdOf,
  legKeyOf,
  parseAccountPath,
  parseLegUuid,
  parseNodeId,
  parseTariffName,
  rootOf,
  type AccountPath,
  type LegUuid,
  type TariffName,
} from '../../src/units/ids.ts';
import { parseMicros, toMicros, type Micros } from '../../src/units/money.ts';
import { toEpochMs } from '../../src/units/time.ts';

export const account = (text: string): AccountPath => known(parseAccountPath(text));
export const leg = (text: string): LegUuid => known(parseLegUuid(text));
export const tariffName = (text: string): TariffName => known(parseTariffName(text));
export const money = (text: string): Micros => known(parseMicros(text));

export const NOON = toEpochMs(Date.UTC(2026, 0, 15, 12));

/** A settled leg of `acme/alice`, 61 s at 0.10 a minute by the minute: 0.20 from her wallet to acme's revenue. */
export function settlementOf(changes: {
  readonly leg: string;
  readonly cdr?: Partial<Cdr>;
  readonly charge?: Partial<PerMinuteCharge>;
}): Settlement {
  const cdr = { ...cdrOf(changes.leg), ...changes.cdr };
  const charge = { ...chargeOf(cdr.legUuid), ...changes.charge };
  return { cdr, charges: [charge], transfers: transfersFor(charge) };
}

export function cdrOf(uuid: string): Cdr {
  const legUuid = leg(uuid);
  return {
    legUuid,
    legKey: known(legKeyOf(admissionIdOf(leg(`a-${uuid}`), 1), 'b0')),
    node: known(parseNodeId('fs1')),
    coreUuid: 'core-1',
    account: account('acme/alice'),
    direction: 'outbound',
    callerNumber: '1001',
    dialled: '00442071234567',
    destination: '442071234567',
    routes: ['carrier-1'],
    options: [],
    admittedAt: NOON,
    answeredAt: toEpochMs(NOON + 5_000),
    endedAt: toEpochMs(NOON + 65_400),
    billMicroseconds: 60_400_000,
    billsec: 60,
    billedSeconds: 61,
    cause: 'NORMAL_CLEARING',
    cut: undefined,
    decision: 'admitted',
    funding: 'per_minute',
    estimated: false,
  };
}

export function chargeOf(legUuid: LegUuid): PerMinuteCharge {
  const terms = toPriceTerms({ perMinute: money('0.10') });
  return {
    legUuid,
    segment: 0,
    payer: account('acme/alice'),
    version: 1,
    way: 'per_minute',
    tariff: tariffName('retail'),
    tariffVersion: 1,
    rateId: 1,
    prefix: '44',
    terms,
    billedSeconds: 61,
    chargedSeconds: chargedSeconds(terms, 61),
    price: priceOf(terms, 61),
    currency: 'EUR',
  };
}

export function transfersFor(charge: Charge): readonly Transfer[] {
  if (charge.price === 0n) return [];
  return [
    {
      id: chargeTransferId(charge),
      kind: 'charge',
      debit: walletLedger(charge.payer),
      credit: systemLedger('revenue', rootOf(charge.payer)),
      amount: charge.price,
      currency: currencyOf(charge),
      at: NOON,
      reference: charge.legUuid,
    },
  ];
}

export function topupOf(changes: Partial<Transfer>): Transfer {
  return {
    id: 'topup:1',
    kind: 'topup',
    debit: 'cash:acme',
    credit: 'wallet:acme/alice',
    amount: money('10.00'),
    currency: 'EUR',
    at: NOON,
    reference: 'invoice 7',
    ...changes,
  };
}

/** Any sequence of UTF-16 units: quotes, NUL, lone surrogates, right-to-left marks. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.constantFrom(
    `'; drop table transfer; --`,
    '\0',
    '\ud800',
    '🕿',
    '',
    'null',
    '"',
    '\u202e0123',
    `{"$money":"1.00"}`,
  ),
);

export const anyMicros: fc.Arbitrary<Micros> = fc
  .bigInt({ min: -BigInt(Number.MAX_SAFE_INTEGER), max: BigInt(Number.MAX_SAFE_INTEGER) })
  .map(toMicros);
const positiveMicros = fc.bigInt({ min: 1n, max: BigInt(Number.MAX_SAFE_INTEGER) }).map(toMicros);
const anyMoment = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }).map(toEpochMs);
const anyNumber = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

export const anyCdr = (uuid: string): fc.Arbitrary<Cdr> =>
  fc.record({
    legUuid: fc.constant(leg(uuid)),
    legKey: fc.constant(cdrOf(uuid).legKey),
    node: fc.constant(cdrOf(uuid).node),
    coreUuid: hostileText,
    account: fc.constantFrom(account('acme'), account('acme/alice'), account('zeta')),
    direction: fc.constantFrom('inbound', 'outbound', 'internal'),
    callerNumber: hostileText,
    dialled: hostileText,
    destination: hostileText,
    routes: fc.array(hostileText),
    options: fc.array(hostileText),
    admittedAt: anyMoment,
    answeredAt: fc.option(anyMoment, { nil: undefined }),
    endedAt: anyMoment,
    billMicroseconds: anyNumber,
    billsec: anyNumber,
    billedSeconds: anyNumber,
    cause: hostileText,
    cut: fc.constantFrom(undefined, 'credit', 'killed', 'ungated'),
    decision: fc.constantFrom(
      'admitted',
      'refused',
      'dry_run',
      'unrestricted',
      'soft',
      'emergency',
      'store_down',
    ),
    funding: fc.constantFrom('per_minute', 'free', 'none'),
    estimated: fc.boolean(),
  });

const chargePart = (uuid: string) => ({
  legUuid: fc.constant(leg(uuid)),
  segment: fc.constantFrom(0, 1),
  payer: fc.constantFrom(account('acme'), account('acme/alice')),
  version: fc.integer({ min: 1, max: 3 }),
  billedSeconds: anyNumber,
  chargedSeconds: anyNumber,
  price: anyMicros,
});

export const anyCharge = (uuid: string): fc.Arbitrary<Charge> =>
  fc.oneof(
    { weight: 3, arbitrary: anyPerMinuteCharge(uuid) },
    {
      weight: 1,
      arbitrary: fc.record({
        ...chargePart(uuid),
        way: fc.constant('allotment' as const),
        allotment: fc.constantFrom('did_us', 'outbound_emergency'),
        pulses: fc.record({
          minimumSeconds: anyNumber,
          incrementSeconds: anyNumber,
          graceSeconds: anyNumber,
        }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        ...chargePart(uuid),
        way: fc.constantFrom('flat_rate' as const, 'flat_rate_burst' as const),
      }),
    },
  );

export const anyPerMinuteCharge = (uuid: string): fc.Arbitrary<PerMinuteCharge> =>
  fc.record({
    ...chargePart(uuid),
    way: fc.constant('per_minute' as const),
    tariff: fc.constant(tariffName('retail')),
    tariffVersion: anyNumber,
    rateId: anyNumber,
    prefix: hostileText,
    terms: fc.record({
      surcharge: anyMicros,
      perMinute: anyMicros,
      minimumSeconds: anyNumber,
      incrementSeconds: anyNumber,
      graceSeconds: anyNumber,
      discountPpm: fc.integer({ min: 0, max: 1_000_000 }),
      rounding: fc.record({
        mode: fc.constantFrom('up', 'down', 'half_up'),
        decimals: fc.integer({ min: 0, max: 6 }),
      }),
    }),
    currency: fc.constantFrom('EUR', 'USD'),
  });

export const anyTransfer = (id: string): fc.Arbitrary<Transfer> =>
  fc.record({
    id: fc.constant(id),
    kind: fc.constantFrom('charge' as const, 'topup' as const, 'adjustment' as const),
    debit: fc.constantFrom('wallet:acme' as const, 'cash:acme' as const, 'wallet:acme/alice' as const),
    credit: fc.constantFrom('revenue:acme' as const, 'adjust:acme' as const, 'wallet:zeta' as const),
    amount: positiveMicros,
    currency: fc.constantFrom('EUR', 'USD'),
    at: anyMoment,
    reference: hostileText,
  });

export const anyDecision = (id: string): fc.Arbitrary<Decision> =>
  fc.record({
    id: fc.constant(id),
    at: anyMoment,
    kind: fc.constantFrom('admission', 'refusal', 'cutoff', 'kill'),
    verdict: fc.constantFrom('admitted', 'refused', 'soft', 'cut'),
    aLeg: fc.constant(leg('a-1')),
    legUuid: fc.constantFrom(undefined, leg('b-1')),
    account: fc.constantFrom(undefined, account('acme/alice')),
    reason: hostileText,
    inputs: fc.dictionary(
      fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
      fc.oneof(hostileText, anyMicros, fc.boolean(), fc.integer(), fc.array(anyMicros)),
    ),
  });

/** What a table gives back of a stranger's text: NUL and lone surrogates are marked as unreadable. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\u{FFFD}');
}

function known<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('the sample is not valid');
  return value;
}
