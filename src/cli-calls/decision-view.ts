import { isRecord } from '../accounts/document-reader.ts';
import { columns } from '../command-line/help.ts';
import { showMoment } from '../command-line/moment.ts';
import { parseTerms } from '../rating/terms-text.ts';
import { ADHOC_RATE, type Decision, type FundingKind } from '../records/records.ts';
import { formatMicros, toMicros } from '../units/money.ts';
import { toIsoUtc } from '../units/time.ts';
import { priceInWords } from './check-view.ts';

type Inputs = Readonly<Record<string, unknown>>;

/** One decision in words: what was decided, and below it what it was decided from. */
export function decisionLines(decision: Decision): readonly string[] {
  const { at, inputs } = decision;
  return [`${showMoment(at)}  ${headOf(decision)}`, ...columns(detailRows(decision, inputs))];
}

/** Limits one by one, each with its bound and its use before and after. */
export function decisionJson(decision: Decision): Inputs {
  const { limits, ...inputs } = decision.inputs;
  const isTaken = decision.kind === 'admission';
  const expanded = usesOf(limits).map(({ before, bound, ...use }) => ({
    ...use,
    bound: bound ?? 'unlimited',
    before,
    after: isTaken ? before + 1 : before,
  }));
  return {
    ...decision,
    at: toIsoUtc(decision.at),
    inputs: { ...(withMoneyAsText(inputs) as Inputs), ...(limits === undefined ? {} : { limits: expanded }) },
  };
}

const VERBS: Readonly<Record<Decision['verdict'], string>> = {
  admitted: 'admitted',
  refused: 'refused',
  dry_run: 'let through in a dry run',
  unrestricted: 'let through without limits',
  soft: 'let go on by a soft limit',
  emergency: 'let through as an emergency',
  store_down: 'let through undecided',
  cut: 'ended by Tollgate',
  continued: 'goes on',
};

function headOf({ kind, verdict, account, reason, inputs }: Decision): string {
  const words = wordsIn(inputs);
  const verb = `${VERBS[verdict]}${account === undefined ? '' : ` for ${account}`}`;
  switch (kind) {
    case 'admission':
      return [`${verb}: ${whoPays(inputs) ?? paidInWords(reason)}`, ...words].join('; ');
    case 'refusal':
      return `refused${account === undefined ? '' : ` for ${account}`}: ${words[0] ?? reason}`;
    case 'cutoff':
      return `${verb}: ${words[0] ?? CUT_WORDS[reason] ?? reason}`;
    case 'kill':
      return `${verb}: ${reason}, by ${textOf(inputs['by'])}`;
    case 'segment':
      return words[0] ?? reason;
    case 'shadow':
      return `shadow limits of ${account ?? 'somebody'}: ${judgedInWords(verdict, reason, words)}`;
    case 'dry_run':
      return `dry run of ${account ?? 'somebody'}: ${judgedInWords(verdict, reason, words)}`;
  }
}

/** What limits would have said that were not asked. */
function judgedInWords(verdict: Decision['verdict'], reason: string, words: readonly string[]): string {
  const [said = reason] = words;
  if (verdict === 'refused') return `would have been refused: ${said}`;
  if (verdict === 'admitted') return `would have been let through: ${paidInWords(reason)}`;
  return said;
}

const PAID_WORDS: Readonly<Record<FundingKind, string>> = {
  per_minute: 'paid per minute',
  allotment: 'paid by an allotment',
  flat_rate: 'paid by a flat-rate trunk',
  flat_rate_burst: 'paid by a burst trunk',
  free: 'costs nothing',
  toll_free: 'toll-free, nobody pays',
  none: 'nobody pays',
};

/** Each payer in its own way, where they are not alike. */
function whoPays({ trunks, allotments, payers }: Inputs): string | undefined {
  const ways = [
    ...recordsIn(trunks).flatMap(({ account, taken, way }) =>
      taken === true ? [{ account, words: paidInWords(textOf(way)) }] : [],
    ),
    ...recordsIn(allotments).map(({ account }) => ({ account, words: PAID_WORDS.allotment })),
    ...recordsIn(payers).map(({ account }) => ({ account, words: PAID_WORDS.per_minute })),
  ];
  if (new Set(ways.map(({ words }) => words)).size < 2) return undefined;
  return ways
    .map(({ account, words }) => `${textOf(account)} pays ${words.replace(/^paid /, '')}`)
    .join(', ');
}

function paidInWords(reason: string): string {
  return Object.hasOwn(PAID_WORDS, reason) ? PAID_WORDS[reason as FundingKind] : reason;
}

const CUT_WORDS: Readonly<Record<string, string>> = {
  no_credit: 'its money was used up',
  no_allotment: 'its allotment was used up',
  no_time: 'its time was used up',
  spend_limit: 'as much was spent as may be in the time',
};

function detailRows({ kind }: Decision, inputs: Inputs): readonly (readonly string[])[] {
  // What was not asked is told in a line: the call's own decision has the rest.
  if (kind === 'shadow' || kind === 'dry_run') return [...limitRows(kind, inputs), ...countedRows(inputs)];
  return [
    ...callRows(inputs),
    ...limitRows(kind, inputs),
    ...payersToTell(kind, inputs).flatMap((payer) => payerRows(kind, payer, inputs)),
    ...recordsIn(inputs['allotments']).map((each) => ['paid by', allotmentInWords(each, inputs)]),
    ...recordsIn(inputs['trunks']).map((trunks) => [
      trunks['taken'] === true ? 'paid by' : 'not by',
      trunksInWords(trunks),
    ]),
    ...lengthRows(inputs),
  ];
}

function callRows(inputs: Inputs): readonly (readonly string[])[] {
  const dialled = inputs['dialled'];
  if (dialled === undefined) return [];
  const from = inputs['forwarder'] ?? inputs['account'];
  const number = textOf(inputs['destination'] ?? dialled);
  const to = inputs['callee'] === undefined ? number : `${textOf(inputs['callee'])} (${number})`;
  const routes = Array.isArray(inputs['routes']) ? inputs['routes'].map(textOf) : [];
  const words = [
    ...(inputs['direction'] === undefined ? [] : [textOf(inputs['direction'])]),
    `${from === undefined ? '' : `${textOf(from)} → `}${to}${routes.length === 0 ? '' : ` by ${routes.join(', ')}`}`,
    ...(inputs['classification'] === undefined ? [] : [textOf(inputs['classification'])]),
  ];
  return [['call', words.join(', ')]];
}

/** Those that bound the call, one line for each holder; the others are in the JSON. */
function limitRows(kind: Decision['kind'], inputs: Inputs): readonly (readonly string[])[] {
  const lines = new Map<string, string[]>();
  for (const { holder, limit, before, bound } of usesOf(inputs['limits'])) {
    if (bound === undefined) continue;
    // The calls to a number of an account, of which the document speaks as its `perNumber`.
    const [path = holder, number] = holder.split('#');
    const name = number === undefined ? limit : 'perNumber';
    const isFull = kind !== 'admission' && path === inputs['holder'] && name === inputs['limit'];
    const use = kind === 'admission' ? `${before} → ${before + 1} of ${bound}` : `${before} of ${bound}`;
    const words = `${limit}${number === undefined ? '' : ` to ${number}`} ${use}${isFull ? ' (full)' : ''}`;
    lines.set(path, [...(lines.get(path) ?? []), words]);
  }
  return [...lines].map(([holder, words]) => ['limits', `${holder}: ${words.join(', ')}`]);
}

/** What there was of allotments and windows that only shadow limits count. */
function countedRows({ pools }: Inputs): readonly (readonly string[])[] {
  return recordsIn(pools).flatMap(({ allotment, seconds, window, available }) => {
    if (isRecord(seconds)) {
      return [['left', `${textOf(seconds['available'])} s of the allotment ${textOf(allotment)}`]];
    }
    return window === undefined ? [] : [['left', `${textOf(available)} to spend this ${textOf(window)}`]];
  });
}

/** What a call was to cost says why it was refused only where there was too little for it. */
function payersToTell(kind: Decision['kind'], inputs: Inputs): readonly Inputs[] {
  const payers = recordsIn(inputs['payers']);
  return kind === 'refusal' && inputs['needed'] === undefined ? [] : payers;
}

function payerRows(kind: Decision['kind'], payer: Inputs, inputs: Inputs): readonly (readonly string[])[] {
  const account = textOf(payer['account']);
  const rate =
    payer['tariffVersion'] === ADHOC_RATE.tariffVersion
      ? 'at the price that the call came with'
      : `${textOf(payer['tariff'])} version ${textOf(payer['tariffVersion'])}, rate ${textOf(payer['rateId'])} for ${textOf(payer['prefix'])}`;
  const price = typeof payer['terms'] === 'string' ? priceInWords(parseTerms(payer['terms'])) : '';
  const pools = recordsIn(inputs['pools']).filter(
    (pool) => pool['account'] === account && pool['needed'] !== undefined,
  );
  return [
    [kind === 'refusal' ? 'price' : 'paid by', `${account}: ${rate}`],
    ...(price === '' ? [] : [['', price]]),
    ...pools.map((pool) => ['', poolInWords(pool, textOf(payer['currency']))]),
  ];
}

function poolInWords(pool: Inputs, currency: string): string {
  const needed = `${textOf(pool['needed'])} to begin, ${textOf(pool['available'])} ${currency} available`;
  return pool['window'] === undefined
    ? `${needed}, balance ${textOf(pool['balance'])}`
    : `${needed} to spend this ${textOf(pool['window'])}`;
}

function allotmentInWords({ account, name, goesOn }: Inputs, inputs: Inputs): string {
  const pool = recordsIn(inputs['pools']).find(
    (each) => each['account'] === account && each['allotment'] === name,
  );
  const seconds = isRecord(pool?.['seconds']) ? `, ${textOf(pool['seconds']['available'])} s left` : '';
  const after = goesOn === undefined ? '' : ', then per minute';
  return `${textOf(account)}: the allotment ${textOf(name)}${seconds}${after}`;
}

function trunksInWords({ account, way, inUse, rented }: Inputs): string {
  const use = isRecord(inUse) ? inUse : {};
  const has = isRecord(rented) ? rented : {};
  const words = ['inbound', 'outbound'].map((side) => `${textOf(use[side])} of ${textOf(has[side])} ${side}`);
  const kind = way === 'flat_rate_burst' ? 'a burst trunk' : 'a flat-rate trunk';
  return `${textOf(account)}: ${kind}; ${words.join(', ')} in use, ${textOf(has['shared'])} shared`;
}

function lengthRows(inputs: Inputs): readonly (readonly string[])[] {
  const funded = inputs['fundedSeconds'];
  const longest = isRecord(inputs['longest']) ? inputs['longest']['words'] : undefined;
  const left = inputs['left'];
  return [
    ...(typeof funded === 'number' ? [['lasts', `${funded} s on what there was then`]] : []),
    ...(typeof longest === 'string' ? [['longest', longest]] : []),
    ...(isRecord(left) && left['available'] !== undefined
      ? [['left', `${textOf(left['available'])} of ${textOf(left['account'])}`]]
      : []),
  ];
}

type Use = {
  readonly holder: string;
  readonly limit: string;
  readonly before: number;
  readonly bound: number | undefined;
};

/** As `levelUses` wrote them. */
function usesOf(limits: unknown): readonly Use[] {
  return recordsIn(limits).flatMap(({ holder, uses }) =>
    Object.entries(isRecord(uses) ? uses : {}).flatMap(([limit, use]): readonly Use[] => {
      const [before, bound] = Array.isArray(use) ? (use as readonly unknown[]) : [];
      if (typeof before !== 'number') return [];
      return [
        { holder: textOf(holder), limit, before, bound: typeof bound === 'number' ? bound : undefined },
      ];
    }),
  );
}

function wordsIn({ words }: Inputs): readonly string[] {
  return typeof words === 'string' && words !== '' ? [words] : [];
}

function recordsIn(value: unknown): readonly Inputs[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? `${value}` : JSON.stringify(value);
}

/** Inputs are of any shape; the only bigint in them is money. */
function withMoneyAsText(value: unknown): unknown {
  if (typeof value === 'bigint') return formatMicros(toMicros(value));
  if (Array.isArray(value)) return value.map(withMoneyAsText);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withMoneyAsText(each)]));
}
