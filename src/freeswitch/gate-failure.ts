import type { GateAnswer, GateKeeper, GateRequest } from '../calls/gate.ts';
import type { Log } from '../units/log.ts';
import { within, type Timing } from './timing.ts';

/** Sets nothing and lets the dialplan go on: without `tollgate_decision` it decides by itself, and refuses. */
export const LEAVE_TO_DIALPLAN: GateAnswer = { variables: new Map(), verb: { kind: 'continue' } };

export type GateOptions = {
  readonly keeper: GateKeeper;
  readonly decisionTimeoutMs: number;
  /** What is done with the call when nobody decides in time. */
  readonly onFailure: GateAnswer;
  readonly timing: Timing;
  readonly log: Log;
};

class GateTimeoutError extends Error {
  override readonly name = 'GateTimeoutError';
}

/**
 * Set with every bridge of ours. The admission is spent when the bridge is over: a dialplan that went on from
 * there would dial a second time on a decision that allowed once.
 */
export const END_WITH_BRIDGE: readonly (readonly [string, string])[] = [['hangup_after_bridge', 'true']];

/** Asks, within the time; whatever goes wrong, there is an answer. */
export async function askKeeper(request: GateRequest, options: GateOptions): Promise<GateAnswer> {
  const { keeper, decisionTimeoutMs, timing, log } = options;
  try {
    const late = (): Error => new GateTimeoutError(`no decision within ${decisionTimeoutMs} ms`);
    return await within(keeper(request), decisionTimeoutMs, timing, late);
  } catch (err) {
    log.error({ err, callUuid: request.leg.uuid, via: request.via }, 'gate failed');
    return options.onFailure;
  }
}
