import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readJsonCdr } from '../../src/cdrfiles/json-cdr.ts';
import { meteringOf } from '../../src/reconcile/metering.ts';
import { surroundingsOf, type Relatives } from '../../src/reconcile/surroundings.ts';
import type { SwitchCdr } from '../../src/reconcile/switch-cdr.ts';
import { READING } from '../cdrfiles/samples.ts';
import { SCENARIOS } from '../service/recorded-scenarios.ts';

const FOLDER = new URL('../fixtures/transcripts/', import.meta.url);

function recordedCdrs(number: string): readonly SwitchCdr[] {
  return readdirSync(FOLDER)
    .filter((name) => name.startsWith(`${number}-`) && name.endsWith('.cdr.json'))
    .map((name) => {
      const reading = { ...READING, accountVariables: ['sip_from_user'] };
      const leg = readJsonCdr(readFileSync(new URL(name, FOLDER)), reading);
      if (leg.kind === 'fault') throw new Error(`${name}: ${leg.fault.field}: ${leg.fault.expected}`);
      return leg.cdr;
    });
}

function relativesAmong(legs: readonly SwitchCdr[]): Relatives {
  return {
    leg: (uuid) => legs.find((leg) => leg.uuid === uuid),
    placedBy: (uuid) => legs.filter(({ originator }) => originator === uuid),
    bridgedFrom: (uuid) => legs.find(({ bLeg }) => bLeg === uuid),
    isCharged: () => false,
  };
}

describe("the legs that FreeSWITCH's own CDRs say were charged", () => {
  const withCdrs = SCENARIOS.filter(({ number }) => recordedCdrs(number).length > 0);

  it('can be told of nearly all recordings', () => {
    expect(withCdrs.length).toBeGreaterThan(18);
  });

  it.each(withCdrs)('are those that were charged live: $number, $title', ({ number, pays }) => {
    const legs = recordedCdrs(number);
    const metered = legs.flatMap((leg) => {
      const metering = meteringOf(leg, surroundingsOf(leg, relativesAmong(legs)), 'admit');
      return metering.kind === 'metered' ? [`${metering.claims.account} ${leg.uuid.slice(0, 8)}`] : [];
    });
    const expected = Object.entries(pays).flatMap(([account, starts]) =>
      starts.map((start) => `${account} ${start}`),
    );
    expect(metered.toSorted()).toEqual(expected.toSorted());
  });
});
