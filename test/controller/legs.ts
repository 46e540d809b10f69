import { decide } from '../../src/admission/decide.ts';
import type { LegRecord } from '../../src/admission/leg-record.ts';
import type { LegFacts } from '../../src/calls/switch-event.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { decodeLeg } from '../../src/freeswitch/decode-event.ts';
import { A_LEG, accountsOf, B_LEG, NODE, questionOf, tariffOf } from './world.ts';

/** A leg as FreeSWITCH tells of it, told through the one function that reads it. */
export function factsOf(facts: Partial<LegFacts> = {}): LegFacts {
  const told = { 'Unique-ID': A_LEG, 'Core-UUID': 'core-1', 'Call-Direction': 'inbound' };
  const leg = decodeLeg(told, { node: NODE, receivedAt: toEpochMs(0), accountFallbacks: [] });
  if (leg === undefined) throw new Error('a leg without an id');
  return { ...leg, ...facts };
}

const ACCOUNTS = accountsOf([
  { account: 'acme', wallet: 'EUR', tariff: 'retail' },
  { account: 'acme/shop', wallet: 'EUR', tariff: 'retail' },
]);
const TARIFFS = tariffOf('retail', [{ prefix: '49', rate: '0.60', minimumSeconds: 30, incrementSeconds: 6 }]);

/** The record of an outbound call that a reseller and its customer pay, bound to its carrier leg. */
export function recordOf(record: Partial<LegRecord> = {}): LegRecord {
  const decided = decide(questionOf(ACCOUNTS, { caller: 'acme/shop' }), TARIFFS, {
    unrated: 'refuse',
    unratedInbound: 'allow',
    unfunded: 'refuse',
    customerCurrency: 'EUR',
  });
  if (decided.kind === 'refused') throw new Error(decided.refusal.words);
  return { ...decided.record, uuid: B_LEG, ...record };
}
