import { DEFAULT_CLASSIFIERS } from '../rating/classify.ts';
import { fingerprintOf } from '../units/fingerprint.ts';
import { formatMicros, toMicros } from '../units/money.ts';
import { isTimeZone } from '../units/time-zone.ts';
import { readAllotments } from './allotment-document.ts';
import { readDocument, type DocumentReader, type FieldProblem, type Parsed } from './document-reader.ts';
import {
  readDiscounts,
  readFlatRate,
  readFundingOrder,
  readMaxSpend,
  readNumberRules,
  readTrunks,
} from './limit-readers.ts';
import type {
  DiscountsPpm,
  AccountCapacity,
  CapacityLimits,
  CustomerLimits,
  OperatorLimits,
  ShadowLimits,
  SharedLimits,
} from './limits.ts';

const ENFORCEMENTS = ['enforce', 'dry_run'] as const;
const STORE_DOWN_ANSWERS = ['allow', 'refuse'] as const;
const EXHAUSTIONS = ['unpaid', 'all'] as const;

const OPERATOR_ONLY = [
  'enabled',
  'allowPostpay',
  'maxPostpay',
  'enforcement',
  'onStoreDown',
  'onExhaustion',
  'flatRate',
  'softLimitInbound',
  'softLimitOutbound',
  'allotments',
  'discounts',
  'fundingOrder',
  'timeZone',
];

const MICROS_OF_PERCENT_PER_PPM = 100n;

/** How documents are read. */
export type ReadingRules = {
  /** The classifications that allotments and discounts may name; those of the default classifiers if unset. */
  readonly classifications?: readonly string[];
};

/** Inside of what else a limit may be looked for. */
const LIMIT_PARTS = [
  ...['twoway', 'inbound', 'outbound', 'burst'].map((name) => `trunks.${name}`),
  ...['hour', 'day', 'month'].map((name) => `maxSpend.${name}`),
  ...['whitelist', 'blacklist'].map((name) => `flatRate.${name}`),
];

/** All that an operator may set, where somebody looks for it beside `operator`. */
const FIELDS: Readonly<Record<keyof OperatorLimits, true>> = {
  calls: true,
  inboundCalls: true,
  outboundCalls: true,
  callsPerSecond: true,
  resourceConsumingCalls: true,
  publicCalls: true,
  internalCalls: true,
  perNumber: true,
  trunks: true,
  flatRate: true,
  allotments: true,
  maxSpend: true,
  timeZone: true,
  fundingOrder: true,
  allowPrepay: true,
  allowPostpay: true,
  maxPostpay: true,
  discounts: true,
  maxCallSeconds: true,
  maxCallCost: true,
  softLimitInbound: true,
  softLimitOutbound: true,
  enabled: true,
  enforcement: true,
  onStoreDown: true,
  onExhaustion: true,
};
export const OPERATOR_PLACES = [...Object.keys(FIELDS), ...LIMIT_PARTS].map((name) => `operator.${name}`);

/** Those that hold in a tree without classifiers of its own. */
export const DEFAULT_CLASSIFICATIONS = DEFAULT_CLASSIFIERS.map(({ name }) => name);

/** The service's `defaults` of the configuration, or any other operator's limits that stand alone. */
export function parseOperatorLimits(document: unknown, rules: ReadingRules = {}): Parsed<OperatorLimits> {
  const problems: FieldProblem[] = [];
  const value = readOperatorLimits(readDocument(document, '', problems), rules);
  return problems.length === 0 ? { kind: 'ok', value } : { kind: 'bad', problems };
}

export function readOperatorLimits(reader: DocumentReader, rules: ReadingRules): OperatorLimits {
  const { classifications = DEFAULT_CLASSIFICATIONS } = rules;
  const limits = {
    ...readSharedLimits(reader),
    enabled: reader.flag('enabled'),
    allowPrepay: reader.flag('allowPrepay'),
    allowPostpay: reader.flag('allowPostpay'),
    maxPostpay: reader.amount('maxPostpay'),
    enforcement: reader.choice('enforcement', ENFORCEMENTS),
    onStoreDown: reader.choice('onStoreDown', STORE_DOWN_ANSWERS),
    onExhaustion: reader.choice('onExhaustion', EXHAUSTIONS),
    ...setOnly({
      softLimitInbound: reader.flag('softLimitInbound'),
      softLimitOutbound: reader.flag('softLimitOutbound'),
      allotments: readAllotments(reader, classifications),
      discounts: readDiscounts(reader, classifications),
      fundingOrder: readFundingOrder(reader),
      timeZone: readTimeZone(reader),
      flatRate: readFlatRate(reader),
    }),
  };
  reader.finish(LIMIT_PARTS);
  return limits;
}

const NOT_OF_SHADOWS = [
  'enabled',
  'enforcement',
  'onStoreDown',
  'onExhaustion',
  'softLimitInbound',
  'softLimitOutbound',
] as const;

/** Shadow limits that come by themselves. */
export function parseShadowLimits(document: unknown, rules: ReadingRules = {}): Parsed<ShadowLimits> {
  const problems: FieldProblem[] = [];
  const value = readShadowLimits(readDocument(document, '', problems), rules);
  return problems.length === 0 ? { kind: 'ok', value } : { kind: 'bad', problems };
}

/** What is judged beside the limits that hold. */
export function readShadowLimits(reader: DocumentReader, rules: ReadingRules): ShadowLimits {
  reader.refuse(
    NOT_OF_SHADOWS,
    'to be left out of shadow limits, which only tell whom they would have refused',
  );
  const known = readOperatorLimits(reader, rules);
  const fields = Object.entries(known).filter(([name]) => !NOT_OF_SHADOWS.some((each) => each === name));
  return Object.fromEntries(fields);
}

/**
 * What shadow limits count for themselves begins with this name and ends with it; undefined: they name nothing that is
 * used up over time, and are held against what is really used.
 */
export function shadowCountOf({ allotments, maxSpend, timeZone }: ShadowLimits): string | undefined {
  const counted = { allotments, maxSpend, timeZone };
  if (Object.values(counted).every((field) => field === undefined)) return undefined;
  return fingerprintOf(JSON.stringify(inOrder(toLimitsDocument(counted))));
}

function inOrder(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return entries.map(([name, each]: readonly [string, unknown]) => [name, inOrder(each)]);
}

/** Ruling 1: a customer sets only what restricts. */
export function readCustomerLimits(reader: DocumentReader): CustomerLimits {
  const limits = readSharedLimits(reader);
  const allowPrepay = reader.flag('allowPrepay');
  if (allowPrepay === true) reader.refuse(['allowPrepay'], 'false or nothing: a customer may only restrict');
  reader.refuse(OPERATOR_ONLY, 'to be left out: only the operator may set it');
  reader.finish(LIMIT_PARTS);
  return { ...limits, allowPrepay: allowPrepay === false ? allowPrepay : undefined };
}

function readSharedLimits(reader: DocumentReader): SharedLimits {
  return {
    ...readAccountCapacity(reader),
    ...setOnly({
      perNumber: readNumberRules(reader),
      trunks: readTrunks(reader),
      maxCallSeconds: reader.count('maxCallSeconds'),
      maxCallCost: reader.spend('maxCallCost'),
      maxSpend: readMaxSpend(reader),
    }),
  };
}

function readAccountCapacity(reader: DocumentReader): AccountCapacity {
  return {
    ...readCapacity(reader),
    resourceConsumingCalls: reader.count('resourceConsumingCalls'),
    publicCalls: reader.count('publicCalls'),
    internalCalls: reader.count('internalCalls'),
  };
}

export function readCapacity(reader: DocumentReader): CapacityLimits {
  return {
    calls: reader.count('calls'),
    inboundCalls: reader.count('inboundCalls'),
    outboundCalls: reader.count('outboundCalls'),
    callsPerSecond: reader.count('callsPerSecond'),
  };
}

function readTimeZone(reader: DocumentReader): string | undefined {
  const expected = 'the name of a time zone such as "Europe/Berlin" or "UTC"';
  return reader.text('timeZone', (text) => (isTimeZone(text) ? text : undefined), expected);
}

function setOnly<Fields extends object>(fields: Fields): Partial<Fields> {
  const set = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set) as Partial<Fields>;
}

/** What was set, as a document that reads back the same: money as decimal strings, unset fields left out. */
export function toLimitsDocument(limits: OperatorLimits | CustomerLimits): Readonly<Record<string, unknown>> {
  const { discounts, ...others } = { discounts: undefined, ...limits };
  return {
    ...fieldsOf(others),
    ...(discounts === undefined ? {} : { discounts: percentsOf(discounts) }),
  };
}

function documentValue(value: unknown): unknown {
  if (typeof value === 'bigint') return formatMicros(toMicros(value));
  if (Array.isArray(value)) return value.map(documentValue);
  if (typeof value !== 'object' || value === null) return value;
  return fieldsOf(value);
}

function fieldsOf(fields: object): Readonly<Record<string, unknown>> {
  const set = Object.entries(fields).filter(([, value]: readonly [string, unknown]) => value !== undefined);
  return Object.fromEntries(
    set.map(([name, value]: readonly [string, unknown]) => [name, documentValue(value)]),
  );
}

function percentsOf(discounts: DiscountsPpm): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(discounts).map(([name, ppm]) => {
      const percent = formatMicros(toMicros(BigInt(ppm) * MICROS_OF_PERCENT_PER_PPM));
      return [name, percent.replace(/\.?0+$/, '')];
    }),
  );
}
