import { formatMicros } from '../units/money.ts';
import { readDocument, type DocumentReader, type FieldProblem, type Parsed } from './document-reader.ts';
import type { AccountCapacity, CapacityLimits, CustomerLimits, OperatorLimits } from './limits.ts';

const ENFORCEMENTS = ['enforce', 'dry_run'] as const;
const STORE_DOWN_ANSWERS = ['allow', 'refuse'] as const;
const EXHAUSTIONS = ['unpaid', 'all'] as const;

/** Limits of DESIGN 2 that are meant to come. Ignoring one would let calls through that its author wanted refused. */
const UNSUPPORTED = [
  'perNumber',
  'trunks',
  'softLimitInbound',
  'softLimitOutbound',
  'allotments',
  'discounts',
  'maxCallSeconds',
  'maxCallCost',
  'maxSpend',
  'fundingOrder',
];
const OPERATOR_ONLY = ['enabled', 'allowPostpay', 'maxPostpay', 'enforcement', 'onStoreDown', 'onExhaustion'];

/** The service's `defaults` of the configuration, or any other operator's limits that stand alone. */
export function parseOperatorLimits(document: unknown): Parsed<OperatorLimits> {
  const problems: FieldProblem[] = [];
  const value = readOperatorLimits(readDocument(document, '', problems));
  return problems.length === 0 ? { kind: 'ok', value } : { kind: 'bad', problems };
}

export function readOperatorLimits(reader: DocumentReader): OperatorLimits {
  const limits = {
    ...readAccountCapacity(reader),
    enabled: reader.flag('enabled'),
    allowPrepay: reader.flag('allowPrepay'),
    allowPostpay: reader.flag('allowPostpay'),
    maxPostpay: reader.amount('maxPostpay'),
    enforcement: reader.choice('enforcement', ENFORCEMENTS),
    onStoreDown: reader.choice('onStoreDown', STORE_DOWN_ANSWERS),
    onExhaustion: reader.choice('onExhaustion', EXHAUSTIONS),
  };
  reader.refuse(UNSUPPORTED, 'to be left out: not supported by this version');
  reader.finish();
  return limits;
}

/** Ruling 1: a customer sets only what restricts. */
export function readCustomerLimits(reader: DocumentReader): CustomerLimits {
  const capacity = readAccountCapacity(reader);
  const allowPrepay = reader.flag('allowPrepay');
  if (allowPrepay === true) reader.refuse(['allowPrepay'], 'false or nothing: a customer may only restrict');
  reader.refuse(OPERATOR_ONLY, 'to be left out: only the operator may set it');
  reader.refuse(UNSUPPORTED, 'to be left out: not supported by this version');
  reader.finish();
  return { ...capacity, allowPrepay: allowPrepay === false ? allowPrepay : undefined };
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

/** What was set, as a document that reads back the same: money as decimal strings, unset fields left out. */
export function toLimitsDocument(limits: OperatorLimits | CustomerLimits): Readonly<Record<string, unknown>> {
  const set = Object.entries(limits).filter(([, value]) => value !== undefined);
  const { maxPostpay } = { maxPostpay: undefined, ...limits };
  return {
    ...Object.fromEntries(set),
    ...(maxPostpay === undefined ? {} : { maxPostpay: formatMicros(maxPostpay) }),
  };
}
