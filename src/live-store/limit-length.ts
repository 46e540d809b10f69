import type { LegCap, LegRecord } from '../admission/leg-record.ts';
import { assert } from '../units/assert.ts';
import { rootOf } from '../units/ids.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';
import { guardStore } from '../redis/connection.ts';
import { formatChannel, formatRecord, parseRecord } from '../live-text/record-text.ts';
import { homeOf, type StoreContext } from './store-context.ts';

/** Who else changes a record does it once or twice in a leg's life. */
const TRIES_MAX = 10;

/** What it goes on by per minute may cost no more than so: that stays, however long calls may last. */
function goesOnUntil({ allotments }: LegRecord): EpochMs | undefined {
  const moments = allotments.flatMap(({ goesOn }) => goesOn?.until ?? []);
  return moments.length === 0 ? undefined : toEpochMs(Math.min(...moments));
}

/** Exchanges the cap in a leg's record, as long as nobody else has changed the record meanwhile. */
export async function limitLength(
  context: StoreContext,
  record: LegRecord,
  cap: LegCap | undefined,
): Promise<LegRecord | undefined> {
  const { legKey } = record;
  const { legs, channels, deadlines } = context.keysOf(homeOf(record));
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const text = await guardStore(() => context.redis.hget(legs, legKey));
    if (text === null) return undefined;
    const before = parseRecord({ legKey, text, channel: formatChannel(record) });
    const kept = { ...before, cap };
    const args = [legKey, text, formatRecord(kept), cap?.seconds ?? '', goesOnUntil(before) ?? ''];
    const endsAt = await context.run('limit', [legs, channels, deadlines], args);
    if (endsAt === 'stale') continue;
    if (typeof endsAt === 'string' && endsAt !== '') {
      const deadline = { legKey, endsAt: toEpochMs(Number(endsAt)) };
      context.options.onDeadline?.(rootOf(record.account), deadline);
    }
    return kept;
  }
  assert(false, `the record of ${legKey} changes all the time`);
}
