import { parseAccount, toAccountDocument, type AccountRules } from '../accounts/account-document.ts';
import type { Account } from '../accounts/account.ts';
import { FROM_EXPECTED, parseFrom } from '../accounts/tariff-assignments.ts';
import { BadInputError, type CommandLine, type Flag } from '../command-line/command.ts';
import { readFlags } from '../command-line/flag-values.ts';
import type { AccountPath } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';

/** Takes a value back out of the account, so that what is above it holds again. */
const UNSET = 'unset';

type AccountFlag = Flag & { readonly at: readonly [string] | readonly [string, string] };

const COUNT = 'N|unlimited';
const YES_NO = 'true|false';

/** Each flag and where its value stands in the account's document. */
const FLAGS: Readonly<Record<string, AccountFlag>> = {
  wallet: { value: 'CURRENCY', doc: 'the account has money of its own, in this currency', at: ['wallet'] },
  tariff: { value: 'TARIFF', doc: 'what its calls are charged by', at: ['tariff'] },
  ...operatorFlag('calls', 'calls', COUNT, 'calls at once'),
  ...operatorFlag('inbound-calls', 'inboundCalls', COUNT, 'calls to it at once'),
  ...operatorFlag('outbound-calls', 'outboundCalls', COUNT, 'calls from it at once'),
  ...operatorFlag(
    'resource-calls',
    'resourceConsumingCalls',
    COUNT,
    'public calls at once, a forwarded one once',
  ),
  ...operatorFlag('public-calls', 'publicCalls', COUNT, 'calls at once with somewhere that is not ours'),
  ...operatorFlag('internal-calls', 'internalCalls', COUNT, 'calls at once between accounts'),
  ...operatorFlag('calls-per-second', 'callsPerSecond', COUNT, 'admissions a second'),
  ...operatorFlag('enabled', 'enabled', YES_NO, 'false: counted and shown, but neither limited nor charged'),
  ...operatorFlag('allow-prepay', 'allowPrepay', YES_NO, 'may spend its balance'),
  ...operatorFlag('allow-postpay', 'allowPostpay', YES_NO, 'may go below zero'),
  ...operatorFlag('max-postpay', 'maxPostpay', 'AMOUNT', 'how far below zero'),
  ...operatorFlag('enforcement', 'enforcement', 'enforce|dry_run', 'dry_run: decides, records and lets pass'),
  ...operatorFlag('on-store-down', 'onStoreDown', 'allow|refuse', 'a call while Redis cannot answer'),
  ...operatorFlag('on-exhaustion', 'onExhaustion', 'unpaid|all', 'which legs end when the money does'),
  ...operatorFlag('max-call-seconds', 'maxCallSeconds', COUNT, 'how long one call may last'),
  ...operatorFlag('max-call-cost', 'maxCallCost', 'AMOUNT|unlimited', 'how much one call may cost'),
  ...operatorFlag('soft-limit-inbound', 'softLimitInbound', YES_NO, 'a refused call to it goes on, recorded'),
  ...operatorFlag(
    'soft-limit-outbound',
    'softLimitOutbound',
    YES_NO,
    'a refused call from it goes on, recorded',
  ),
  ...operatorFlag('time-zone', 'timeZone', 'ZONE', 'whose calendar its cycles follow: Europe/Berlin'),
  ...customerFlag('calls', 'calls', COUNT),
  ...customerFlag('inbound-calls', 'inboundCalls', COUNT),
  ...customerFlag('outbound-calls', 'outboundCalls', COUNT),
  ...customerFlag('resource-calls', 'resourceConsumingCalls', COUNT),
  ...customerFlag('public-calls', 'publicCalls', COUNT),
  ...customerFlag('internal-calls', 'internalCalls', COUNT),
  ...customerFlag('calls-per-second', 'callsPerSecond', COUNT),
  ...customerFlag('max-call-seconds', 'maxCallSeconds', COUNT),
  ...customerFlag('max-call-cost', 'maxCallCost', 'AMOUNT|unlimited'),
  ...customerFlag('allow-prepay', 'allowPrepay', 'false'),
};

const TARIFF_FROM = 'tariff-from';

export const ACCOUNT_FLAGS: Readonly<Record<string, Flag>> = {
  ...FLAGS,
  [TARIFF_FROM]: {
    value: 'TIME',
    doc: 'with --tariff: from then on, and no longer what was to begin later (default: now; a new account: always)',
  },
};

export type FlagsOf = {
  readonly before: Account | undefined;
  readonly rules: AccountRules;
  readonly now: EpochMs;
};

/** The account with what the flags change of it; a new one where there was none. */
export function accountByFlags(
  path: AccountPath,
  line: CommandLine,
  { before, rules, now }: FlagsOf,
): Account {
  const flags = readFlags(line);
  const from = flags.parsed(TARIFF_FROM, parseFrom, FROM_EXPECTED);
  if (flags.isSet(TARIFF_FROM) && !flags.isSet('tariff')) {
    const value = flags.text(TARIFF_FROM) ?? '';
    flags.complain({ field: `--${TARIFF_FROM}`, value, expected: '--tariff beside it' });
  }
  flags.check();
  const document = new Map(
    Object.entries(before === undefined ? { account: path } : toAccountDocument(before)),
  );
  const typed = new Map<string, { readonly flag: string; readonly text: string }>();
  for (const [name, flag] of Object.entries(FLAGS)) {
    const text = line.flags.get(name);
    if (typeof text !== 'string') continue;
    typed.set(flag.at.join('.'), { flag: `--${name}`, text });
    const [field, inner] = flag.at;
    const value = valueOf(text, flag);
    document.set(field, inner === undefined ? value : { ...sectionOf(document.get(field)), [inner]: value });
  }
  if (flags.isSet('tariff')) document.delete('tariffs');
  const isAlways = before === undefined && from === undefined;
  const standing = { tariffs: before?.tariffs ?? [], now: from ?? now };
  const parsed = parseAccount(withoutUnset(Object.fromEntries(document)), {
    ...rules,
    standing: () => (flags.isSet('tariff') && !isAlways ? standing : undefined),
  });
  if (parsed.kind === 'ok') return parsed.value;
  throw new BadInputError(
    parsed.problems.map(({ field, value, expected }) => {
      const from = typed.get(field);
      return { field: from?.flag ?? field, value: from?.text ?? value, expected };
    }),
  );
}

function operatorFlag(name: string, field: string, value: string, doc: string): Record<string, AccountFlag> {
  return { [name]: { value, doc, at: ['operator', field] } };
}

function customerFlag(name: string, field: string, value: string): Record<string, AccountFlag> {
  return { [`customer-${name}`]: { value, doc: `the same, set by the customer`, at: ['customer', field] } };
}

/** As a file would have it: counts are numbers, yes and no are booleans, all else is text, money above all. */
function valueOf(text: string, flag: AccountFlag): unknown {
  if (text === UNSET) return undefined;
  if (flag.value === COUNT && /^\d{1,15}$/.test(text)) return Number(text);
  if (flag.value !== COUNT && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

function sectionOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

function withoutUnset(document: object): object {
  const set = Object.entries(document).filter(([, value]: readonly [string, unknown]) => value !== undefined);
  return Object.fromEntries(
    set.map(([name, value]: readonly [string, unknown]) => [
      name,
      typeof value === 'object' && value !== null && !Array.isArray(value) ? withoutUnset(value) : value,
    ]),
  );
}
