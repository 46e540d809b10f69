import type { PlacedCdr, SwitchCdr } from '../../src/reconcile/switch-cdr.ts';
import type { LegUuid } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';

const START_MS = Date.UTC(2026, 7, 1, 12);

export const uuid = (text: string): LegUuid => text as LegUuid;

/** An outbound leg of acme/alice that was answered after two seconds and talked for ten and a half. */
export function switchLeg(
  leg: string,
  {
    gate,
    ...changes
  }: Partial<Omit<SwitchCdr, 'uuid' | 'gate'>> & { readonly gate?: Partial<SwitchCdr['gate']> } = {},
): SwitchCdr {
  return {
    uuid: uuid(leg),
    coreUuid: 'core-1',
    switchName: 'fs1',
    direction: 'outbound',
    callerNumber: '1001',
    destination: '4930123',
    startedAt: toEpochMs(START_MS),
    answeredAt: toEpochMs(START_MS + 2_000),
    endedAt: toEpochMs(START_MS + 12_500),
    billMicroseconds: 10_500_000,
    billsec: 10,
    cause: 'NORMAL_CLEARING',
    originator: undefined,
    bLeg: undefined,
    placedLegs: [],
    loopback: false,
    gate: {
      account: 'acme/alice',
      callee: undefined,
      forwarder: undefined,
      routes: ['carrier'],
      options: [],
      destination: undefined,
      admission: undefined,
      branch: undefined,
      home: undefined,
      metered: undefined,
      bridge: undefined,
      decision: undefined,
      admittedDestination: undefined,
      ...gate,
    },
    ...changes,
  };
}

export function placed(leg: SwitchCdr, file = '/cdrs/a.cdr.json', line = 1): PlacedCdr {
  return { leg, place: { file, line } };
}
