import type { RatingBooks } from '../../src/charging/finished-call.ts';
import type { Database } from '../../src/database/database.ts';
import type { Rate, TariffVersion } from '../../src/rating/rate.ts';
import { EMPTY_TARIFF_BOOK, withTariffVersions } from '../../src/rating/tariff-book.ts';
import type { Decision } from '../../src/records/records.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { accountsOf } from '../controller/world.ts';
import { POLICY, settledLive, type Talk } from '../charging/live-calls.ts';
import { importVersions } from '../charging/charged-record.ts';
import { leg } from '../records/samples.ts';
import { money, rateOf, tariffName } from '../rating/samples.ts';

/** A few calls of a reseller's customers on record, small enough to be reckoned by hand. */

const VERSION = {
  version: 1,
  currency: 'EUR',
  rounding: { mode: 'up', decimals: 6 },
  startsAt: toEpochMs(0),
  zone: 'UTC',
} as const;

function ratesOf(...rates: readonly (Partial<Rate> & Pick<Rate, 'prefix'>)[]): readonly Rate[] {
  return rates.map((rate, place) => rateOf({ id: place + 1, ...rate }));
}

const BY_SECOND = { minimumSeconds: 1, incrementSeconds: 1 } as const;

const STANDARD: TariffVersion = {
  ...VERSION,
  tariff: tariffName('standard'),
  rates: ratesOf(
    { prefix: '49', description: 'Germany', perMinute: money('0.60') },
    { prefix: '44', description: 'Britain', perMinute: money('1.20'), ...BY_SECOND },
  ),
};
const VERSIONS: readonly TariffVersion[] = [
  STANDARD,
  {
    ...VERSION,
    tariff: tariffName('wholesale'),
    rates: ratesOf({ prefix: '4', perMinute: money('0.06'), ...BY_SECOND }),
  },
];
/** Imported after the calls: none of them was charged by these. */
const LATER: readonly TariffVersion[] = [
  {
    ...VERSION,
    tariff: tariffName('gold'),
    rates: ratesOf(
      { prefix: '49', description: 'Germany', perMinute: money('0.30'), ...BY_SECOND },
      {
        prefix: '4915',
        description: 'Germany mobile',
        perMinute: money('0.10'),
        surcharge: money('0.05'),
      },
    ),
  },
  {
    ...STANDARD,
    version: 2,
    startsAt: toEpochMs(Date.UTC(2030, 0, 1)),
    rates: STANDARD.rates.map((rate) =>
      rate.prefix === '49' ? { ...rate, perMinute: money('0.90') } : rate,
    ),
  },
  { ...VERSION, tariff: tariffName('dollars'), currency: 'USD', rates: STANDARD.rates },
];

export const ACCOUNTS = accountsOf(
  [
    { account: 'acme', wallet: 'EUR', tariff: 'wholesale' },
    { account: 'acme/retail', wallet: 'EUR', tariff: 'standard' },
    { account: 'acme/other', wallet: 'EUR', tariff: 'standard' },
  ],
  [{ route: 'carrier' }],
);
const BOOKS: RatingBooks = {
  accounts: ACCOUNTS,
  tariffs: withTariffVersions(EMPTY_TARIFF_BOOK, VERSIONS),
  policy: POLICY,
};

const TALK: Talk = {
  caller: 'acme/retail',
  inbound: false,
  number: '4930123456',
  routes: ['carrier'],
  at: Date.UTC(2026, 6, 1, 12),
  billedSeconds: 0,
  answered: true,
  soft: false,
  allotmentSeconds: undefined,
};
export const TALKS: Readonly<Record<string, Talk>> = {
  berlin: { ...TALK, billedSeconds: 90 },
  mobile: { ...TALK, number: '49151234567', billedSeconds: 30, at: TALK.at + 1_000 },
  london: { ...TALK, number: '442071234567', billedSeconds: 10, at: TALK.at + 2_000 },
  other: { ...TALK, caller: 'acme/other', billedSeconds: 60, at: TALK.at + 3_000 },
  unheard: { ...TALK, answered: false, at: TALK.at + 4_000 },
};

/** A call of acme/retail to Berlin that was not let through, so many seconds after noon. */
function refusedAt(name: string, seconds: number): Decision {
  return {
    id: `${name}.1:b0:refusal`,
    at: toEpochMs(TALK.at + seconds * 1_000),
    kind: 'refusal',
    verdict: 'refused',
    aLeg: leg(name),
    legUuid: undefined,
    account: undefined,
    reason: 'limit_reached',
    inputs: {
      limit: 'calls',
      holder: 'acme/retail',
      account: 'acme/retail',
      routes: ['carrier'],
      options: [],
      dialled: TALK.number,
    },
  };
}

/** The calls, charged live, by `b-berlin` and so on; `change` may make others of them. */
export async function fillSmallRecord({
  accounts,
  tariffs,
  records,
}: Pick<Database, 'accounts' | 'tariffs' | 'records'>): Promise<void> {
  await importVersions(tariffs, VERSIONS);
  for (const { account } of ACCOUNTS.nodes) await accounts.saveAccount(account);
  for (const { route } of ACCOUNTS.routes) await accounts.saveRoute(route);
  const settlements = Object.entries(TALKS).map(([name, talk]) => {
    const settled = settledLive(talk, BOOKS, name);
    if (settled === undefined) throw new Error(`${name} was refused`);
    return settled;
  });
  await records.writeBatch({ settlements, decisions: [refusedAt('busy', 5), refusedAt('later', 120)] });
  await importVersions(tariffs, LATER);
}
