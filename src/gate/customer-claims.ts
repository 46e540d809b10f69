import type { CustomerCredit, CustomerPool } from '../accounts/customer-pool.ts';
import { VARIABLES_READ } from '../calls/channel-variables.ts';
import type { CustomerVariables } from '../calls/switch-event.ts';
import { toPriceTerms } from '../rating/price.ts';
import { parseCustomerId } from '../units/ids.ts';
import { parseMicros, toMicros, type Micros } from '../units/money.ts';

/** What a call says of its customer, read; or in words which variable is wrong, and what was expected of it. */
export type CustomerClaim =
  | { readonly kind: 'pool'; readonly pool: CustomerPool }
  | ({ readonly kind: 'bad' } & BadVariable);

type BadVariable = {
  readonly name: Name;
  /** As the dialplan calls it. */
  readonly variable: string;
  /** Undefined: it is not set. */
  readonly value: string | undefined;
  readonly expected: string;
  readonly words: string;
};

type Name = keyof CustomerVariables;

/** So that the sums of many calls stay whole numbers of micro-units, in the scripts too. */
const CREDIT_MAX = '1000000000.00';
const CONNECT_MAX = '1000000.00';
const CPS_MAX = '10000.00';
const PULSE_SECONDS_MAX = 86_400;
const TIME_SECONDS_MAX = 1_000_000_000;
const CHANNELS_MAX = 1_000_000;
const SHOWN_CHARACTERS_MAX = 60;
/** What only a price is made of. */
const PRICE_NAMES = ['connect', 'cps', 'ipulse', 'fpulse'] as const satisfies readonly Name[];
const POOL_NAMES = ['maxCredit', 'maxTime', 'maxChannels'] as const satisfies readonly Name[];

/** Reads all of it or nothing: a limit that cannot be read is never taken for none. */
export function readCustomerClaim(variables: CustomerVariables): CustomerClaim {
  try {
    return { kind: 'pool', pool: readPool(variables) };
  } catch (error) {
    if (error instanceof BadVariableError) return { kind: 'bad', ...error.problem };
    throw error;
  }
}

class BadVariableError extends Error {
  override readonly name = 'BadVariableError';
  readonly problem: BadVariable;
  constructor(name: Name, value: string | undefined, expected: string) {
    const variable = VARIABLES_READ[name].name;
    const given = value === undefined ? 'not set' : `"${value.slice(0, SHOWN_CHARACTERS_MAX)}"`;
    super(`${variable} is ${given}: expected ${expected}`);
    this.problem = { name, variable, value, expected, words: this.message };
  }
}

function readPool(variables: CustomerVariables): CustomerPool {
  const id = 'a name of a-z 0-9 _ . -, of at most 58 characters, that begins with a letter or a digit';
  const customer = parseCustomerId(variables.customer ?? '');
  if (customer === undefined) throw new BadVariableError('customer', variables.customer, id);
  if (POOL_NAMES.every((name) => variables[name] === undefined)) {
    const others = POOL_NAMES.slice(1).map((name) => VARIABLES_READ[name].name);
    const expected = `an amount, or ${others.join(' or ')} to be set: the customer is limited by nothing`;
    throw new BadVariableError('maxCredit', undefined, expected);
  }
  return {
    customer,
    credit: readCredit(variables),
    seconds: readWhole(variables, 'maxTime', TIME_SECONDS_MAX),
    channels: readWhole(variables, 'maxChannels', CHANNELS_MAX),
  };
}

/** cnxcc's price: so much for the answer, so much a second, in pulses (DESIGN 5). */
function readCredit(variables: CustomerVariables): CustomerCredit | undefined {
  const amount = readAmount(variables, 'maxCredit', CREDIT_MAX);
  if (amount === undefined) {
    const name = PRICE_NAMES.find((each) => variables[each] !== undefined);
    if (name === undefined) return undefined;
    const expected = `an amount such as 10.00, because ${VARIABLES_READ[name].name} is set`;
    throw new BadVariableError('maxCredit', undefined, expected);
  }
  const cps = readAmount(variables, 'cps', CPS_MAX);
  if (cps === undefined) throw new BadVariableError('cps', undefined, 'the price of a second, such as 0.01');
  const terms = toPriceTerms({
    surcharge: readAmount(variables, 'connect', CONNECT_MAX),
    perMinute: toMicros(cps * 60n),
    minimumSeconds: readWhole(variables, 'ipulse', PULSE_SECONDS_MAX),
    incrementSeconds: readWhole(variables, 'fpulse', PULSE_SECONDS_MAX),
  });
  return { amount, terms };
}

function readAmount(variables: CustomerVariables, name: Name, most: string): Micros | undefined {
  const text = variables[name];
  if (text === undefined) return undefined;
  const amount = parseMicros(text);
  const max = parseMicros(most);
  if (amount === undefined || amount < 0n || (max !== undefined && amount > max)) {
    const expected = `a decimal such as 0.10 from 0 to ${most}, with at most six decimals`;
    throw new BadVariableError(name, text, expected);
  }
  return amount;
}

function readWhole(variables: CustomerVariables, name: Name, max: number): number | undefined {
  const text = variables[name];
  if (text === undefined) return undefined;
  if (!/^\d{1,10}$/.test(text) || Number(text) > max) {
    throw new BadVariableError(name, text, `a whole number from 0 to ${max}`);
  }
  return Number(text);
}
