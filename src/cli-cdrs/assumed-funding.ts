import { toIsoUtc, type EpochMs } from '../units/time.ts';
import type { Chargeable } from './settle-imported.ts';

/**
 * Calls that were charged as if a trunk had been free and an allotment had lasted: what was in use when they came is not
 * looked at, nor who had the same seconds after them.
 */
export type AssumedFunding = {
  readonly calls: number;
  /** From the first of them until they were charged: whose funding is to be looked at again. */
  readonly from: EpochMs;
  readonly to: EpochMs;
};

/** Adds those of a settled leg; undefined: there are none. */
export function withAssumed(
  before: AssumedFunding | undefined,
  { settlement: { cdr, charges }, decision }: Chargeable,
): AssumedFunding | undefined {
  if (!charges.some(({ way }) => way !== 'per_minute' && way !== 'free')) return before;
  const { admittedAt: from } = cdr;
  const { at: to } = decision;
  if (before === undefined) return { calls: 1, from, to };
  return {
    calls: before.calls + 1,
    from: from < before.from ? from : before.from,
    to: to > before.to ? to : before.to,
  };
}

export function assumedLines(assumed: AssumedFunding | undefined): readonly string[] {
  if (assumed === undefined) return [];
  return [
    `on trunks or allotments, taken as free and as lasting: ${assumed.calls} of those charged; who of all callers pays otherwise tells`,
    `  ${commandFor(assumed)}`,
  ];
}

export function assumedJson(assumed: AssumedFunding | undefined): unknown {
  if (assumed === undefined) return { calls: 0 };
  const { calls, from, to } = assumed;
  return { calls, from: toIsoUtc(from), to: toIsoUtc(to), command: commandFor(assumed) };
}

function commandFor({ from, to }: AssumedFunding): string {
  return `tollgate rerate plan --replay-funding --from ${toIsoUtc(from)} --to ${toIsoUtc(to)}`;
}
