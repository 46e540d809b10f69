import type { Service } from '../../src/main.ts';
import type { CallRequest, SimulatedCall } from '../../src/simulator/inbound-call.ts';
import type { LegTruth } from '../../src/simulator/ledger.ts';
import type { DialplanView } from '../../src/simulator/core.ts';
import type { Action } from '../../src/simulator/leg.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import type { Cdr } from '../../src/records/records.ts';
import { eventually, type Stage } from './stage.ts';

/** What most of the service tests do with a stage. */

export const SECONDS_TARIFF = 'prefix,rate,minimum,increment\n49,1.00,1,1\n';

/** A tenant with money, a tariff of a dollar a minute by the second, and a carrier that answers at once. */
export async function furnish(
  stage: Stage,
  options: {
    readonly balance: string;
    readonly tariff?: string;
    readonly operator?: Readonly<Record<string, unknown>>;
  },
): Promise<void> {
  await stage.tariff('standard', options.tariff ?? SECONDS_TARIFF);
  await stage.account({
    account: 'acme',
    wallet: 'EUR',
    tariff: 'standard',
    operator: options.operator ?? {},
  });
  if (options.balance !== '0') await stage.topUp('acme', options.balance);
  stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 50 });
}

/**
 * The dialplan of `freeswitch-conf` in short: asks at a gate, of whichever of the services answers first, and lets
 * nothing through that was not decided for this very call and number.
 */
export function useGates(
  sim: Simulator,
  gate: 'socket' | 'park',
  services: readonly Pick<Service, 'socketPort'>[],
  onward: (call: DialplanView) => readonly Action[] = toCarrier,
): void {
  let turn = 0;
  sim.dialplan((call) => {
    if (isPassed(call)) return onward(call);
    if (call.context === 'undecided') return [['respond', '503 Service Unavailable']];
    if (gate === 'park') {
      if (call.variable('tollgate_decision') === 'refused')
        return [['hangup', call.variable('tollgate_cause') ?? '']];
      return [
        ['set', 'tollgate_ask=true'],
        ['set', 'park_timeout=5:NORMAL_TEMPORARY_FAILURE'],
        ['park', ''],
      ];
    }
    const first = (turn += 1);
    const hosts = services.map((_, n) => `127.0.0.1:${services[(first + n) % services.length]?.socketPort}`);
    return [
      ['unset', 'tollgate_decision'],
      ['socket', `${hosts.join('|')} async full`],
      ['execute_extension', `${call.destination} XML undecided`],
    ];
  });
}

function toCarrier({ destination }: DialplanView): readonly Action[] {
  return [
    ['set', 'hangup_after_bridge=true'],
    ['bridge', `sofia/gateway/pstn/${destination}`],
  ];
}

function isPassed(call: DialplanView): boolean {
  const decision = call.variable('tollgate_decision');
  return (
    decision !== undefined &&
    decision !== 'refused' &&
    call.variable('tollgate_admitted_destination') === call.destination &&
    call.variable('tollgate_admission')?.startsWith(`${call.uuid}.`) === true
  );
}

export function placeCalls(
  stage: Stage,
  count: number,
  request: (n: number) => Partial<CallRequest> = () => ({}),
): readonly SimulatedCall[] {
  return Array.from({ length: count }, (_, n) =>
    stage.sim.placeCall({
      from: `${1000 + n}`,
      to: '4930123',
      variables: { tollgate_account: 'acme' },
      ...request(n),
    }),
  );
}

/** The carrier answers when it rings so many times, all of them at one instant, or spread over so long. */
export function answerTogether(stage: Stage, count: number, spreadMs = 0): void {
  const all = Promise.withResolvers<void>();
  let ringing = 0;
  stage.sim.endpoint(/pstn/, () => {
    const laterMs = (spreadMs * ringing) / count;
    ringing += 1;
    if (ringing === count) all.resolve();
    const mine = all.promise.then(() => new Promise<void>((resolve) => setTimeout(resolve, laterMs)));
    return { kind: 'answers', afterMs: spreadMs === 0 ? all.promise : mine };
  });
}

export async function allEnded(calls: readonly SimulatedCall[], withinMs = 30_000): Promise<void> {
  await eventually(
    () => calls.filter((call) => call.truth?.endedMicros === undefined).length,
    (up) => up === 0,
    withinMs,
  );
}

/** With a controller that died in between, its lease and two looks at the channels come first. */
const SETTLED_WITHIN_MS = 30_000;

export async function settled(stage: Stage, count: number, account = 'acme'): Promise<readonly Cdr[]> {
  return await eventually(
    () => stage.cdrs(account),
    (rows) => rows.length >= count,
    SETTLED_WITHIN_MS,
  );
}

/** The legs that a call placed, oldest first. */
export function placedBy(stage: Stage, call: SimulatedCall): readonly LegTruth[] {
  return stage.sim.legs().filter((leg) => leg.variable('originator') === call.uuid);
}
