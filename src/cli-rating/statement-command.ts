import { madeByRun } from '../charging/rerate-step.ts';
import type { RerateReader } from '../charging/rerate-store.ts';
import { moneyJson } from '../cli-accounts/account-view.ts';
import {
  done,
  failed,
  type Command,
  type CommandContext,
  type CommandLine,
  type Result,
} from '../command-line/command.ts';
import { csvRow } from '../command-line/csv-row.ts';
import { accountOperand, readFlags } from '../command-line/flag-values.ts';
import { columns } from '../command-line/help.ts';
import { unknownName } from '../command-line/known-names.ts';
import { showMoment } from '../command-line/moment.ts';
import { readSpan, type TimeSpan } from '../command-line/time-span.ts';
import { inReadingOrder } from '../records/reading-order.ts';
import type { RecordReader } from '../records/record-store.ts';
import { runOfReversal } from '../records/reversal.ts';
import { versionOfTransfer, walletLedger, type LedgerName, type Transfer } from '../records/records.ts';
import { parseLegUuid, type AccountPath } from '../units/ids.ts';
import { formatMicros, negateMicros, toMicros, ZERO_MICROS, type Micros } from '../units/money.ts';
import { toIsoUtc } from '../units/time.ts';

const PAGE_ROWS = 1_000;

export const STATEMENT_COMMAND: Command = {
  name: 'statement',
  summary:
    "a wallet's opening balance, every movement with the balance after it, the closing balance and sums by kind",
  operands: ['ACCOUNT'],
  flags: {
    from: { value: 'TIME', doc: 'the first moment of it' },
    to: { value: 'TIME', doc: 'the first moment that is not (default: now)' },
    csv: { doc: 'the movements as CSV' },
  },
  notes: ['tollgate statement acme/retail --from 2026-08-01 --to 2026-09-01'],
  run: statement,
};

/** In one currency, for a wallet has one; what the record holds in others has a statement of its own. */
type Statement = {
  readonly currency: string;
  readonly opening: Micros;
  readonly movements: readonly Movement[];
  readonly closing: Micros;
  readonly sums: ReadonlyMap<Transfer['kind'], Sum>;
};

type Movement = {
  readonly transfer: Transfer;
  readonly amount: Micros;
  readonly balance: Micros;
  /** The run of re-rating by which it was taken back or charged anew. */
  readonly run: string | undefined;
};
type Books = {
  readonly records: Pick<RecordReader, 'transfersOf'>;
  readonly rerates: Pick<RerateReader, 'appliedTo'>;
};
type Sum = { readonly count: number; readonly amount: Micros };

async function statement(line: CommandLine, context: CommandContext): Promise<Result> {
  const account = accountOperand(line);
  const flags = readFlags(line);
  const period = readSpan(flags, context.now());
  flags.check();
  const stores = await context.stores();
  const { records, accounts } = stores;
  const ledger = walletLedger(account);
  const opening = await records.balancesBefore(ledger, period.from);
  const currency = (await accounts.loadAll()).accounts.find(({ path }) => path === account)?.walletCurrency;
  if (currency === undefined && opening.size === 0) {
    const { rows } = await records.transfersOf({ ledger, ...period, order: 'oldest_first', limit: 1 });
    const unknown = await unknownName({ account }, stores, context.now);
    if (rows.length === 0) return unknown ?? failed(`${account} has no wallet`);
  }
  if (flags.isSet('csv') && !flags.isSet('json')) {
    await writeCsv(stores, account, period, { opening, print: context.print });
    return done({}, []);
  }
  const statements = await readStatements(stores, account, period, opening);
  const shown = statements.length > 0 ? statements : [emptyStatement(currency ?? '')];
  return done(
    { account, from: toIsoUtc(period.from), to: toIsoUtc(period.to), statements: shown.map(statementJson) },
    shown.flatMap((each) => statementLines(account, period, each)),
  );
}

function emptyStatement(currency: string): Statement {
  return { currency, opening: ZERO_MICROS, movements: [], closing: ZERO_MICROS, sums: new Map() };
}

/** What a transfer is for the wallet: what comes in, or less what goes out. */
function amountFor(ledger: LedgerName, { credit, amount }: Transfer): Micros {
  return credit === ledger ? amount : negateMicros(amount);
}

/** Every movement, those of one moment in the order in which they are to be read. */
async function* walkMovements(
  { records, rerates }: Books,
  account: AccountPath,
  period: TimeSpan,
  opening: ReadonlyMap<string, Micros>,
): AsyncGenerator<Movement> {
  const ledger = walletLedger(account);
  const balances = new Map(opening);
  const moment: Transfer[] = [];
  const read = async (): Promise<readonly Movement[]> => {
    const transfers = inReadingOrder(moment.splice(0));
    const runOf = await findRuns(rerates, account, transfers);
    return transfers.map((transfer) => {
      const amount = amountFor(ledger, transfer);
      const balance = toMicros((balances.get(transfer.currency) ?? 0n) + amount);
      balances.set(transfer.currency, balance);
      return { transfer, amount, balance, run: runOf(transfer) };
    });
  };
  for await (const transfer of walkTransfers(records, ledger, period)) {
    if (moment[0] !== undefined && moment[0].at !== transfer.at) yield* await read();
    moment.push(transfer);
  }
  yield* await read();
}

/** A reversal's id says it; of what was charged anew, the record of the runs. */
async function findRuns(
  rerates: Books['rerates'],
  payer: AccountPath,
  transfers: readonly Transfer[],
): Promise<(transfer: Transfer) => string | undefined> {
  const again = transfers.filter((transfer) => (versionOfTransfer(transfer) ?? 1) > 1);
  const legs = new Set(again.flatMap(({ reference }) => parseLegUuid(reference) ?? []));
  const applied = Map.groupBy(await rerates.appliedTo([...legs]), ({ legUuid }) => legUuid);
  return (transfer) => {
    if (transfer.kind === 'reversal') return runOfReversal(transfer.id);
    const legUuid = parseLegUuid(transfer.reference);
    const version = versionOfTransfer(transfer);
    if (legUuid === undefined || version === undefined) return undefined;
    return madeByRun({ legUuid, payer, version }, applied.get(legUuid) ?? [])?.run;
  };
}

async function* walkTransfers(
  records: Pick<RecordReader, 'transfersOf'>,
  ledger: LedgerName,
  period: TimeSpan,
): AsyncGenerator<Transfer> {
  let after: Parameters<RecordReader['transfersOf']>[0]['after'];
  do {
    const page = await records.transfersOf({
      ledger,
      ...period,
      order: 'oldest_first',
      limit: PAGE_ROWS,
      after,
    });
    yield* page.rows;
    after = page.next;
  } while (after !== undefined);
}

async function readStatements(
  books: Books,
  account: AccountPath,
  period: TimeSpan,
  opening: ReadonlyMap<string, Micros>,
): Promise<readonly Statement[]> {
  const movements = await Array.fromAsync(walkMovements(books, account, period, opening));
  const byCurrency = Map.groupBy(movements, ({ transfer }) => transfer.currency);
  const currencies = [...new Set([...opening.keys(), ...byCurrency.keys()])].toSorted();
  return currencies.map((currency) => {
    const own = byCurrency.get(currency) ?? [];
    const first = opening.get(currency) ?? ZERO_MICROS;
    const closing = own.at(-1)?.balance ?? first;
    return { currency, opening: first, movements: own, closing, sums: sumsOf(own) };
  });
}

function sumsOf(movements: readonly Movement[]): Statement['sums'] {
  const sums = new Map<Transfer['kind'], Sum>();
  for (const { transfer, amount } of movements) {
    const before = sums.get(transfer.kind) ?? { count: 0, amount: ZERO_MICROS };
    sums.set(transfer.kind, { count: before.count + 1, amount: toMicros(before.amount + amount) });
  }
  return sums;
}

function statementJson({ currency, opening, movements, closing, sums }: Statement): unknown {
  return {
    currency,
    opening: moneyJson(opening, currency),
    movements: movements.map(
      ({ transfer: { id, kind, at, reference, debit, credit }, amount, balance, run }) => ({
        at: toIsoUtc(at),
        kind,
        id,
        debit,
        credit,
        reference,
        amount: moneyJson(amount, currency),
        balance: moneyJson(balance, currency),
        run,
      }),
    ),
    closing: moneyJson(closing, currency),
    sums: Object.fromEntries(
      [...sums].map(([kind, { count, amount }]) => [kind, { count, amount: moneyJson(amount, currency) }]),
    ),
  };
}

function statementLines(
  account: AccountPath,
  { from, to }: TimeSpan,
  { currency, opening, movements, closing, sums }: Statement,
): readonly string[] {
  return [
    `${account}: ${showMoment(from)} to ${showMoment(to)} UTC, in ${currency}`,
    ...columns([
      [showMoment(from), 'opening balance', '', '', formatMicros(opening)],
      ...movements.map(({ transfer: { at, kind, reference }, amount, balance, run }) => [
        showMoment(at),
        kind,
        reference,
        signed(amount),
        formatMicros(balance),
        run === undefined ? '' : `by run ${run}`,
      ]),
      [showMoment(to), 'closing balance', '', '', formatMicros(closing)],
    ]),
    ...columns(
      [...sums].map(([kind, { count, amount }]) => [`${count} × ${kind}`, `${signed(amount)} ${currency}`]),
    ),
  ];
}

function signed(amount: Micros): string {
  return amount > 0n ? `+${formatMicros(amount)}` : formatMicros(amount);
}

const CSV_COLUMNS = [
  'at',
  'kind',
  'id',
  'debit',
  'credit',
  'reference',
  'amount',
  'balance',
  'currency',
  'run',
];

/** Row by row, for a busy wallet has more movements than memory has room for. The first rows are the opening balances. */
async function writeCsv(
  books: Books,
  account: AccountPath,
  period: TimeSpan,
  out: { readonly opening: ReadonlyMap<string, Micros>; readonly print: (line: string) => void },
): Promise<void> {
  const { opening, print } = out;
  print(csvRow(CSV_COLUMNS));
  for (const [currency, balance] of opening) {
    print(
      csvRow([
        toIsoUtc(period.from),
        'opening balance',
        '',
        '',
        '',
        '',
        '',
        formatMicros(balance),
        currency,
        '',
      ]),
    );
  }
  for await (const { transfer, amount, balance, run } of walkMovements(books, account, period, opening)) {
    const { at, kind, id, debit, credit, reference, currency } = transfer;
    const figures = [formatMicros(amount), formatMicros(balance), currency];
    print(csvRow([toIsoUtc(at), kind, id, debit, credit, reference, ...figures, run ?? '']));
  }
}
