import { classificationsOn } from '../accounts/account-document.ts';
import type { Account } from '../accounts/account.ts';
import { parseShadowLimits, shadowCountOf, toLimitsDocument } from '../accounts/limits-document.ts';
import { announce } from '../command-line/announcement.ts';
import {
  BadInputError,
  done,
  failed,
  type Command,
  type CommandContext,
  type CommandLine,
  type Result,
} from '../command-line/command.ts';
import { readDocumentFile } from '../command-line/document-file.ts';
import { accountOperand, readFlags } from '../command-line/flag-values.ts';
import { columns } from '../command-line/help.ts';
import { unknownName } from '../command-line/known-names.ts';
import { showMoment } from '../command-line/moment.ts';
import type { LiveShadowUse } from '../command-line/live-state.ts';
import { readSpan, type TimeSpan } from '../command-line/time-span.ts';
import { microsToSeconds } from '../credit/pools.ts';
import { countShadows, type ShadowCount } from '../records/shadow-report.ts';
import { parseAccountPath, rootOf, type AccountPath } from '../units/ids.ts';
import { formatMicros } from '../units/money.ts';
import { toIsoUtc } from '../units/time.ts';
import { refusalOf } from './account-refusal.ts';

export const SHADOW_COMMANDS: readonly Command[] = [
  {
    name: 'shadow set',
    summary: 'gives an account limits that refuse nobody and tell whom they would have refused',
    operands: ['ACCOUNT', 'FILE'],
    flags: {},
    notes: [
      "FILE has an operator's limits as YAML or JSON, - is standard input. They are judged in the place of the account's own;",
      'what they leave out is as it holds. Each call is judged after it was decided, against what was really in use;',
      'where they name allotments, maxSpend or a time zone, what these use up is counted for them alone, from now on.',
      'tollgate shadow set acme/retail tighter.yaml',
    ],
    run: setShadow,
  },
  {
    name: 'shadow show',
    summary: 'the shadow limits of an account',
    operands: ['ACCOUNT'],
    flags: {},
    run: showShadow,
  },
  {
    name: 'shadow clear',
    summary: 'takes the shadow limits from an account; what was reported stays',
    operands: ['ACCOUNT'],
    flags: {},
    run: clearShadow,
  },
  {
    name: 'shadow report',
    summary: 'how many calls shadow limits would have refused or cut, by account and limit',
    operands: [],
    flags: {
      account: { value: 'ACCOUNT', doc: 'only of this account and those below it' },
      from: { value: 'TIME', doc: 'the first moment that is looked at' },
      to: { value: 'TIME', doc: 'the first moment that is not (default: now)' },
      'dry-run': { doc: 'of accounts in a dry run, by their own limits, instead' },
    },
    notes: [
      'A call that shadow limits would have refused was in use all the same, and stood in the way of those after it.',
      'tollgate shadow report --account acme --from 2026-08-01 --to 2026-09-01',
    ],
    run: reportShadows,
  },
];

async function setShadow(line: CommandLine, context: CommandContext): Promise<Result> {
  const file = line.operands[1] ?? '-';
  const document = await readDocumentFile(file, 'FILE');
  return await changeShadow(line, context, (account, onRecord) => {
    const classifications = classificationsOn(onRecord)(rootOf(account.path));
    const parsed = parseShadowLimits(document, classifications === undefined ? {} : { classifications });
    if (parsed.kind === 'ok') return { ...account, shadow: parsed.value };
    throw new BadInputError(
      parsed.problems.map((problem) => ({ ...problem, field: `${file}: ${problem.field}` })),
    );
  });
}

async function clearShadow(line: CommandLine, context: CommandContext): Promise<Result> {
  return await changeShadow(line, context, (account) => ({ ...account, shadow: undefined }));
}

async function changeShadow(
  line: CommandLine,
  context: CommandContext,
  change: (account: Account, onRecord: readonly Account[]) => Account,
): Promise<Result> {
  const path = accountOperand(line);
  const { accounts } = await context.stores();
  const onRecord = (await accounts.loadAll()).accounts;
  const account = onRecord.find((each) => each.path === path);
  if (account === undefined) return failed(`no account ${path}`);
  const verdict = await accounts.saveAccount(change(account, onRecord));
  if (verdict.kind === 'refused')
    return failed(refusalOf(path, verdict), { account: path, reason: verdict.reason });
  if (verdict.kind === 'saved') await announce(context, (live) => live.announceAccounts([path]));
  return done({ account: path, result: verdict.kind }, [`${path}: ${verdict.kind}`]);
}

async function showShadow(line: CommandLine, context: CommandContext): Promise<Result> {
  const path = accountOperand(line);
  const { accounts } = await context.stores();
  const account = (await accounts.loadAll()).accounts.find((each) => each.path === path);
  if (account === undefined) return failed(`no account ${path}`);
  if (account.shadow === undefined)
    return done({ account: path, shadow: undefined }, [`${path}: no shadow limits`]);
  const shadow = toLimitsDocument(account.shadow);
  const counted = shadowCountOf(account.shadow) === undefined ? undefined : await readCounted(path, context);
  return done({ account: path, shadow, counted: counted?.map(countedJson) }, [
    path,
    ...columns(Object.entries(shadow).map(([name, value]) => [name, shown(value)])),
    ...(counted === undefined ? [] : ['counted for them alone', ...columns(counted.map(countedRow))]),
  ]);
}

async function readCounted(
  path: AccountPath,
  context: CommandContext,
): Promise<readonly LiveShadowUse[] | undefined> {
  try {
    const live = await context.live();
    return await live.shadowUse(path);
  } catch (error) {
    // The document is on record; what was counted is not.
    context.say(`without live state: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function countedRow({ meaning, used, amount, endsAt }: LiveShadowUse): readonly string[] {
  const until = `until ${showMoment(endsAt)} UTC`;
  if (meaning.kind === 'spend') {
    return [`maxSpend ${meaning.window}`, `${formatMicros(used)} of ${formatMicros(amount)} spent`, until];
  }
  const seconds = `${microsToSeconds(used)} of ${microsToSeconds(amount)} s used`;
  return [`allotment ${meaning.name}`, seconds, until];
}

function countedJson({ meaning, used, amount, endsAt }: LiveShadowUse): Readonly<Record<string, unknown>> {
  const until = toIsoUtc(endsAt);
  if (meaning.kind === 'spend')
    return { window: meaning.window, spent: formatMicros(used), amount: formatMicros(amount), until };
  const [usedSeconds, seconds] = [microsToSeconds(used), microsToSeconds(amount)];
  return { allotment: meaning.name, usedSeconds, seconds, until };
}

async function reportShadows(line: CommandLine, context: CommandContext): Promise<Result> {
  const flags = readFlags(line);
  const window = readSpan(flags, context.now());
  const account = flags.parsed('account', parseAccountPath, 'a path such as acme/retail/alice');
  flags.check();
  const kind = flags.isSet('dry-run') ? 'dry_run' : 'shadow';
  const stores = await context.stores();
  const unknown = await unknownName({ account }, stores, context.now);
  if (unknown !== undefined) return unknown;
  const { records } = stores;
  const counts = await countShadows(records.decisionsOfKind({ kind, account, ...window }));
  const json = { from: toIsoUtc(window.from), to: toIsoUtc(window.to), kind, accounts: counts };
  return done(json, [headOf(kind, window), ...counts.flatMap(linesOf)]);
}

function headOf(kind: 'shadow' | 'dry_run', { from, to }: TimeSpan): string {
  const what = kind === 'shadow' ? 'shadow limits' : 'dry runs';
  return `${what} from ${showMoment(from)} to ${showMoment(to)} UTC: each call judged by itself`;
}

function linesOf({ account, byLimit, ...counts }: ShadowCount): readonly string[] {
  const { judged, refused, refusedAlone, letThrough, cut, goneOn } = counts;
  return [
    `${account}: of ${judged} calls ${refused} would have been refused, ${refusedAlone} of them went through`,
    ...columns(
      byLimit.map((each) => [
        each.limit,
        `${each.refused} refused`,
        ...(each.cut > 0 ? [`${each.cut} cut`] : []),
      ]),
    ),
    ...(cut > 0 ? [`  ${cut} would have been cut short`] : []),
    ...(goneOn > 0 ? [`  ${goneOn} would have gone on per minute after an allotment`] : []),
    ...(letThrough > 0 ? [`  ${letThrough} that were refused would have been let through`] : []),
  ];
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
