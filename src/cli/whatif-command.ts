import { parseAccountPath } from '../units/ids.ts';
import { whatIfTariff } from '../whatif/by-tariff.ts';
import { createTally } from '../whatif/tally.ts';
import { done, type Command, type CommandContext, type CommandLine, type Result } from './command.ts';
import { readFlags } from './flag-values.ts';
import { createProgress } from './progress.ts';
import { loadRatingBooks } from './rating-books.ts';
import { readSpan } from './time-span.ts';
import { prepareChange, readAskedTariff, TARIFF_FLAGS } from './whatif-tariff.ts';
import { outcomeRows, OUTCOME_HEADER, whatIfJson, whatIfLines } from './whatif-view.ts';

export const WHATIF_COMMAND: Command = {
  name: 'whatif',
  summary: 'what past calls would have brought by another tariff; changes nothing',
  operands: [],
  flags: {
    from: { value: 'TIME', doc: 'the first moment at which they were admitted' },
    to: { value: 'TIME', doc: 'the first moment that is not (default: now)' },
    ...TARIFF_FLAGS,
    account: {
      value: 'ACCOUNT',
      doc: 'only calls of this account and of those below it, and what these pay',
    },
    csv: { doc: 'every part of every call, as it was paid and as it would be, as CSV' },
  },
  notes: [
    'tollgate whatif --tariff gold --account acme/retail --from 2026-08-01 --to 2026-09-01',
    'tollgate whatif --rates new.csv --replaces standard --from 2026-08-01',
    'Everybody talks as long as they did: nobody is cut because a call is dearer. Discounts are those that were given, and what was',
    'paid for in advance stays so. A call without a rate is refused, or goes for nothing, as rating.unrated says.',
  ],
  run: whatIf,
};

async function whatIf(line: CommandLine, context: CommandContext): Promise<Result> {
  const flags = readFlags(line);
  const span = readSpan(flags, context.now());
  const account = flags.parsed('account', parseAccountPath, 'a path such as acme/retail/alice');
  const asked = readAskedTariff(flags);
  if (asked === undefined) {
    flags.complain({
      field: '--tariff',
      value: 'nothing',
      expected: 'what is to be tried: --tariff or --rates',
    });
  }
  flags.check();
  const stores = await context.stores();
  const books = await loadRatingBooks(context.config(), stores);
  const { change, tariffs } = await prepareChange(
    asked ?? { tariff: undefined, rates: undefined, replaces: undefined },
    { account, from: span.from, flags },
    books,
  );
  const filter = { ...span, account };
  const isCsv = flags.isSet('csv') && !flags.isSet('json');
  if (isCsv) context.print(OUTCOME_HEADER);
  const progress = createProgress({
    draw: context.drawProgress,
    whole: context.drawProgress === undefined ? 0 : await stores.rerates.countCalls(filter),
    unit: 'calls',
    now: context.now,
  });
  const tally = createTally();
  let calls = 0;
  for await (const page of whatIfTariff(filter, change, { ...books, tariffs }, stores.rerates)) {
    for (const outcome of page) {
      tally.add(outcome);
      if (isCsv) for (const row of outcomeRows(outcome)) context.print(row);
    }
    calls += page.length;
    progress.at(calls, `${calls} calls`);
  }
  progress.end();
  const asking = { span, account, change };
  const report = tally.report();
  return done(whatIfJson(asking, report), isCsv ? [] : whatIfLines(asking, report));
}
