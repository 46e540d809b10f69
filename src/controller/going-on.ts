import type { LegRecord } from '../admission/leg-record.ts';
import type { PoolId } from '../units/ids.ts';
import type { ControllerContext } from './context.ts';
import { segmentDecision } from './decisions.ts';

/** Whether a leg whose allotment has run dry goes on per minute (DESIGN 6): from now on, if its payer has money. */
export async function goesOnPerMinute(
  context: ControllerContext,
  record: LegRecord,
  pool: PoolId,
): Promise<boolean> {
  const allotment = record.allotments.find((each) => each.pool === pool);
  if (allotment?.goesOn === undefined) return false;
  const outcome = await context.store.goOn(record, allotment);
  if (outcome.kind === 'refused') return false;
  if (outcome.kind === 'continued') {
    context.record(segmentDecision(record, allotment, outcome));
    const { account: accountId, name } = allotment;
    context.log.info({ callUuid: record.uuid, accountId, allotment: name }, 'call goes on per minute');
  }
  return true;
}
