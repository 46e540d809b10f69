import type { Command, CommandContext, CommandLine, Result } from '../command-line/command.ts';
import { readFlags, type FlagReader } from '../command-line/flag-values.ts';
import { unknownName } from '../command-line/known-names.ts';
import { createProgress } from '../command-line/progress.ts';
import { readSpan } from '../command-line/time-span.ts';
import type { Difference, DifferenceKind, Remark } from '../reconcile/difference.ts';
import { reconcile } from '../reconcile/reconcile.ts';
import type { Window } from '../reconcile/switch-cdr-store.ts';
import { parseAccountPath } from '../units/ids.ts';
import { toMicros, type Micros } from '../units/money.ts';
import { CDR_FILE_FLAGS, readCdrSource } from './cdr-import-command.ts';
import { readCdrs } from './cdr-reading.ts';
import { loadImportRules } from './import-rules.ts';
import { createFixer } from './reconcile-fix.ts';
import {
  CSV_HEADER,
  csvLine,
  reconcileJson,
  reconcileLines,
  rowOf,
  type DifferenceRow,
  type ReconcileReport,
} from './reconcile-view.ts';

const SHOWN_MAX = 1_000;

export const RECONCILE_COMMAND: Command = {
  name: 'reconcile',
  summary:
    "holds Tollgate's record, FreeSWITCH's own CDRs and the tariffs against one another; exit code 1 if something is off",
  operands: [],
  flags: {
    from: { value: 'TIME', doc: 'the first moment that is looked at' },
    to: { value: 'TIME', doc: 'the first moment that is not (default: now)' },
    account: { value: 'ACCOUNT', doc: 'of this account and those below it only' },
    cdr: { value: 'PATH', doc: 'a file or folder of CDRs to read first, as cdr import does' },
    ...CDR_FILE_FLAGS,
    fix: { doc: 'put right what can be: charge, correct and re-rate; without, nothing is changed' },
    csv: { doc: 'print all differences as CSV' },
  },
  notes: [
    'tollgate reconcile --from 2026-08-01 --to 2026-09-01 --cdr /var/log/freeswitch/json_cdr',
    'tollgate reconcile --from 2026-08-01 --csv > differences.csv',
    'tollgate reconcile --from 2026-08-01 --fix',
  ],
  run: reconcileRecord,
};

async function reconcileRecord(line: CommandLine, context: CommandContext): Promise<Result> {
  const flags = readFlags(line);
  const window = readWindow(flags, context);
  const path = flags.text('cdr');
  const source = await readCdrSource(path === undefined ? [] : [path], flags, context);
  const stores = await context.stores();
  const unknown = await unknownName(window, stores, context.now);
  if (unknown !== undefined) return unknown;
  const reading =
    path === undefined ? undefined : await readCdrs(source.paths, source, context, stores.switchCdrs);
  const rules = await loadImportRules(context, stores, undefined);
  const fixer = flags.isSet('fix') ? await createFixer(context, stores, rules, window) : undefined;
  const isCsv = flags.isSet('csv') && !flags.isSet('json');
  if (isCsv) context.print(CSV_HEADER);
  const tally = createTally(isCsv ? (row) => context.print(csvLine(row)) : undefined);
  const progress = createProgress({
    draw: context.drawProgress,
    whole: await stores.switchCdrs.countOf(window),
    unit: 'legs',
    now: context.now,
  });
  let legs = 0;
  for await (const step of reconcile(stores.switchCdrs, window, rules)) {
    if (step.kind === 'difference') {
      tally.add(step.difference);
      await fixer?.take(step.difference);
    }
    if (step.kind === 'remark') tally.remark(step.remark);
    if (step.kind === 'looked') {
      legs += step.legs;
      progress.at(legs, `${legs} legs`);
    }
  }
  progress.end();
  const compared = (await stores.switchCdrs.countOf(window)) > 0;
  const fixed = await fixer?.finish();
  const report: ReconcileReport = { legs, compared, reading, fixed, ...tally.report() };
  const count = Object.values(report.found).reduce((sum, each) => sum + each, 0);
  return {
    done: (fixed?.left ?? count) === 0 && (fixed?.untold ?? 0) === 0 && (reading?.faults.length ?? 0) === 0,
    asked: true,
    json: reconcileJson(report),
    lines: isCsv ? [] : reconcileLines(report),
  };
}

function readWindow(flags: FlagReader, context: CommandContext): Window {
  const span = readSpan(flags, context.now());
  const account = flags.parsed('account', parseAccountPath, 'a path such as acme/retail/alice');
  flags.check();
  return { ...span, account };
}

type Tally = {
  add(difference: Difference): void;
  remark(remark: Remark): void;
  report(): Pick<ReconcileReport, 'found' | 'remarks' | 'amounts' | 'shown'>;
};

function createTally(print: ((row: DifferenceRow) => void) | undefined): Tally {
  const found: Record<DifferenceKind, number> = {
    freeswitch_only: 0,
    tollgate_only: 0,
    duration_differs: 0,
    answer_differs: 0,
    charge_differs: 0,
    charge_unrated: 0,
    charge_missing: 0,
    charge_without_transfer: 0,
    transfer_without_charge: 0,
  };
  const remarks: Record<Remark, number> = { billsec_off: 0, undetermined: 0, recent: 0 };
  const amounts = new Map<string, Micros>();
  const shown: DifferenceRow[] = [];
  return {
    add(difference) {
      const row = rowOf(difference);
      found[row.kind] += 1;
      if (row.amount !== undefined) {
        amounts.set(row.currency, toMicros((amounts.get(row.currency) ?? 0n) + row.amount));
      }
      if (shown.length < SHOWN_MAX) shown.push(row);
      print?.(row);
    },
    remark(word) {
      remarks[word] += 1;
    },
    report: () => ({ found, remarks, amounts, shown }),
  };
}
