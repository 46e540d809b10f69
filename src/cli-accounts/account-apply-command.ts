import { differenceOf, type Difference } from '../accounts/account-difference.ts';
import type { AccountTree } from '../accounts/account-store.ts';
import type { DescribedTree } from '../accounts/tree-document.ts';
import { announce } from '../command-line/announcement.ts';
import {
  done,
  type Command,
  type CommandContext,
  type CommandLine,
  type Result,
} from '../command-line/command.ts';
import type { AccountPath } from '../units/ids.ts';
import { differenceJson, differenceLines, differenceSummary } from './account-difference-view.ts';
import { idleWords, refusalOf } from './account-refusal.ts';
import { foreseeSaving, readTreeFile } from './tree-file.ts';

export const YES_FLAG = { yes: { doc: 'save it; without, the difference is shown and nothing changed' } };

export const ACCOUNT_APPLY_COMMAND: Command = {
  name: 'account apply',
  summary: 'shows what a file of accounts and routes would change, and with --yes changes it',
  operands: ['FILE'],
  flags: YES_FLAG,
  notes: [
    'FILE is YAML or JSON, - is standard input: "accounts" and "routes", each a list. An account may have "accounts"',
    'of its own, named from there. What the file says of an account is all of it; what it does not name stays.',
    'tollgate account apply tree.yaml',
    'tollgate account apply tree.yaml --yes',
  ],
  run: applyFile,
};

async function applyFile(line: CommandLine, context: CommandContext): Promise<Result> {
  const file = line.operands[0] ?? '-';
  const { accounts } = await context.stores();
  const onRecord = await accounts.loadAll();
  const described = await readTreeFile(file, onRecord, { now: context.now(), field: 'FILE' });
  return await applyDescribed(described, { onRecord, confirmed: line.flags.has('yes') }, context);
}

type Applying = { readonly onRecord: AccountTree; readonly confirmed: boolean };

/** Shows what a description changes of the record and, when that is confirmed, changes it. */
export async function applyDescribed(
  described: DescribedTree,
  { onRecord, confirmed }: Applying,
  context: CommandContext,
): Promise<Result> {
  const difference = differenceOf(onRecord, described);
  const json = { changes: differenceJson(difference), unchanged: difference.unchanged };
  const lines = [...differenceLines(difference), differenceSummary(difference)];
  const isNothing = difference.accounts.length + difference.routes.length === 0;
  if (isNothing) return done({ applied: confirmed, ...json }, lines);
  const { order, refused } = await foreseeSaving(onRecord, difference, context);
  if (refused.length > 0) {
    return {
      done: false,
      json: { applied: false, ...json, refused },
      lines: [...refused, 'nothing is changed'],
    };
  }
  for (const words of idleWords(difference.accounts.map(({ account }) => account))) context.say(words);
  if (!confirmed) {
    return done({ applied: false, ...json }, [...lines, 'nothing is changed yet: repeat it with --yes']);
  }
  const refusal = await save({ ...difference, accounts: order }, context);
  if (refusal === undefined) return done({ applied: true, ...json }, [...lines, 'saved']);
  return { done: false, json: { applied: 'in part', ...json, refused: [refusal] }, lines: [refusal] };
}

/** Saves one after the other. The words of the first refusal, which only somebody quicker can have caused. */
async function save(difference: Difference, context: CommandContext): Promise<string | undefined> {
  const { accounts } = await context.stores();
  const saved: AccountPath[] = [];
  let refusal: string | undefined;
  for (const { account } of difference.accounts) {
    const verdict = await accounts.saveAccount(account);
    if (verdict.kind === 'refused') {
      refusal = `${refusalOf(account.path, verdict)}; saved before it: ${saved.join(', ') || 'nothing'}`;
      break;
    }
    saved.push(account.path);
  }
  if (refusal === undefined) {
    for (const { route } of difference.routes) await accounts.saveRoute(route);
  }
  await announce(context, (live) => live.announceAccounts(saved));
  return refusal;
}
