import { cleanText } from '../units/clean-text.ts';
import { parseAdmissionId } from '../units/ids.ts';
import { VARIABLES_READ } from './channel-variables.ts';
import { CUSTOMER_VARIABLES, type CustomerVariables, type GateVariables } from './switch-event.ts';

/** Eight account segments of 64 characters and their slashes; cut short, a path would name the parent account. */
const PATH_CHARACTERS_MAX = 520;
/** Longer than any dial string that is taken, so that one cut short is refused instead of dialled. */
const DIAL_STRING_CHARACTERS_MAX = 16_384;
const ROUTES_MAX = 8;
const OPTIONS_MAX = 8;
const BRANCHES_MAX = 32;

/** What a channel's variables say to Tollgate, whether an event told them or a CDR file. */
export function readGateVariables(
  valueOf: (name: string) => string | undefined,
  /** Variables that name the account where `tollgate_account` is unset, first found. */
  accountFallbacks: readonly string[],
): GateVariables {
  const read = (name: string, charactersMax = PATH_CHARACTERS_MAX): string | undefined => {
    const value = valueOf(name);
    return value === undefined || value === '' ? undefined : cleanText(value, charactersMax);
  };
  const customer = readCustomer(read);
  const fallbacks = customer === undefined ? accountFallbacks : [];
  const names = [VARIABLES_READ.account.name, ...fallbacks];
  return {
    ...(customer && { customer }),
    account: names.map((name) => read(name)).find((value) => value !== undefined),
    callee: read(VARIABLES_READ.callee.name),
    forwarder: read(VARIABLES_READ.forwarder.name),
    routes: splitList(read(VARIABLES_READ.routes.name), ROUTES_MAX),
    options: splitList(read(VARIABLES_READ.options.name), OPTIONS_MAX),
    destination: read(VARIABLES_READ.destination.name),
    bridge: read(VARIABLES_READ.bridge.name, DIAL_STRING_CHARACTERS_MAX),
    admission: parseAdmissionId(read(VARIABLES_READ.admission.name) ?? ''),
    branch: read(VARIABLES_READ.branch.name),
    home: read(VARIABLES_READ.home.name),
    metered: read(VARIABLES_READ.metered.name),
    branches: splitList(read(VARIABLES_READ.branches.name), BRANCHES_MAX),
    exportVars: read(VARIABLES_READ.exportVars.name, DIAL_STRING_CHARACTERS_MAX),
    next: read(VARIABLES_READ.next.name),
    asks: isTrue(read(VARIABLES_READ.asks.name)),
  };
}

function readCustomer(read: (name: string) => string | undefined): CustomerVariables | undefined {
  const found = CUSTOMER_VARIABLES.flatMap((each) => {
    const value = read(VARIABLES_READ[each].name);
    return value === undefined ? [] : [[each, value] as const];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

function splitList(value: string | undefined, countMax: number): readonly string[] {
  const words = (value ?? '').split(',').map((word) => word.trim());
  return words.filter((word) => word !== '').slice(0, countMax);
}

/** FreeSWITCH's own idea of true. */
export function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(?:true|yes|on|t|enabled|active|allow|-?0*[1-9]\d*)$/i.test(value);
}
