import { isRecord, type FieldProblem } from '../accounts/document-reader.ts';
import { parseOperatorLimits } from '../accounts/limits-document.ts';
import { nearestName } from '../units/nearest-name.ts';
import { allotmentsField, ALLOTMENT_FIELDS, importAllotments, importDiscounts } from './kazoo-allotments.ts';
import { NumberText, parseJsonWithNumbers } from './kazoo-json.ts';
import { readKazoo, type KazooMoney, type KazooReader } from './kazoo-reader.ts';

/** What of a Kazoo limits document an account document can say. */
export type KazooLimits = {
  readonly operator: Readonly<Record<string, unknown>>;
  readonly customer: Readonly<Record<string, unknown>>;
  /** In words, what could not be taken over and what means something else here. */
  readonly notes: readonly string[];
};

export type KazooImport =
  | ({ readonly kind: 'ok' } & KazooLimits)
  | { readonly kind: 'bad'; readonly problems: readonly FieldProblem[] };

export type KazooRules = {
  /** What a bare integer of money means. Without it, one is refused. */
  readonly money: KazooMoney | undefined;
  /** What allotments and discounts may be for. */
  readonly classifications: readonly string[];
};

type Fields = Record<string, unknown>;
type Sides = { readonly operator: Fields; readonly customer: Fields };

/** Of the document and not of the account. */
const BOOKKEEPING =
  /^(?:_.*|id|ui_metadata|pvt_(?:type|vsn|account_id|account_db|created|modified|node|request_id|document_hash|is_authenticated|auth_.*|deleted))$/;

const COUNTS = [
  ['calls', 'calls'],
  ['resource_consuming_calls', 'resourceConsumingCalls'],
] as const;
const TRUNKS = ['twoway', 'inbound', 'outbound', 'burst'] as const;
/** What Kazoo reads with `pvt_` only. */
const PRIVATE_FLAGS = [
  ['enabled', 'enabled'],
  ['allow_postpay', 'allowPostpay'],
  ['soft_limit_inbound', 'softLimitInbound'],
  ['soft_limit_outbound', 'softLimitOutbound'],
] as const;
const LEFT_BEHIND: Readonly<Record<string, string>> = {
  reserve_amount: 'what a call holds here is its own surcharge and first pulse, so there is nothing to set',
  authz_resource_types: 'resources are not told apart by type here',
  bundled_inbound_trunks: 'trunks are not counted from other documents here: add them to the trunks',
  bundled_outbound_trunks: 'trunks are not counted from other documents here: add them to the trunks',
  bundled_twoway_trunks: 'trunks are not counted from other documents here: add them to the trunks',
};
/** Where the fields come from, for what is said about them. */
const SOURCES: Readonly<Record<string, string>> = {
  trunks: 'trunks',
  maxPostpay: 'pvt_max_postpay_amount',
  perNumber: 'pvt_inbound_channels_per_did_rules',
  discounts: 'pvt_discounts',
  softLimitInbound: 'pvt_soft_limit_inbound',
  softLimitOutbound: 'pvt_soft_limit_outbound',
  fundingOrder: 'allotments before trunks, as in Kazoo',
};

/** Reads a `limits` document of Kazoo, in its JSON: `pvt_` is the operator's word, the rest the customer's. */
export function importKazooLimits(text: string, rules: KazooRules): KazooImport {
  const problems: FieldProblem[] = [];
  const notes: string[] = [];
  const document = parseDocument(text, problems);
  if (document === undefined) return { kind: 'bad', problems };
  const reader = readKazoo(document, '', { money: rules.money, problems, notes });
  const sides: Sides = { operator: {}, customer: {} };

  const type = reader.text('pvt_type');
  if (type !== undefined && type !== 'limits') {
    problems.push({ field: 'pvt_type', value: JSON.stringify(type), expected: '"limits"' });
  }
  importCounts(reader, sides);
  importTrunks(reader, sides);
  importFlags(reader, sides);
  importMoney(reader, sides);
  importNumberRules(reader, sides);
  setIf(sides.operator, 'allotments', importAllotments(reader, rules.classifications));
  setIf(sides.operator, 'discounts', importDiscounts(reader, rules.classifications));
  if ('allotments' in sides.operator && 'trunks' in sides.operator) {
    sides.operator['fundingOrder'] = ['allotment', 'flat_rate', 'per_minute'];
  }
  noteTheRest(reader);
  checkOperator(sides.operator, rules, problems, allotmentsField(reader));
  if (problems.length > 0) return { kind: 'bad', problems };
  return { kind: 'ok', ...sides, notes };
}

function parseDocument(
  text: string,
  problems: FieldProblem[],
): Readonly<Record<string, unknown>> | undefined {
  const expected = 'a limits document as JSON';
  try {
    const value = parseJsonWithNumbers(text);
    if (isRecord(value) && !(value instanceof NumberText)) return value;
    problems.push({ field: 'document', value: text.slice(0, 20), expected });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // It says where in words only; without a place the text ended too early.
    const line = /\(line (\d+) /.exec(error.message)?.[1] ?? `${text.split('\n').length}`;
    problems.push({ field: `line ${line}`, value: 'this', expected: `${expected}: ${error.message}` });
  }
  return undefined;
}

function importCounts(reader: KazooReader, { operator, customer }: Sides): void {
  for (const [theirs, ours] of COUNTS) {
    setIf(operator, ours, reader.bound(`pvt_${theirs}`));
    const own = reader.bound(theirs);
    // A customer without a bound has no opinion.
    if (own !== 'unlimited') setIf(customer, ours, own);
  }
}

/** In Kazoo only a reseller can write either value, so that one of them alone is a grant. */
function importTrunks(reader: KazooReader, { operator, customer }: Sides): void {
  const granted: Fields = {};
  const wanted: Fields = {};
  for (const kind of TRUNKS) {
    const name = `${kind}_trunks`;
    const theirs = reader.bound(`pvt_${name}`);
    const own = reader.bound(name);
    const isGrant = theirs !== undefined && theirs !== 'unlimited';
    setIf(granted, kind, isGrant ? theirs : own);
    if (!isGrant || theirs === 0) continue;
    if (own === undefined) {
      reader.note(`pvt_${name}`, `Kazoo counts none where ${name} is not set; here there are ${theirs}`);
    } else if (own === 'unlimited') {
      reader.note(name, `Kazoo takes -1 for the lower value and has no bound; here there are ${theirs}`);
    } else wanted[kind] = own;
  }
  if (Object.keys(granted).length > 0) operator['trunks'] = granted;
  if (Object.keys(wanted).length > 0) customer['trunks'] = wanted;
}

function importFlags(reader: KazooReader, { operator, customer }: Sides): void {
  for (const [theirs, ours] of PRIVATE_FLAGS) {
    setIf(operator, ours, reader.flag(`pvt_${theirs}`));
    notePublic(reader, theirs);
  }
  const prepay = reader.flag('pvt_allow_prepay');
  const own = reader.flag('allow_prepay');
  setIf(operator, 'allowPrepay', prepay);
  if (own !== false) return;
  if (prepay === true) reader.note('allow_prepay', 'left out, for in Kazoo pvt_allow_prepay overrides it');
  else customer['allowPrepay'] = false;
}

function importMoney(reader: KazooReader, { operator }: Sides): void {
  setIf(operator, 'maxPostpay', reader.dollars('pvt_max_postpay_amount'));
  notePublic(reader, 'max_postpay_amount');
}

function importNumberRules(reader: KazooReader, { operator }: Sides): void {
  const name = 'inbound_channels_per_did_rules';
  notePublic(reader, name);
  const section = reader.section(`pvt_${name}`);
  const rules = section?.names().flatMap((pattern) => {
    const calls = section.bound(pattern);
    return calls === undefined ? [] : [{ pattern, calls }];
  });
  if (rules !== undefined && rules.length > 0) operator['perNumber'] = rules;
}

function notePublic(reader: KazooReader, name: string): void {
  if (reader.has(name)) reader.note(name, `left out: Kazoo obeys only pvt_${name}`);
}

function noteTheRest(reader: KazooReader): void {
  for (const name of reader.untaken()) {
    const words = Object.hasOwn(LEFT_BEHIND, name.replace(/^pvt_/, ''))
      ? LEFT_BEHIND[name.replace(/^pvt_/, '')]
      : undefined;
    if (BOOKKEEPING.test(name)) continue;
    if (words !== undefined) {
      reader.note(name, words);
      continue;
    }
    const known = [...COUNTS, ...PRIVATE_FLAGS].flatMap(([each]) => [each, `pvt_${each}`]);
    const near = nearestName(name, [...known, 'pvt_max_postpay_amount', 'pvt_allow_prepay', 'allow_prepay']);
    const hint = near === undefined ? '' : `; it obeys ${near}`;
    reader.note(name, `left out: nothing that Kazoo obeys${hint}`);
  }
}

/** What only an account document's own reader knows to be wrong: patterns above all. */
function checkOperator(
  operator: Fields,
  rules: KazooRules,
  problems: FieldProblem[],
  allotments: string,
): void {
  const { classifications } = rules;
  const parsed = parseOperatorLimits(operator, { classifications });
  if (parsed.kind === 'ok') return;
  for (const problem of parsed.problems) {
    const [first = '', ...rest] = problem.field.split(/(?=[.[])/);
    const field =
      first === 'allotments'
        ? [allotments, ...rest.map((part) => ALLOTMENT_FIELDS.get(part) ?? part)]
        : [SOURCES[first] ?? first, ...rest];
    problems.push({ ...problem, field: field.join('') });
  }
}

function setIf(fields: Fields, name: string, value: unknown): void {
  if (value !== undefined) fields[name] = value;
}
