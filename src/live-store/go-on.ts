import { continuationCap } from '../admission/cap.ts';
import { dryPoolsAfter, poolsAfter, type LegPool } from '../admission/leg-pools.ts';
import type { AllotmentRecord, LegRecord } from '../admission/leg-record.ts';
import type { GoingOnFrom, GoOnOutcome, TakeRefusal } from '../admission/live-store.ts';
import { operate } from '../credit/operations.ts';
import { startedBefore } from '../credit/refill.ts';
import type { PayerLeg } from '../credit/wallet.ts';
import { assert } from '../units/assert.ts';
import type { LegKey, PoolId } from '../units/ids.ts';
import { toEpochMs, type EpochMs } from '../units/time.ts';
import { guardStore } from '../redis/connection.ts';
import type { ExactBasis } from './exact-step.ts';
import { exactArguments } from '../live-text/exact-wallet.ts';
import { walletKey, walletPartsKey } from '../redis/keys.ts';
import { homeOf, type StoreContext } from './store-context.ts';
import { formatRecord, parseRecord } from '../live-text/record-text.ts';
import type { OpenMissing } from './take-leg.ts';
import { formatPart, parsePart } from '../live-text/wallet-text.ts';

/** A leg as it draws on a pool from its answer, or from where it goes on, whichever cycle that was in. */
export function runningLeg(
  context: StoreContext,
  { pool, terms, isForced }: LegPool,
  legKey: LegKey,
  answeredAt: EpochMs,
): PayerLeg {
  const leg: PayerLeg = {
    legKey,
    terms,
    state: { kind: 'running', answeredAt },
    ...(isForced && { isForced }),
  };
  const rules = context.rulesOf(pool);
  if (rules === undefined) return leg;
  return startedBefore(leg, rules, rules.cycleAt(context.options.clock()).startsAt);
}

/** See `LiveStore.goOn`. The moment is the end of what the allotment has paid for, however late this comes. */
export async function goOn(
  context: StoreContext,
  openMissing: OpenMissing,
  record: LegRecord,
  { pool, goesOn }: GoingOnFrom,
  /** It goes on although nothing follows, and nobody's money is asked. */
  isDryRun: boolean,
): Promise<GoOnOutcome> {
  const { legKey } = record;
  const partText = await guardStore(() => context.redis.hget(walletPartsKey(pool), legKey));
  if (partText === null) return { kind: 'gone' };
  const part = parsePart(legKey, partText);
  if (part.state.kind !== 'ended' || (goesOn === undefined && !isDryRun)) return { kind: 'already' };
  const { endsAt: from } = part.state;
  const passed: PayerLeg = { ...part, state: { ...part.state, kind: 'passed' } };
  const continued = goesOn && context.goingOn(record, goesOn, from);
  const cap = isDryRun ? undefined : continued && continuationCap(continued);
  const deadline = cap && toEpochMs(from + cap.seconds * 1000);
  const pools = isDryRun ? dryPoolsAfter({ goesOn: continued }) : poolsAfter({ goesOn: continued });
  const wallets = pools.map((each) => each.pool);
  const { legs, due, deadlines } = context.keysOf(homeOf(record));
  const walletKeys = wallets.flatMap((wallet) => [walletKey(wallet), walletPartsKey(wallet)]);
  const keys = [legs, due, deadlines, walletPartsKey(pool), walletKey(pool), ...walletKeys];
  return await context.decide<GoOnOutcome>([pool, ...wallets], async (basis, wished) => {
    const noted = deadline === undefined ? ['', ''] : await notedUntil(context, record, pool, deadline);
    if (noted === undefined) return { kind: 'gone' };
    const head = [context.clockArgument(), wished, legKey, formatPart(passed), deadline ?? ''];
    const args: (string | number)[] = [...head, ...noted, pools.length];
    for (const each of pools) {
      args.push(each.pool, formatPart(runningLeg(context, each, legKey, from)));
      const joined = join(each, { legKey, from, basis });
      if (joined !== undefined && 'kind' in joined) return { kind: 'refused', refusal: joined };
      args.push(...(joined ?? ['bound']));
    }
    const reply = (await context.run('continue', keys, args)) as readonly unknown[];
    switch (reply[0]) {
      case 'exact':
        return { undecided: context.snapshotOf(reply) };
      case 'stale':
        return { undecided: undefined };
      case 'no-wallet':
        await openMissing(reply[1] as PoolId);
        return { undecided: undefined };
      case 'continued': {
        const [, at, ...dues] = reply as readonly [string, string, ...string[]];
        for (const [index, wallet] of wallets.entries()) context.reportDue(wallet, dues[index]);
        if (deadline !== undefined) context.reportDeadline(record, deadline);
        return { kind: 'continued', at: toEpochMs(Number(at)), from, goesOn: continued };
      }
      default:
        return { kind: reply[0] as 'already' | 'gone' };
    }
  });
}

/** ARGV of the record as it is, and as it says up to when the leg goes on. Undefined: it is no live leg any more. */
async function notedUntil(
  context: StoreContext,
  record: LegRecord,
  pool: PoolId,
  until: EpochMs,
): Promise<readonly [string, string] | undefined> {
  const { legs } = context.keysOf(homeOf(record));
  const text = await guardStore(() => context.redis.hget(legs, record.legKey));
  if (text === null) return undefined;
  const kept = parseRecord({ legKey: record.legKey, text, channel: undefined });
  const allotments = kept.allotments.map((each): AllotmentRecord =>
    each.pool === pool && each.goesOn !== undefined ? { ...each, goesOn: { ...each.goesOn, until } } : each,
  );
  return [text, formatRecord({ ...kept, allotments })];
}

/** ARGV of an exact wallet with the leg in it; or why it cannot go on. Undefined: there is nothing to work from yet. */
function join(
  { pool, terms }: LegPool,
  {
    legKey,
    from,
    basis,
  }: { readonly legKey: LegKey; readonly from: EpochMs; readonly basis: ExactBasis | undefined },
): readonly (string | number)[] | TakeRefusal | undefined {
  const reading = basis?.readings.get(pool);
  if (basis === undefined || reading === undefined) return undefined;
  const leg: PayerLeg = { legKey, terms, state: { kind: 'held' } };
  const operated = operate(reading.wallet, { kind: 'join', leg, from }, basis.at);
  if (operated.kind === 'unaffordable') {
    const { available, needed } = operated;
    return { kind: 'credit', wallet: pool, available, needed };
  }
  assert(operated.kind === 'done', 'a leg goes on or cannot afford it');
  return ['exact', ...exactArguments(reading, operated.wallet)];
}
