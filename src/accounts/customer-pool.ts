import type { PriceTerms } from '../rating/price.ts';
import type { CustomerId } from '../units/ids.ts';
import type { Micros } from '../units/money.ts';

/**
 * What a call's own variables give to its customer, as cnxcc does: pools that all calls of that name share, on whatever
 * FreeSWITCH they are. At least one of the three.
 */
export type CustomerPool = {
  readonly customer: CustomerId;
  readonly credit: CustomerCredit | undefined;
  /** Seconds of talk, all calls together. */
  readonly seconds: number | undefined;
  /** Calls at once. */
  readonly channels: number | undefined;
};

/** The price is the call's own: two calls of one pool may differ in it. */
export type CustomerCredit = { readonly amount: Micros; readonly terms: PriceTerms };
