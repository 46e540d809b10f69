import type { LegFacts } from '../calls/switch-event.ts';
import type { ControllerContext } from '../state/context.ts';
import { heldOf, type Held } from '../state/held.ts';
import { isOwnAdmission } from '../state/leg-book.ts';
import { admissionIdOf, type AdmissionId } from '../units/ids.ts';
import { giveBackLeg } from './admit-leg.ts';

/** One visit of a call to a gate. */
export type Pass = {
  readonly number: number;
  readonly admission: AdmissionId;
  readonly kept: readonly Held[];
  /** What it keeps is counted as the one resource that a forwarded call consumes: it came by a route. */
  readonly cameByRoute: boolean;
};

/**
 * The number of this pass (ruling 3). A call that comes again is decided anew, and what its last passes hold and
 * nobody answered is given back first; a forwarded call goes on holding what brought it here (ruling 2).
 */
export async function nextPass(context: ControllerContext, leg: LegFacts): Promise<Pass> {
  const [, last] = /\.(\d{1,6})$/.exec(isOwnAdmission(leg) ? (leg.gate.admission ?? '') : '') ?? [];
  const number = Number.parseInt(last ?? '0', 10) + 1;
  const pass = { number, admission: admissionIdOf(leg.uuid, number) };
  const held = heldOf(leg);
  const isForwarded = leg.gate.forwarder !== undefined;
  const kept: Held[] = [];
  let cameByRoute = false;
  try {
    for (const one of held) {
      const live = await context.store.find(one.root, one.legKey);
      if (live === undefined) continue;
      if (isForwarded || live.record.answeredAt !== undefined) {
        kept.push(one);
        cameByRoute ||= live.record.direction !== 'internal';
      } else await giveBackLeg(context, live.record);
    }
    return { ...pass, kept, cameByRoute };
  } catch (err) {
    // The store is down: this pass will say so itself, and the leg's end gives back what it still holds.
    context.log.warn({ err, callUuid: leg.uuid }, 'could not look at the last pass');
    return { ...pass, kept: held, cameByRoute: isForwarded };
  }
}
