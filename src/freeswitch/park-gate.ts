import type { GateAnswer } from '../calls/gate.ts';
import type { LegFacts, SwitchEvent } from '../calls/switch-event.ts';
import type { CallControl } from '../calls/switch.ts';
import { assertNever } from '../units/assert.ts';
import type { LegUuid, NodeId } from '../units/ids.ts';
import { askKeeper, END_WITH_BRIDGE, type GateOptions } from './gate-failure.ts';
import { TokenError } from './tokens.ts';

export type ParkGateOptions = GateOptions & {
  controlOf(node: NodeId): CallControl | undefined;
};

export type ParkGate = {
  /** Answers a `parked` event of a leg that asks; every other event is none of its business. Never rejects. */
  onEvent(event: SwitchEvent): Promise<void>;
};

/** No dialplan stands behind a parked leg: after a bridge that failed it would stay parked. */
const END_WITH_FAILURE = ['continue_on_fail', 'false'] as const;

/** Answers the legs that the dialplan has parked with `tollgate_ask=true`, over the inbound connection. */
export function createParkGate(options: ParkGateOptions): ParkGate {
  const { log } = options;
  const atGate = new Set<LegUuid>();

  async function decide(leg: LegFacts): Promise<void> {
    const answer = await askKeeper({ via: 'park', leg }, options);
    const control = options.controlOf(leg.node);
    if (control === undefined) {
      log.error({ callUuid: leg.uuid, node: leg.node }, 'parked call is on an unknown FreeSWITCH');
      return;
    }
    // Where neither the answer nor the failure can be said, the number is one that no dialplan should see.
    const attempts = [
      () => carryOut(control, leg, answer),
      () => carryOut(control, leg, options.onFailure),
      () => control.kill(leg.uuid, 'INVALID_NUMBER_FORMAT'),
    ];
    for (const attempt of attempts) {
      try {
        if ((await attempt()) === 'gone')
          log.info({ callUuid: leg.uuid }, 'caller left while the gate decided');
        return;
      } catch (err) {
        log.error({ err, callUuid: leg.uuid }, 'gate answer cannot be sent');
        // After an unknown outcome nothing is sent a second time: the call's park timeout ends it.
        if (!(err instanceof TokenError)) return;
      }
    }
  }

  return {
    onEvent: async (event) => {
      if (event.kind !== 'parked' || !event.leg.gate.asks || atGate.has(event.leg.uuid)) return;
      const { leg } = event;
      atGate.add(leg.uuid);
      try {
        await decide(leg);
      } catch (err) {
        log.error({ err, callUuid: leg.uuid }, 'park gate failed');
      } finally {
        atGate.delete(leg.uuid);
      }
    },
  };
}

async function carryOut(
  control: CallControl,
  leg: LegFacts,
  answer: GateAnswer,
): Promise<'started' | 'gone'> {
  const { variables, verb } = answer;
  switch (verb.kind) {
    case 'continue': {
      const extension = leg.gate.next ?? leg.destination;
      return control.goOn(leg.uuid, variables, { extension, context: leg.context });
    }
    case 'refuse':
      if (leg.answeredAt === undefined && !leg.loopback) {
        return control.execute(leg.uuid, variables, 'respond', `${verb.sipCode} ${verb.sipReason}`);
      }
      // Only SIP knows an answer code.
      if ((await control.setVariables(leg.uuid, variables)) === 'gone') return 'gone';
      return control.kill(leg.uuid, verb.cause);
    case 'bridge':
      return control.execute(
        leg.uuid,
        new Map([...variables, ...END_WITH_BRIDGE, END_WITH_FAILURE]),
        'bridge',
        verb.dialString,
      );
    default:
      return assertNever(verb, 'gate verb');
  }
}
