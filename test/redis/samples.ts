import type { LegRecord, PayerRecord, TakenSlot } from '../../src/admission/leg-record.ts';
import type { FirstOf, HoldTake, HolderTakes, Slot, SlotPlan } from '../../src/admission/plan.ts';
import { slotName } from '../../src/admission/plan.ts';
import { toPriceTerms, type PriceTerms } from '../../src/rating/price.ts';
import { walletKey } from '../../src/redis/keys.ts';
import {
  admissionIdOf,
  legKeyOf,
  accountOf,
  rootOf,
  type AccountPath,
  type LegKey,
  type LegUuid,
  type NodeId,
  type TariffName,
} from '../../src/units/ids.ts';
import { parseMicros, type Micros } from '../../src/units/money.ts';
import { toEpochMs } from '../../src/units/time.ts';

export const ACME = 'acme' as AccountPath;
export const START = toEpochMs(1_800_000_000_000);
export const ROOT_SLOT: Slot = { kind: 'root', root: ACME };

export function micros(text: string): Micros {
  const amount = parseMicros(text);
  if (amount === undefined) throw new Error(`${text} is no amount`);
  return amount;
}

export function keyOf(name: string | number): LegKey {
  return legKeyOf(admissionIdOf(`leg-${name}` as LegUuid, 1), 'a') as LegKey;
}

/** 1.00 a minute in pulses of so many seconds. */
export function termsOf(pulseSeconds: number, perMinute = '1.00'): PriceTerms {
  return toPriceTerms({
    perMinute: micros(perMinute),
    minimumSeconds: pulseSeconds,
    incrementSeconds: pulseSeconds,
  });
}

export type SampleLeg = {
  readonly plan: SlotPlan;
  readonly others: readonly SlotPlan[];
  readonly record: LegRecord;
};

/** A leg with its plan and record in agreement, as the compiler of plans makes them. The first slot is home. */
export function sampleLeg(
  name: string | number,
  takes: {
    readonly account?: AccountPath;
    readonly takes?: readonly HolderTakes[];
    readonly holds?: readonly HoldTake[];
    /** Charged when the leg ends, and nothing held before. */
    readonly soft?: readonly HoldTake[];
    readonly firstOf?: readonly FirstOf[];
    readonly cap?: LegRecord['cap'];
    readonly others?: readonly { readonly slot: Slot; readonly takes: readonly HolderTakes[] }[];
  },
): SampleLeg {
  const legKey = keyOf(name);
  const account = takes.account ?? ACME;
  const home: SlotPlan = {
    slot: { kind: 'root', root: rootOf(account) },
    legKey,
    takes: takes.takes ?? [],
    holds: takes.holds ?? [],
    firstOf: takes.firstOf ?? [],
  };
  const others = (takes.others ?? []).map((other) => ({ ...other, legKey, holds: [], firstOf: [] }));
  const record: LegRecord = {
    legKey,
    admission: admissionIdOf(`leg-${name}` as LegUuid, 1),
    aLeg: `leg-${name}` as LegUuid,
    siblings: ['a'],
    uuid: undefined,
    node: 'fs1' as NodeId,
    coreUuid: 'core',
    account,
    direction: 'outbound',
    callerNumber: '1001',
    dialled: '4930123',
    destination: '4930123',
    routes: others.map(({ slot }) => slotName(slot)),
    options: [],
    admittedAt: START,
    answeredAt: undefined,
    decision: 'admitted',
    funding: 'per_minute',
    payers: [...home.holds, ...(takes.soft ?? [])].map((hold, index) =>
      index < home.holds.length ? payerOf(hold) : { ...payerOf(hold), soft: true },
    ),
    trunks: [],
    allotments: [],
    cap: takes.cap,
    taken: [home, ...others].map(takenOf),
  };
  return { plan: home, others, record };
}

export function payerOf({ wallet, terms }: HoldTake): PayerRecord {
  const account = accountOf(wallet);
  return {
    account,
    wallet: account,
    tariff: 't' as TariffName,
    tariffVersion: 1,
    rateId: 1,
    prefix: '49',
    currency: 'EUR',
    terms,
  };
}

function takenOf({
  slot,
  takes,
}: {
  readonly slot: Slot;
  readonly takes: readonly HolderTakes[];
}): TakenSlot {
  return {
    slot,
    counted: takes.map(({ holder, counts }) => ({ holder, counters: counts.map(({ counter }) => counter) })),
  };
}

/** A wallet as the scripts keep it: what they know of its commitments in constant time. */
export async function readBound(
  redis: { get(key: string): Promise<string | null> },
  wallet: AccountPath,
  at: number,
): Promise<bigint | undefined> {
  const text = await redis.get(walletKey(wallet));
  if (text === null) return undefined;
  const [, , held = '0', base = '0', burn = '0', anchor = '0'] = text.split(' ');
  const elapsedMs = BigInt(Math.max(0, at - Number(anchor)));
  return BigInt(held) + BigInt(base) + (BigInt(burn) * elapsedMs + 59_999n) / 60_000n;
}
