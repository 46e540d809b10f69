import type { FarEnd } from '../simulator/far-end.ts';
import type { SimulatedCall } from '../simulator/inbound-call.ts';
import type { LegTruth } from '../simulator/ledger.ts';
import type { Simulator } from '../simulator/simulator.ts';

/** The two ways a dialplan can ask Tollgate; a context of its own stands for each. */
export type Gate = 'socket' | 'park';

/** The dialplan of `freeswitch-conf` in the simulator's words: through a gate, then out to the carrier. */
export function useDialplan(sim: Simulator, socketPort: number): void {
  sim.dialplan((call) => {
    const onward = [
      ['set', 'hangup_after_bridge=true'],
      ['bridge', `sofia/gateway/carrier/${call.destination}`],
    ] as const;
    if (call.context !== 'park') return [['socket', `127.0.0.1:${socketPort} async full`], ...onward];
    const isDecided =
      call.variable('tollgate_decision') !== undefined &&
      call.variable('tollgate_admitted_destination') === call.destination;
    if (isDecided) return onward;
    return [
      ['set', 'tollgate_ask=true'],
      ['set', 'park_timeout=5:NORMAL_TEMPORARY_FAILURE'],
      ['park', ''],
    ];
  });
}

export type CallToPlace = {
  readonly account: string;
  readonly from: string;
  readonly to: string;
  readonly gate?: Gate;
  readonly ringsMs: number;
  /** Unset: until somebody else ends it. */
  readonly talksMs?: number;
};

/** Somebody dials; whoever is called picks up after a while. The caller never hangs up unless told to. */
export function placeCall(sim: Simulator, wanted: CallToPlace): SimulatedCall {
  const answers: FarEnd = { kind: 'answers', afterMs: wanted.ringsMs };
  sim.endpoint(wanted.to, answers);
  return sim.placeCall({
    from: wanted.from,
    to: wanted.to,
    context: wanted.gate ?? 'socket',
    variables: { tollgate_account: wanted.account },
    ...(wanted.talksMs === undefined ? {} : { hangsUpAfterAnswerMs: wanted.talksMs }),
  });
}

/** The leg towards the carrier, which is the one that is metered. */
export function carrierLeg(sim: Simulator, call: SimulatedCall): LegTruth | undefined {
  return sim.legs().find((leg) => leg.direction === 'outbound' && leg.variable('originator') === call.uuid);
}

export function hasEnded(call: SimulatedCall): boolean {
  return call.truth?.endedMicros !== undefined;
}

export function nowMicros(): number {
  return (performance.timeOrigin + performance.now()) * 1000;
}

/** How long the leg has been talking, or talked in all; zero while it rings. */
export function talkedMs(leg: LegTruth | undefined): number {
  if (leg?.answeredMicros === undefined) return 0;
  return ((leg.hungUpMicros ?? nowMicros()) - leg.answeredMicros) / 1000;
}

/** When the hang-up reached FreeSWITCH, counted from the end of the seconds that were paid for. */
export function cutLateMs(leg: LegTruth | undefined, paidSeconds: number): number | undefined {
  if (leg?.answeredMicros === undefined || leg.killReceivedMicros === undefined) return undefined;
  return (leg.killReceivedMicros - leg.answeredMicros) / 1000 - paidSeconds * 1000;
}
