import type { Micros } from '../units/money.ts';
import { toPriceTerms } from './price.ts';
import { rateIdentity, type Rate } from './rate.ts';

/** What two rates that are chosen alike may differ in. */
export type RateDetails = {
  readonly rate: Micros;
  readonly surcharge: Micros;
  readonly minimum: number;
  readonly increment: number;
  readonly grace: number;
  readonly description: string;
};
export const RATE_DETAILS = ['rate', 'surcharge', 'minimum', 'increment', 'grace', 'description'] as const;

/** Before and after: only before, it was removed; only after, it was added. */
export type RateChange =
  | { readonly kind: 'added'; readonly after: Rate }
  | { readonly kind: 'removed'; readonly before: Rate }
  | {
      readonly kind: 'changed';
      readonly before: Rate;
      readonly after: Rate;
      readonly details: readonly (keyof RateDetails)[];
    };

export type TariffDifference = {
  /** By prefix, then as rates of one prefix are told apart. */
  readonly changes: readonly RateChange[];
  readonly counts: {
    readonly added: number;
    readonly removed: number;
    readonly changed: number;
    /** Of the changed ones, by the price of a minute. */
    readonly dearer: number;
    readonly cheaper: number;
    readonly unchanged: number;
  };
};

const HUNDREDTHS_OF_ALL = 10_000n;

/**
 * What became of each rate: one that is chosen for the same calls is the same one, whatever it costs. An absent field
 * and its default are no difference.
 */
export function tariffDifference(before: readonly Rate[], after: readonly Rate[]): TariffDifference {
  const gone = new Map(before.map((rate) => [rateIdentity(rate), rate]));
  const found: { readonly identity: string; readonly change: RateChange }[] = [];
  const counts = { added: 0, removed: 0, changed: 0, dearer: 0, cheaper: 0, unchanged: 0 };
  for (const rate of after) {
    const identity = rateIdentity(rate);
    const was = gone.get(identity);
    gone.delete(identity);
    const details = was === undefined ? [] : changedDetails(was, rate);
    if (was === undefined) {
      counts.added += 1;
      found.push({ identity, change: { kind: 'added', after: rate } });
    } else if (details.length === 0) {
      counts.unchanged += 1;
    } else {
      counts.changed += 1;
      if (rate.perMinute > was.perMinute) counts.dearer += 1;
      if (rate.perMinute < was.perMinute) counts.cheaper += 1;
      found.push({ identity, change: { kind: 'changed', before: was, after: rate, details } });
    }
  }
  for (const [identity, rate] of gone) {
    counts.removed += 1;
    found.push({ identity, change: { kind: 'removed', before: rate } });
  }
  // A prefix ends where its identity goes on with a blank, which sorts before every digit.
  found.sort((a, b) => (a.identity < b.identity ? -1 : 1));
  return { changes: found.map(({ change }) => change), counts };
}

/** With the defaults in the place of what is absent. */
export function detailsOf(rate: Rate): RateDetails {
  const { surcharge, minimumSeconds, incrementSeconds, graceSeconds } = toPriceTerms(rate);
  return {
    rate: rate.perMinute,
    surcharge,
    minimum: minimumSeconds,
    increment: incrementSeconds,
    grace: graceSeconds,
    description: rate.description,
  };
}

/** By how many hundredths of a percent a price rose or, negative, fell; undefined from nothing. Rounded towards zero. */
export function risePercentHundredths(before: Micros, after: Micros): bigint | undefined {
  return before === 0n ? undefined : ((after - before) * HUNDREDTHS_OF_ALL) / before;
}

function changedDetails(before: Rate, after: Rate): readonly (keyof RateDetails)[] {
  const was = detailsOf(before);
  const is = detailsOf(after);
  return RATE_DETAILS.filter((detail) => was[detail] !== is[detail]);
}
