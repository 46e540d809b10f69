import { formatTerms, parseTerms } from '../rating/terms-text.ts';
import type {
  AllotmentCharge,
  Cdr,
  Charge,
  Decision,
  LedgerName,
  PerMinuteCharge,
  Settlement,
  Transfer,
  TrunkCharge,
} from '../records/records.ts';
import {
  legKeyOf,
  parseAccountPath,
  parseAdmissionId,
  parseLegUuid,
  parseNodeId,
  parseTariffName,
  type LegKey,
} from '../units/ids.ts';
import { toMicros, type Micros } from '../units/money.ts';
import { toEpochMs } from '../units/time.ts';

/** The text is not one that this release wrote. The message says where it differs. */
export class UnreadableEntryError extends Error {
  override readonly name = 'UnreadableEntryError';
}

/** Raised with every change of what an entry says: an older release must leave what it cannot read, not lose a part. */
const VERSION = 1;
const MONEY_KEY = '$micros';

/** A settlement as one line of JSON: money in micros as text, because JSON's numbers are floats. */
export function formatSettlement({ cdr, charges, transfers }: Settlement): string {
  return JSON.stringify({
    v: VERSION,
    cdr,
    charges: charges.map((charge) => ({
      ...charge,
      ...(charge.way === 'per_minute' ? { terms: formatTerms(charge.terms) } : {}),
      price: `${charge.price}`,
    })),
    transfers: transfers.map((transfer) => ({ ...transfer, amount: `${transfer.amount}` })),
  });
}

/** Throws UnreadableEntryError for anything that `formatSettlement` of this version does not write. */
export function parseSettlement(text: string): Settlement {
  const { v: _, ...settlement } = reading(() => settlementEntry(JSON.parse(text), 'settlement'));
  return settlement;
}

/**
 * A transfer that a script completes: `$amount` and `$at` stand for what it finds. An id may hold further words of the
 * script's own.
 */
export function transferEntry(transfer: Omit<Transfer, 'amount' | 'at'>): string {
  return JSON.stringify({ v: VERSION, ...transfer, amount: '$amount', at: '$at' }).replace('"$at"', '$at');
}

/** Throws UnreadableEntryError for anything but a completed `transferEntry` of this version. */
export function parseTransfer(text: string): Transfer {
  const readers = fields<{ readonly v: number } & Transfer>({ v: version, ...transferReaders });
  const { v: _, ...transfer } = reading(() => readers(JSON.parse(text), 'transfer'));
  return transfer;
}

/** Money in a decision's inputs, at any depth, is `{"$micros":"…"}`. */
export function formatDecision(decision: Decision): string {
  return JSON.stringify({ v: VERSION, ...decision }, (_, part: unknown) =>
    typeof part === 'bigint' ? { [MONEY_KEY]: `${part}` } : part,
  );
}

/** Throws UnreadableEntryError for anything that `formatDecision` of this version does not write. */
export function parseDecision(text: string): Decision {
  const { v: _, ...decision } = reading(() =>
    decisionEntry(
      JSON.parse(text, (_, part: unknown) => moneyOf(part) ?? part),
      'decision',
    ),
  );
  return decision;
}

function reading<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnreadableEntryError) throw error;
    // JSON's own complaint, a number BigInt does not take, an amount or price terms out of range.
    throw new UnreadableEntryError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

type Read<Value> = (value: unknown, at: string) => Value;

/** Exactly these fields: one left out here does not compile, one that is not known is refused. */
function fields<Shape>(readers: { readonly [Name in keyof Shape]-?: Read<Shape[Name]> }): Read<Shape> {
  const names = new Set(Object.keys(readers));
  const entries = Object.entries(readers) as [string, Read<unknown>][];
  return (value, at) => {
    if (typeof value !== 'object' || value === null) throw unlike(at, 'an object');
    const given = value as Record<string, unknown>;
    const stranger = Object.keys(given).find((name) => !names.has(name));
    if (stranger !== undefined) throw new UnreadableEntryError(`${at} has an unknown field "${stranger}"`);
    return Object.fromEntries(
      entries.map(([name, read]) => [name, read(given[name], `${at}.${name}`)]),
    ) as Shape;
  };
}

function check<Value>(what: string, isValue: (value: unknown) => value is Value): Read<Value> {
  return (value, at) => {
    if (!isValue(value)) throw unlike(at, what);
    return value;
  };
}

function oneOf<Value extends string | number>(...values: readonly Value[]): Read<Value> {
  return check(`one of ${values.join(', ')}`, (value): value is Value => values.includes(value as Value));
}

/** A name in the only spelling that its parser gives back unchanged. */
function id<Id extends string>(what: string, parse: (text: string) => Id | undefined): Read<Id> {
  return check(what, (value): value is Id => typeof value === 'string' && parse(value) === value);
}

function optional<Value>(read: Read<Value>): Read<Value | undefined> {
  return (value, at) => (value === undefined ? undefined : read(value, at));
}

function list<Value>(read: Read<Value>): Read<readonly Value[]> {
  return (value, at) => {
    if (!Array.isArray(value)) throw unlike(at, 'a list');
    return value.map((item, index) => read(item, `${at}.${index}`));
  };
}

function unlike(at: string, what: string): UnreadableEntryError {
  return new UnreadableEntryError(`${at} is not ${what}`);
}

function moneyOf(part: unknown): Micros | undefined {
  if (typeof part !== 'object' || part === null || !(MONEY_KEY in part)) return undefined;
  const text = part[MONEY_KEY];
  return typeof text === 'string' && Object.keys(part).length === 1 ? toMicros(BigInt(text)) : undefined;
}

function parseLegKey(text: string): LegKey | undefined {
  const colon = text.lastIndexOf(':');
  const admission = parseAdmissionId(text.slice(0, Math.max(0, colon)));
  return admission === undefined ? undefined : legKeyOf(admission, text.slice(colon + 1));
}

const text = check('text', (value): value is string => typeof value === 'string');
const flag = check('true or false', (value): value is boolean => typeof value === 'boolean');
const whole = check('a whole number', (value): value is number => Number.isSafeInteger(value));
const count = check(
  'a count',
  (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0,
);
const moment: Read<Cdr['endedAt']> = (value, at) => toEpochMs(count(value, at));
const micros: Read<Micros> = (value, at) => {
  const digits = text(value, at);
  if (!/^-?\d{1,16}$/.test(digits)) throw unlike(at, 'an amount in micros');
  return toMicros(BigInt(digits));
};
const terms: Read<PerMinuteCharge['terms']> = (value, at) => parseTerms(text(value, at));
const inputs = check(
  'an object',
  (value): value is Decision['inputs'] =>
    typeof value === 'object' && value !== null && !Array.isArray(value),
);
const ledger = check(
  'a ledger',
  (value): value is LedgerName =>
    typeof value === 'string' && /^(?:wallet|revenue|cash|adjust):./.test(value),
);
const legUuid = id('a leg uuid', parseLegUuid);
const accountPath = id('an account path', parseAccountPath);
const version = oneOf(VERSION);
const decisionKind = [
  'admitted',
  'refused',
  'dry_run',
  'unrestricted',
  'soft',
  'emergency',
  'store_down',
] as const;

const chargePart = {
  legUuid,
  segment: count,
  payer: accountPath,
  version: count,
  billedSeconds: count,
  chargedSeconds: count,
  price: micros,
};
// What is settled live is a first version, and never free.
type LiveWay = Exclude<Charge['way'], 'free'>;
const chargeByWay: { readonly [Way in LiveWay]: Read<Charge> } = {
  per_minute: fields<PerMinuteCharge>({
    ...chargePart,
    way: oneOf('per_minute'),
    tariff: id('a tariff', parseTariffName),
    tariffVersion: count,
    rateId: count,
    prefix: text,
    terms,
    currency: text,
  }),
  allotment: fields<AllotmentCharge>({
    ...chargePart,
    way: oneOf('allotment'),
    allotment: text,
    pulses: fields<AllotmentCharge['pulses']>({
      minimumSeconds: count,
      incrementSeconds: count,
      graceSeconds: count,
    }),
  }),
  flat_rate: fields<TrunkCharge>({ ...chargePart, way: oneOf('flat_rate') }),
  flat_rate_burst: fields<TrunkCharge>({ ...chargePart, way: oneOf('flat_rate_burst') }),
};
const chargeWay = oneOf<LiveWay>('per_minute', 'allotment', 'flat_rate', 'flat_rate_burst');
const chargeEntry: Read<Charge> = (value, at) => {
  if (typeof value !== 'object' || value === null) throw unlike(at, 'an object');
  return chargeByWay[chargeWay('way' in value ? value.way : undefined, `${at}.way`)](value, at);
};

const transferReaders = {
  id: text,
  kind: oneOf('charge', 'topup', 'adjustment', 'opening', 'closing'),
  debit: ledger,
  credit: ledger,
  amount: micros,
  currency: text,
  at: moment,
  reference: text,
};
const transferFields = fields<Transfer>(transferReaders);

const settlementEntry = fields<{ readonly v: number } & Settlement>({
  v: version,
  cdr: fields<Cdr>({
    legUuid,
    legKey: id('a leg key', parseLegKey),
    node: id('a node', parseNodeId),
    coreUuid: text,
    account: accountPath,
    callee: optional(accountPath),
    forwarded: optional(flag),
    soft: optional(list(accountPath)),
    direction: oneOf('inbound', 'outbound', 'internal'),
    callerNumber: text,
    dialled: text,
    destination: text,
    routes: list(text),
    options: list(text),
    admittedAt: moment,
    answeredAt: optional(moment),
    endedAt: moment,
    billMicroseconds: count,
    billsec: whole,
    billedSeconds: count,
    cause: text,
    cut: optional(
      oneOf('credit', 'allotment', 'max_time', 'max_spend', 'max_seconds', 'max_cost', 'killed', 'ungated'),
    ),
    decision: oneOf(...decisionKind),
    funding: oneOf('per_minute', 'allotment', 'flat_rate', 'flat_rate_burst', 'free', 'toll_free', 'none'),
    estimated: flag,
  }),
  charges: list(chargeEntry),
  transfers: list(transferFields),
});

const decisionEntry = fields<{ readonly v: number } & Decision>({
  v: version,
  id: text,
  at: moment,
  kind: oneOf('admission', 'refusal', 'segment', 'cutoff', 'kill', 'shadow', 'dry_run'),
  verdict: oneOf(...decisionKind, 'continued', 'cut'),
  aLeg: legUuid,
  legUuid: optional(legUuid),
  account: optional(accountPath),
  reason: text,
  inputs,
});
