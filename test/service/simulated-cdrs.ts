import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LegTruth } from '../../src/simulator/ledger.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { VARIABLES_READ, VARIABLES_WRITTEN } from '../../src/calls/channel-variables.ts';

const NAMES = [
  ...Object.values(VARIABLES_READ).map(({ name }) => name),
  ...Object.values(VARIABLES_WRITTEN).map(({ name }) => name),
  ...['start', 'answer', 'end'].flatMap((moment) => [`${moment}_uepoch`, `${moment}_stamp`]),
  'billusec',
  'billsec',
  'hangup_cause',
  'originator',
  'originated_legs',
  'is_loopback',
  'other_loopback_from_uuid',
  'accountcode',
];

/** What mod_json_cdr would have written of every leg that has ended; the moments are in plain text somewhere. */
export function writeCdrs(
  sim: Simulator,
  folder: string,
  options: { readonly without?: (leg: LegTruth) => boolean } = {},
): void {
  mkdirSync(folder, { recursive: true });
  for (const leg of sim.legs()) {
    if (leg.endedMicros === undefined || options.without?.(leg) === true) continue;
    writeFileSync(join(folder, `${leg.uuid}.cdr.json`), cdrOf(leg));
  }
}

function cdrOf(leg: LegTruth): string {
  const variables: Record<string, string> = { uuid: leg.uuid, start_stamp: '2026-11-22 07:11:47' };
  for (const name of NAMES) {
    const value = leg.variable(name);
    if (value !== undefined) variables[name] = value;
  }
  return `${JSON.stringify({
    'core-uuid': 'simulated',
    switchname: 'fs1',
    channel_data: { state: 'CS_REPORTING', direction: leg.direction },
    variables,
    callflow: [{ caller_profile: { caller_id_number: leg.from, destination_number: leg.destination } }],
  })}\n`;
}
