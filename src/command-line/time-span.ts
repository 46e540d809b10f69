import { ALWAYS, parseMoment, type EpochMs } from '../units/time.ts';
import type { FlagReader } from './flag-values.ts';

/** From `from` up to but not including `to`. */
export type TimeSpan = { readonly from: EpochMs; readonly to: EpochMs };

const MOMENT = 'a day or a moment such as 2026-08-01T00:00:00Z';

/** `--from`, which is needed, and `--to`, which is needed where nothing stands for it. Right once `check` lets it pass. */
export function readSpan(flags: FlagReader, toDefault?: EpochMs): TimeSpan {
  const from = flags.parsed('from', parseMoment, MOMENT);
  const to = flags.parsed('to', parseMoment, MOMENT) ?? toDefault;
  if (!flags.isSet('from')) flags.complain({ field: '--from', value: 'nothing', expected: MOMENT });
  if (toDefault === undefined && !flags.isSet('to')) {
    flags.complain({ field: '--to', value: 'nothing', expected: MOMENT });
  }
  if (from !== undefined && to !== undefined && from >= to) {
    flags.complain({ field: '--to', value: flags.text('to') ?? 'now', expected: 'a moment after --from' });
  }
  return { from: from ?? ALWAYS, to: to ?? ALWAYS };
}
