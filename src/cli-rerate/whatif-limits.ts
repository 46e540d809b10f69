import { differenceOf, type Difference } from '../accounts/account-difference.ts';
import { createAccountLookup, type AccountLookup } from '../accounts/account-tree.ts';
import type { PlannedQuestion } from '../admission/question.ts';
import type { RatingBooks } from '../charging/finished-call.ts';
import { foreseeSaving, readTreeFile } from '../cli-accounts/tree-file.ts';
import { serviceDefaultsIn } from '../cli-rating/rating-books.ts';
import { BadInputError, type CommandContext } from '../command-line/command.ts';
import type { TimeSpan } from '../command-line/time-span.ts';
import { findParties, type Claims } from '../gate/parties.ts';
import type { Decision } from '../records/records.ts';
import { warmUpFrom } from '../replay/warm-up.ts';
import { assert } from '../units/assert.ts';
import { admissionIdOf, isWithin, legKeyOf, parseAccountPath, type AccountPath } from '../units/ids.ts';
import { tryLimits, type LimitsTrial } from '../whatif/by-limits.ts';
import { laidOver, withTariffChange } from '../whatif/laid-over.ts';
import type { Outcome } from '../whatif/outcome.ts';
import type { Peak } from '../whatif/peaks.ts';
import { createRefusalTally, type RefusalCount } from '../whatif/real-refusals.ts';
import type { TariffChange } from '../whatif/tariff-change.ts';
import { policyOf } from '../wiring/parts.ts';
import { createCallProgress } from './call-progress.ts';

export type AskedLimits = {
  readonly file: string;
  readonly span: TimeSpan;
  readonly account: AccountPath | undefined;
  readonly change: TariffChange | undefined;
};

/** What a trial of limits tells besides what became of each call. */
export type LimitsReport = {
  /** What the file changes. */
  readonly difference: Difference;
  readonly peaks: { readonly was: readonly Peak[]; readonly would: readonly Peak[] };
  /** What was refused really. */
  readonly refusals: readonly RefusalCount[];
};

type Books = RatingBooks & { readonly accounts: AccountLookup };

/** Accounts and routes as they would be. A file that could not be applied is bad input. */
export async function prepareLimits(
  { file, span, change }: AskedLimits,
  books: Books,
  context: CommandContext,
): Promise<{ readonly books: Books; readonly difference: Difference }> {
  const { accounts } = await context.stores();
  const onRecord = await accounts.loadAll();
  // A plain tariff of the file holds for the calls that are looked at.
  const described = await readTreeFile(file, onRecord, { now: span.from, field: '--limits' });
  const difference = differenceOf(onRecord, described);
  const { refused } = await foreseeSaving(onRecord, difference, context);
  if (refused.length > 0) {
    const expected = 'accounts that could be saved';
    throw new BadInputError(refused.map((value) => ({ field: file, value, expected })));
  }
  const defaults = serviceDefaultsIn(context.config());
  const tree = laidOver(onRecord, described);
  const laid = createAccountLookup(tree, defaults);
  const lookup =
    change === undefined ? laid : createAccountLookup(withTariffChange(tree, laid, change), defaults);
  return { books: { ...books, accounts: lookup }, difference };
}

/** Goes through all calls, for those of others are in the way; tells of those of the account that was asked for. */
export async function runLimits(
  { span, account }: Pick<AskedLimits, 'span' | 'account'>,
  sides: { readonly was: Books; readonly would: Books },
  context: CommandContext,
  onOutcomes: (outcomes: readonly Outcome[]) => void,
): Promise<Omit<LimitsReport, 'difference'>> {
  const { rerates, records } = await context.stores();
  const { was, would } = sides;
  const trial = tryLimits({ from: span.from, accounts: was.accounts, books: would });
  const { emergencyNumbers } = policyOf(context.config());
  const refused = records.decisionsOfKind({ kind: 'refusal', account: undefined, ...span });
  const others = createSecondAsking(refused, { trial, account, accounts: would.accounts, emergencyNumbers });
  const tell = (outcomes: readonly Outcome[]): void =>
    onOutcomes(outcomes.filter(({ call }) => account === undefined || isWithin(call.account, account)));
  const filter = { from: warmUpFrom(would.accounts, span.from), to: span.to };
  const progress = await createCallProgress(context, filter);
  for await (const page of rerates.chargedCalls(filter)) {
    for (const charged of page) {
      await others.askUntil(charged.call.admittedAt);
      tell(trial.admit(charged));
    }
    progress.add(page.length);
  }
  progress.end();
  await others.askUntil(Infinity);
  tell(trial.finish());
  return { peaks: trial.peaks(), refusals: others.report() };
}

/** Calls that were refused ask again, each at its moment among those that were not. */
function createSecondAsking(
  decisions: AsyncIterable<Decision>,
  by: {
    readonly trial: LimitsTrial;
    readonly account: AccountPath | undefined;
    readonly accounts: AccountLookup;
    readonly emergencyNumbers: readonly string[];
  },
): { askUntil(at: number): Promise<void>; report(): readonly RefusalCount[] } {
  const tally = createRefusalTally();
  const iterator = decisions[Symbol.asyncIterator]();
  let waiting: Decision | undefined;
  let isOver = false;
  const ask = (decision: Decision): void => {
    const claims = claimsOf(decision);
    const whose = parseAccountPath(claims.forwarder ?? claims.account ?? claims.callee ?? '');
    if (by.account !== undefined && (whose === undefined || !isWithin(whose, by.account))) return;
    const question = questionOf(decision, claims, by.accounts, by.emergencyNumbers);
    if (question === 'unknown' || question === 'refused') tally.add(decision, question);
    else tally.add(decision, by.trial.judge(question));
  };
  return {
    async askUntil(at) {
      while (!isOver) {
        if (waiting !== undefined && waiting.at > at) return;
        if (waiting !== undefined) ask(waiting);
        const { done, value } = await iterator.next();
        isOver = done === true;
        waiting = done === true ? undefined : value;
      }
    },
    report: () => tally.report(),
  };
}

/** Pools of customers who are nowhere stored are not tried again: what there was of them nobody knows. */
function questionOf(
  decision: Decision,
  claims: Claims,
  accounts: AccountLookup,
  emergencyNumbers: readonly string[],
): PlannedQuestion | 'refused' | 'unknown' {
  if (decision.inputs['customer'] !== undefined || claims.dialled === '') return 'unknown';
  const parties = findParties(claims, accounts, emergencyNumbers);
  if (parties.kind === 'refused') return 'refused';
  const legKey = legKeyOf(admissionIdOf(decision.aLeg, 1), 'refused');
  assert(legKey !== undefined, 'the name of a branch is ours');
  return { ...parties, legKey, at: decision.at };
}

function claimsOf({ inputs }: Decision): Claims {
  const text = (name: string): string | undefined => {
    const value = inputs[name];
    return typeof value === 'string' ? value : undefined;
  };
  const names = (name: string): readonly string[] => {
    const value = inputs[name];
    return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
  };
  return {
    account: text('account'),
    callee: text('callee'),
    forwarder: text('forwarder'),
    routes: names('routes'),
    options: names('options'),
    dialled: text('dialled') ?? '',
  };
}
