import type { RatingBooks } from '../charging/finished-call.ts';
import { loadRatingBooks } from '../cli-rating/rating-books.ts';
import {
  done,
  type Command,
  type CommandContext,
  type CommandLine,
  type Result,
} from '../command-line/command.ts';
import { readFlags } from '../command-line/flag-values.ts';
import { unknownName } from '../command-line/known-names.ts';
import { readSpan } from '../command-line/time-span.ts';
import { assert } from '../units/assert.ts';
import { parseAccountPath } from '../units/ids.ts';
import { whatIfTariff } from '../whatif/by-tariff.ts';
import type { Outcome } from '../whatif/outcome.ts';
import { createTally } from '../whatif/tally.ts';
import { createCallProgress } from './call-progress.ts';
import { limitsJson } from './whatif-limits-view.ts';
import { prepareLimits, runLimits } from './whatif-limits.ts';
import { prepareChange, readAskedTariff, TARIFF_FLAGS } from './whatif-tariff.ts';
import { outcomeRows, OUTCOME_HEADER, whatIfJson, whatIfLines, type Asking } from './whatif-view.ts';

export const WHATIF_COMMAND: Command = {
  name: 'whatif',
  summary:
    'what past calls would have brought, and which would have been refused, by another tariff or other limits; changes nothing',
  operands: [],
  flags: {
    from: { value: 'TIME', doc: 'the first moment at which they were admitted' },
    to: { value: 'TIME', doc: 'the first moment that is not (default: now)' },
    ...TARIFF_FLAGS,
    limits: {
      value: 'FILE',
      doc: 'calls are decided anew by accounts and routes as in this file, which is one for account apply',
    },
    account: {
      value: 'ACCOUNT',
      doc: 'only calls of this account and of those below it, and what these pay',
    },
    csv: { doc: 'every part of every call, as it was paid and as it would be, as CSV' },
  },
  notes: [
    'tollgate whatif --tariff gold --account acme/retail --from 2026-08-01 --to 2026-09-01',
    'tollgate whatif --rates new.csv --replaces standard --from 2026-08-01',
    'tollgate whatif --limits tighter.yaml --from 2026-08-01 --to 2026-08-02',
    'Without --limits everybody talks as long as they did: nobody is cut because a call is dearer. Discounts are those that were given,',
    'and what was paid for in advance stays so. A call without a rate is refused, or goes for nothing, as rating.unrated says.',
    'With --limits the calls on record go through the rules again in the order in which they came: counts, trunks, allotments, spend',
    'windows, the longest and the dearest call. One that is refused is not in the way of later ones. Money on the wallets is not',
    'tried again. How long calls would have been that were refused really nobody knows: they are counted and change nothing.',
  ],
  run: whatIf,
};

async function whatIf(line: CommandLine, context: CommandContext): Promise<Result> {
  const flags = readFlags(line);
  const span = readSpan(flags, context.now());
  const account = flags.parsed('account', parseAccountPath, 'a path such as acme/retail/alice');
  const asked = readAskedTariff(flags);
  const limits = flags.text('limits');
  if (asked === undefined && limits === undefined) {
    const expected = 'what is to be tried: --tariff, --rates or --limits';
    flags.complain({ field: '--tariff', value: 'nothing', expected });
  }
  flags.check();
  const stores = await context.stores();
  const unknown = await unknownName({ account }, stores, context.now);
  if (unknown !== undefined) return unknown;
  const was = await loadRatingBooks(context.config(), stores);
  const prepared = asked && (await prepareChange(asked, { account, from: span.from, flags }, was));
  const change = prepared?.change;
  const would = { ...was, tariffs: prepared?.tariffs ?? was.tariffs };
  const asking: Asking = { span, account, change, limits };
  const isCsv = flags.isSet('csv') && !flags.isSet('json');
  const laid =
    limits === undefined
      ? undefined
      : await prepareLimits({ file: limits, span, account, change }, would, context);
  if (isCsv) context.print(OUTCOME_HEADER);
  const tally = createTally();
  const onOutcomes = (outcomes: readonly Outcome[]): void => {
    for (const outcome of outcomes) {
      tally.add(outcome);
      if (isCsv) for (const row of outcomeRows(outcome)) context.print(row);
    }
  };
  const limitsReport =
    laid === undefined
      ? await tryTariff(asking, would, context, onOutcomes)
      : { ...laid, ...(await runLimits({ span, account }, { was, would: laid.books }, context, onOutcomes)) };
  const report = tally.report();
  return done(
    { ...whatIfJson(asking, report), ...(limitsReport && limitsJson(limitsReport)) },
    isCsv ? [] : whatIfLines(asking, report, limitsReport),
  );
}

/** Nothing is told of limits that were not tried. */
async function tryTariff(
  { span, account, change }: Asking,
  books: RatingBooks,
  context: CommandContext,
  onOutcomes: (outcomes: readonly Outcome[]) => void,
): Promise<undefined> {
  assert(change !== undefined, 'a tariff is tried, or limits are');
  const { rerates } = await context.stores();
  const filter = { ...span, account };
  const progress = await createCallProgress(context, filter);
  for await (const page of whatIfTariff(filter, change, books, rerates)) {
    onOutcomes(page);
    progress.add(page.length);
  }
  progress.end();
}
