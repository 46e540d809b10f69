import type { Charge, PerMinuteCharge } from '../records/records.ts';
import type { AccountPath, LegUuid } from '../units/ids.ts';
import { addMicros } from '../units/money.ts';
import { reprice, repricing, type RatedCall, type RatingBooks, type Unrated } from './finished-call.ts';
import type { RerateFilter, RerateItem } from './rerate-run.ts';
import type { NewRun, PricedCall, RerateStore } from './rerate-store.ts';

export type RerateOutcome = {
  readonly calls: number;
  readonly items: number;
  readonly unrated: number;
  readonly refused: number;
  readonly cut: number;
  /** What a person should know of single legs: the first of each kind. */
  readonly remarks: readonly LegRemark[];
};

export type LegRemark = { readonly legUuid: LegUuid; readonly words: string };

/** Of each kind of remark so many are told. */
export const REMARKS_MAX = 20;

/**
 * Works out what the calls of a run would cost now, each payer in the ways it paid in, and writes down what differs.
 * Reads a page of calls at a time; where nothing differs nothing is written but the run itself.
 */
export async function planKept(
  run: NewRun,
  books: RatingBooks,
  store: Pick<RerateStore, 'pricedCalls' | 'chargesInForce' | 'addItems'>,
  onCalls: (calls: number) => void,
): Promise<RerateOutcome> {
  let [calls, items, unrated] = [0, 0, 0];
  const remarks: LegRemark[] = [];
  for await (const page of store.pricedCalls(run.filter)) {
    const differing = new Map<LegUuid, RatedCall>();
    for (const { call, found } of differencesOf(page, books, run.filter)) {
      if (found === 'changed') differing.set(call.legUuid, call);
      else {
        unrated += 1;
        if (remarks.length < REMARKS_MAX) remarks.push({ legUuid: call.legUuid, words: unratedWords(found) });
      }
    }
    if (differing.size > 0) {
      const charges = await store.chargesInForce([...differing.keys()]);
      const changed = [...differing.values()].flatMap((call) =>
        itemsOf(call, charges.get(call.legUuid) ?? [], books, run.filter),
      );
      await store.addItems(run, changed);
      items += changed.length;
    }
    calls += page.length;
    onCalls(calls);
  }
  return { calls, items, unrated, refused: 0, cut: 0, remarks };
}

function unratedWords({ payer, reason }: Unrated): string {
  const why = reason === 'no_rate' ? 'no rate for it now' : 'another currency than its wallet';
  return `${payer} has ${why}, and pays what it paid`;
}

function* differencesOf(
  page: readonly PricedCall[],
  books: RatingBooks,
  { tariff }: RerateFilter,
): Generator<{ readonly call: RatedCall; readonly found: 'changed' | Unrated }> {
  for (const { call, parts } of page) {
    if (parts.length === 0) continue;
    const again = repricing(call, books);
    for (const part of parts) {
      const now = again(part);
      if (now === undefined) continue;
      const isOther = 'way' in now && now.payer.tariff !== tariff;
      if (tariff !== undefined && part.tariff !== tariff && isOther) continue;
      yield { call, found: 'way' in now ? 'changed' : now };
    }
  }
}

/** One for each payer of whose charges any has another price now. */
function itemsOf(
  call: RatedCall,
  charges: readonly Charge[],
  books: RatingBooks,
  filter: RerateFilter,
): readonly RerateItem[] {
  return [...Map.groupBy(charges, ({ payer }) => payer)].flatMap(([payer, before]) => {
    const { charges: after } = reprice(call, before, books);
    const isChanged = after.some((charge, index) => charge !== before[index]);
    if (!isChanged || !hasTariff([...before, ...after], filter)) return [];
    return itemOf(call, payer, before, after);
  });
}

function hasTariff(charges: readonly Charge[], { tariff }: RerateFilter): boolean {
  return (
    tariff === undefined || charges.some((charge) => charge.way === 'per_minute' && charge.tariff === tariff)
  );
}

/** `before` are of one version, or none. */
export function itemOf(
  { legUuid, admittedAt, destination }: Pick<RatedCall, 'legUuid' | 'admittedAt' | 'destination'>,
  payer: AccountPath,
  before: readonly Charge[],
  after: readonly Charge[],
): RerateItem {
  const priced = [...after, ...before].find(
    (charge): charge is PerMinuteCharge => charge.way === 'per_minute',
  );
  return {
    legUuid,
    payer,
    admittedAt,
    destination,
    versionBefore: before[0]?.version ?? 0,
    before: addMicros(...before.map(({ price }) => price)),
    after: addMicros(...after.map(({ price }) => price)),
    currency: priced?.currency ?? '',
    tariff: priced?.tariff,
    prefix: priced?.prefix,
    charges: after,
  };
}
