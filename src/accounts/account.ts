import type { AccountPath, RouteName } from '../units/ids.ts';
import type { TariffAssignments } from './tariff-assignments.ts';
import type { CapacityLimits, CustomerLimits, OperatorLimits, ShadowLimits } from './limits.ts';

/** One node of the tree, as stored. */
export type Account = {
  readonly path: AccountPath;
  readonly operator: OperatorLimits;
  readonly customer: CustomerLimits;
  /** What they would have refused is told, and nobody is refused for it. */
  readonly shadow?: ShadowLimits | undefined;
  /** Present: the account has money of its own, in this ISO 4217 currency. */
  readonly walletCurrency: string | undefined;
  /** A wallet without a tariff uses its nearest ancestor's (ruling 14). */
  readonly tariffs: TariffAssignments;
  /** Only on a root: what its whole tree falls back to before the service's defaults (ruling 1). */
  readonly defaults: OperatorLimits | undefined;
  /** Only on a root: how its dialled numbers become E.164 (ruling 17). */
  readonly numbering: Numbering | undefined;
};

export type Numbering = {
  readonly country: string;
  readonly internationalPrefix: string;
  readonly trunkPrefix: string;
  /** What numbers are called, the first that matches; unset: the default classifiers. */
  readonly classifiers?: readonly ClassifierText[] | undefined;
};

/** A classifier as it is written; its pattern was checked. `emergency` says for itself that it is one. */
export type ClassifierText = {
  readonly name: string;
  readonly pattern: string;
  /** Always let through, and never paid for. */
  readonly emergency?: boolean | undefined;
  /** Never paid for when it is called from here; the counts of calls hold. */
  readonly tollFree?: boolean | undefined;
};

/** A trunk, gateway or routing rule with limits of its own. */
export type Route = { readonly name: RouteName; readonly limits: CapacityLimits };
