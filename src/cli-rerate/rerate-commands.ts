import { randomUUID } from 'node:crypto';
import { carryOut, type CarriedOut } from '../charging/carry-out.ts';
import { planKept } from '../charging/plan-rerate.ts';
import type { RerateFilter, RerateFunding } from '../charging/rerate-run.ts';
import type { NewRun, RerateClaim } from '../charging/rerate-store.ts';
import { loadRatingBooks } from '../cli-rating/rating-books.ts';
import {
  BadInputError,
  done,
  failed,
  type Command,
  type CommandContext,
  type CommandLine,
  type Result,
} from '../command-line/command.ts';
import { readFlags, refuseFlags, type FlagReader } from '../command-line/flag-values.ts';
import { columns } from '../command-line/help.ts';
import { unknownName } from '../command-line/known-names.ts';
import { createProgress } from '../command-line/progress.ts';
import { createTeller } from '../command-line/teller.ts';
import { readSpan } from '../command-line/time-span.ts';
import { CORRECTION_RUN } from '../reconcile/correction.ts';
import { planReplayed, replayedFrom, type ReplayBooks } from '../replay/plan-replayed.ts';
import {
  parseAccountPath,
  parseRerateRunId,
  parseTariffName,
  type AccountPath,
  type RerateRunId,
} from '../units/ids.ts';
import { toIsoUtc } from '../units/time.ts';
import { readReport, reportJson, reportLines, runJson, runRows, writeItemsCsv } from './rerate-view.ts';

const RUN_OPERAND = 'RUN';

export const RERATE_COMMANDS: readonly Command[] = [
  {
    name: 'rerate plan',
    summary: 'works out what past calls would cost now, and keeps what differs as a run; changes no charge',
    operands: [],
    flags: {
      from: { value: 'TIME', doc: 'the first moment at which they were admitted' },
      to: { value: 'TIME', doc: 'the first moment that is not' },
      account: { value: 'ACCOUNT', doc: 'only calls of this account and of those below it' },
      prefix: { value: 'DIGITS', doc: 'only calls to numbers that begin so, in E.164' },
      tariff: { value: 'TARIFF', doc: 'only what this tariff charged, or would charge now' },
      'keep-funding': { doc: 'each payer pays in the ways in which it paid (default)' },
      'replay-funding': {
        doc: 'in the ways that the limits of now give it, call after call: trunks, allotments, spend windows',
      },
      id: { value: 'RUN', doc: 'what the run is called (default: by the time)' },
    },
    notes: [
      'tollgate rerate plan --from 2026-08-01 --to 2026-09-01 --tariff standard',
      'A call is rated by the tariff in force at its admission: a corrected tariff is imported with a start in the past.',
      '--replay-funding also reads the calls since the longest cycle of any allotment or spend window began, and a day before: what they were charged by is used up. They and calls of others stay as they are; whoever rang and was not answered left no CDR, and held nothing.',
    ],
    run: plan,
  },
  {
    name: 'rerate show',
    summary: 'what a run changes: in all, by account, by rate, and where most',
    operands: [RUN_OPERAND],
    flags: { csv: { doc: 'every charge that changes, as CSV' } },
    run: show,
  },
  {
    name: 'rerate list',
    summary: 'all runs with their states, the latest first',
    operands: [],
    flags: {},
    run: list,
  },
  {
    name: 'rerate apply',
    summary:
      'puts the charges of a run in force: takes back what was paid and charges anew; again, it goes on where it stopped',
    operands: [RUN_OPERAND],
    flags: {},
    run: (line, context) => change(line, context, 'applying'),
  },
  {
    name: 'rerate revert',
    summary: 'puts the charges in force that were before a run; again, it goes on where it stopped',
    operands: [RUN_OPERAND],
    flags: {},
    run: (line, context) => change(line, context, 'reverting'),
  },
];

/** Under the name of corrections nobody could tell its reversals from theirs. */
function parseNewRun(text: string): RerateRunId | undefined {
  return text === CORRECTION_RUN ? undefined : parseRerateRunId(text);
}

async function plan(line: CommandLine, context: CommandContext): Promise<Result> {
  const flags = readFlags(line);
  const filter = readFilter(flags);
  const expected = `a name of a-z 0-9 _ . -, and not ${CORRECTION_RUN}`;
  const named = flags.parsed('id', parseNewRun, expected);
  const funding = readFunding(flags);
  flags.check();
  const createdAt = context.now();
  const id = named ?? runIdAt(toIsoUtc(createdAt));
  const stores = await context.stores();
  const unknown = await unknownName(filter, stores, context.now);
  if (unknown !== undefined) return unknown;
  const run: NewRun = { id, funding, filter, createdAt };
  const books = await loadRatingBooks(context.config(), stores);
  if ((await stores.rerates.begin(run)) === 'exists')
    return failed(`there is a run ${id} already`, { run: id });
  const progress = createProgress({
    draw: context.drawProgress,
    whole: context.drawProgress === undefined ? 0 : await stores.rerates.countCalls(readBy(run, books)),
    unit: 'calls',
    now: context.now,
  });
  const planRun = funding === 'replayed' ? planReplayed : planKept;
  const outcome = await planRun(run, books, stores.rerates, (calls) => progress.at(calls, `${calls} calls`));
  await stores.rerates.finishPlan(run, outcome);
  progress.end();
  for (const { legUuid, words } of outcome.remarks) context.say(`${legUuid}: ${words}`);
  return await showRun(id, context);
}

/** The calls that the plan reads. */
function readBy({ funding, filter }: NewRun, books: ReplayBooks): RerateFilter {
  return funding === 'replayed' ? { from: replayedFrom(books, filter), to: filter.to } : filter;
}

/** One call's way of paying depends on those of all the others: a run of one tariff's calls would be none. */
function readFunding(flags: FlagReader): RerateFunding {
  if (!flags.isSet('replay-funding')) return 'kept';
  refuseFlags(flags, ['keep-funding', 'tariff'], 'not with --replay-funding');
  return 'replayed';
}

function readFilter(flags: FlagReader): RerateFilter {
  const span = readSpan(flags);
  const account = flags.parsed('account', parseAccountPath, 'a path such as acme/retail/alice');
  const tariff = flags.parsed('tariff', parseTariffName, 'a name of a-z 0-9 _ . -');
  const prefix = flags.parsed('prefix', parsePrefix, 'digits of a number in E.164, without a plus');
  flags.check();
  return { ...span, account, prefix, tariff };
}

function parsePrefix(text: string): string | undefined {
  return /^\d{1,32}$/.test(text) ? text : undefined;
}

/** `20260801-120000-000`: in the order in which they were made. */
function runIdAt(iso: string): RerateRunId {
  return iso.replaceAll(/[-:Z]/g, '').replace('T', '-').replace('.', '-') as RerateRunId;
}

function runOperand(line: CommandLine): RerateRunId {
  const value = line.operands[0] ?? '';
  const run = parseRerateRunId(value);
  if (run !== undefined) return run;
  throw new BadInputError([{ field: RUN_OPERAND, value, expected: 'the name of a run, see rerate list' }]);
}

async function show(line: CommandLine, context: CommandContext): Promise<Result> {
  const id = runOperand(line);
  if (!line.flags.has('csv') || line.flags.has('json')) return await showRun(id, context);
  const { rerates } = await context.stores();
  if ((await rerates.run(id)) === undefined) return unknownRun(id);
  await writeItemsCsv(rerates.items(id), context.print);
  return done({}, []);
}

async function showRun(id: RerateRunId, context: CommandContext): Promise<Result> {
  const { rerates } = await context.stores();
  const report = await readReport(rerates, id);
  return report === undefined ? unknownRun(id) : done(reportJson(report), reportLines(report));
}

async function list(_line: CommandLine, context: CommandContext): Promise<Result> {
  const { rerates } = await context.stores();
  const runs = await rerates.runs();
  return done(runs.map(runJson), runs.length === 0 ? ['no run yet'] : columns(runs.map(runRows)));
}

function unknownRun(id: RerateRunId): Result {
  return failed(`there is no run ${id}`, { run: id });
}

async function change(
  line: CommandLine,
  context: CommandContext,
  wanted: RerateClaim['wanted'],
): Promise<Result> {
  const run = runOperand(line);
  const { rerates, records } = await context.stores();
  if ((await rerates.run(run)) === undefined) return unknownRun(run);
  // Before anything is changed: a run on record that calls do not know of would be half a run.
  const live = await context.live();
  const teller = createTeller(live, records);
  const whole = (await rerates.itemStates(run)).get(wanted === 'applying' ? 'planned' : 'applied') ?? 0;
  const progress = createProgress({ draw: context.drawProgress, whole, unit: 'charges', now: context.now });
  const carried = await carryOut(
    { run, wanted, holder: randomUUID() },
    {
      store: rerates,
      ...teller,
      clock: context.now,
      onChanged: (changed) => progress.at(changed, `${changed} charges`),
    },
  );
  progress.end();
  if (carried.kind === 'done' || carried.kind === 'already') {
    const payers = new Set<AccountPath>();
    for await (const { payer } of rerates.sumsByPayer(run)) payers.add(payer);
    // What a running cycle has left follows the charges that are in force now.
    for (const words of await live.rightPools(payers)) context.say(words);
  }
  return changeResult(run, wanted, carried);
}

function changeResult(run: RerateRunId, wanted: RerateClaim['wanted'], carried: CarriedOut): Result {
  const word = wanted === 'applying' ? 'applied' : 'reverted';
  switch (carried.kind) {
    case 'done':
      return changedResult(run, word, carried);
    case 'already':
      return done({ run, result: 'already' }, [`${run}: ${word} before, nothing changed`]);
    case 'unknown':
      return unknownRun(run);
    case 'refused': {
      const { state } = carried;
      const why = `${run} is ${state}, and what is ${state} cannot be ${word}`;
      return failed(state === 'planning' ? `${why}: plan it again` : why, { run, state });
    }
    case 'busy': {
      const until = toIsoUtc(carried.until);
      const other = carried.run === run ? 'another process works at it' : `${carried.run} is being changed`;
      return failed(`${run}: ${other}; if that is dead, try again after ${until}`, {
        run,
        busy: carried.run,
        until,
      });
    }
    case 'lost':
      return failed(`${run}: another process has taken it over`, { run });
  }
}

function changedResult(
  run: RerateRunId,
  word: string,
  { changed, passed }: { readonly changed: number; readonly passed: number },
): Result {
  const json = { run, result: word, changed, passed };
  const said = `${run}: ${changed} charges ${word}`;
  if (passed === 0) return done(json, [said]);
  return done(json, [said, `${passed} were changed by others meanwhile and stay as they are`]);
}
