import { stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { formatOfName, type CdrFormat } from '../cdrfiles/cdr-folder.ts';
import { DEFAULT_TEMPLATE, parseTemplate, type CsvTemplate } from '../cdrfiles/csv-template.ts';
import {
  BadInputError,
  type Command,
  type CommandContext,
  type CommandLine,
  type Result,
} from '../command-line/command.ts';
import { readFlags, type FlagReader } from '../command-line/flag-values.ts';
import { parseAccountPath } from '../units/ids.ts';
import { isTimeZone } from '../units/time-zone.ts';
import { importJson, importLines } from './cdr-import-view.ts';
import { matchCdrs } from './cdr-matching.ts';
import { readCdrs, type CdrWay } from './cdr-reading.ts';
import { loadImportRules } from './import-rules.ts';
import { createImportSettler } from './settle-imported.ts';

/** How CDR files are read, as flags say it. */
export const CDR_FILE_FLAGS: Command['flags'] = {
  format: {
    value: 'FORMAT',
    doc: 'json, csv or xml: of a file whose name does not tell; of a folder, only those',
  },
  template: {
    value: 'TEXT',
    doc: "of mod_cdr_csv, as its configuration has it (default: FreeSWITCH's own, which leaves out what is charged by)",
  },
  zone: {
    value: 'ZONE',
    doc: 'time zone of the FreeSWITCH, where a template has local times (default: UTC)',
  },
};

export const CDR_IMPORT_COMMAND: Command = {
  name: 'cdr import',
  summary:
    "reads FreeSWITCH's own CDRs and shows what Tollgate does not know of them; with --apply charges it",
  operands: ['PATH'],
  repeatsOperand: true,
  flags: {
    ...CDR_FILE_FLAGS,
    account: { value: 'ACCOUNT', doc: 'whose the calls are that name no account' },
    apply: { doc: 'charge the legs that are unknown and to be charged; without, they are listed' },
  },
  notes: [
    'PATH is a file or a folder of mod_json_cdr (.json), mod_cdr_csv (.csv) or mod_xml_cdr (.xml). What was read before is',
    'skipped, a file that is still being written is left for the next time, and what cannot be read is named and skipped.',
    'tollgate cdr import /var/log/freeswitch/json_cdr',
    `tollgate cdr import Master.csv --template '"\${uuid}","\${direction}","\${start_uepoch}","\${answer_uepoch}","\${end_uepoch}","\${billusec}","\${hangup_cause}","\${originator}","\${accountcode}","\${destination_number}"'`,
  ],
  run: importCdrs,
};

async function importCdrs(line: CommandLine, context: CommandContext): Promise<Result> {
  const flags = readFlags(line);
  const account = flags.parsed('account', parseAccountPath, 'a path such as acme/retail/alice');
  const source = await readCdrSource(line.operands, flags, context);
  const stores = await context.stores();
  const reading = await readCdrs(source.paths, source, context, stores.switchCdrs);
  const settler = flags.isSet('apply') ? await createImportSettler(context, stores.records) : undefined;
  const loadRules = () => loadImportRules(context, stores, account);
  const matching = await matchCdrs(source.paths, stores, loadRules, settler);
  const report = { reading, matching, applied: settler !== undefined };
  const isSound = reading.faults.length === 0 && matching.remaining.differs === 0 && matching.untold === 0;
  return { done: isSound, asked: true, json: importJson(report), lines: importLines(report) };
}

export type CdrSource = CdrWay & { readonly paths: readonly string[] };

/** Which files are to be read and how. Throws a BadInputError that names every flag and path that is wrong. */
export async function readCdrSource(
  operands: readonly string[],
  flags: FlagReader,
  context: Pick<CommandContext, 'config' | 'now'>,
): Promise<CdrSource> {
  const format = flags.choice('format', ['json', 'csv', 'xml']);
  const zone =
    flags.parsed(
      'zone',
      (text) => (isTimeZone(text) ? text : undefined),
      'a time zone such as Europe/Berlin',
    ) ?? 'UTC';
  const template = readTemplate(flags);
  const paths = operands.map((path) => resolve(path));
  for (const [index, path] of paths.entries()) {
    const problem = await pathProblem(path, format);
    if (problem === undefined) continue;
    flags.complain({ field: 'PATH', value: operands[index] ?? path, expected: problem });
  }
  flags.check();
  if (template === undefined) throw new BadInputError([]);
  const { accountVariables } = context.config().freeswitch;
  return {
    paths: withoutInner(paths),
    format,
    reading: { now: context.now(), zone, accountVariables, template },
    wayOf: (each) =>
      JSON.stringify([
        accountVariables,
        ...(each === 'csv' ? [template.literals, template.names, zone] : []),
      ]),
  };
}

/** What lies in a folder that is read is read with it. */
function withoutInner(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)].filter((path) => !paths.some((other) => path.startsWith(`${other}${sep}`)));
}

function readTemplate(flags: FlagReader): CsvTemplate | undefined {
  const parsed = parseTemplate(flags.text('template') ?? DEFAULT_TEMPLATE);
  return parsed.kind === 'template' ? parsed.template : flags.complain(parsed.fault);
}

async function pathProblem(path: string, format: CdrFormat | undefined): Promise<string | undefined> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return found.isDirectory() ? undefined : 'a file or a folder';
    if ((format ?? formatOfName(path)) !== undefined) return undefined;
    return 'a name that ends in .json, .xml or .csv, or --format';
  } catch (error) {
    return `a file or a folder that can be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}
