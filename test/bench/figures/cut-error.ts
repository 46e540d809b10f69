import { bareTimers } from '../bare-timers.ts';
import { createCallStage, type CallStage } from '../call-stage.ts';
import { accountOf, openTenants, openWallet, PLACED_PER_SECOND, placeCalls } from '../crowd.ts';
import type { Bench, Figure } from '../figure.ts';
import { createFreezableTime, type FreezableTime } from '../frozen-time.ts';
import { atLeast, atMost, rowOf, type Row } from '../row.ts';
import { percentile } from '../statistics.ts';

const CALLS = 1_000;
const RING_MS = 50;
const CUTS_OVER_S = 10;
/** Answering a thousand calls takes the simulator so long at most. */
const ANSWERING_MS = 3_000;
const FUNDED_SECONDS = 10;
const EARLIEST_MS = -5;
const CUT_WITHIN_MS = 60_000;

export const cutError: Figure = {
  name: 'cut-error',
  title: 'cut error: hang-up command sent minus funded instant',
  needsRealRedis: true,
  async measure(bench) {
    const rows: Row[] = [];
    const rounds = bench.full ? 3 : 1;
    const spread = await repeated(rounds, () => cutSpread(bench));
    const delays = Array.from({ length: CALLS }, (_, index) => 10 + index * 5);
    const bare = await bareTimers(delays);
    rows.push(...rowsOf(`${CALLS} calls, cut at spread instants`, spread, bare, 50));
    for (const wallets of [CALLS, 1]) {
      const instants = await repeated(rounds, () => cutTogether(bench, wallets));
      const atOnce = await bareTimers(Array.from({ length: CALLS }, () => 100));
      const words = wallets === 1 ? 'on one wallet' : `on ${wallets} wallets`;
      rows.push(...rowsOf(`${CALLS} calls ${words} due at one instant`, instants, atOnce, 250));
    }
    return rows;
  },
};

function rowsOf(
  what: string,
  measured: readonly (readonly number[])[],
  bare: readonly number[],
  p99Max: number,
): readonly Row[] {
  const row = (word: string, share: number, target: Row['target']): Row =>
    rowOf({
      what: `${what}, ${word}`,
      unit: 'ms',
      measured: measured.map((late) => percentile(late, share)),
      baselineWhat: 'bare timers that write a line',
      baseline: measured.map(() => percentile(bare, share)),
      target,
    });
  return [
    row('earliest', 0, atLeast(EARLIEST_MS)),
    row('p50 late', 0.5, undefined),
    row('p99 late', 0.99, atMost(p99Max)),
    row('latest', 1, undefined),
  ];
}

/** Every call on a wallet of its own with money for a number of seconds of its own. */
async function cutSpread(bench: Bench): Promise<readonly number[]> {
  const stage = await createCallStage(bench);
  try {
    await openTenants(stage);
    for (let index = 0; index < CALLS; index += 1)
      await openWallet(stage, accountOf(index), fundedFor(index));
    await stage.start();
    await placeCalls(stage, { count: CALLS, ringMs: () => RING_MS, account: accountOf });
    return await latenesses(stage);
  } finally {
    await stage.close();
  }
}

/**
 * Seconds of money for a call, so that the first is cut once all are placed and the last one CUTS_OVER_S later. Whole
 * seconds, and each call's own moment within them.
 */
function fundedFor(index: number): number {
  const placedAfter = index / PLACED_PER_SECOND;
  const cutAfter = CALLS / PLACED_PER_SECOND + 3 + (index / CALLS) * CUTS_OVER_S;
  return Math.round(cutAfter - placedAfter);
}

/** All calls answered in one microsecond, all with money for as many seconds: their next pulses fall due as one. */
async function cutTogether(bench: Bench, wallets: number): Promise<readonly number[]> {
  const time = createFreezableTime();
  const stage = await createCallStage(bench, time);
  try {
    await openTenants(stage);
    const seconds = (FUNDED_SECONDS * CALLS) / wallets;
    for (let index = 0; index < wallets; index += 1) await openWallet(stage, accountOf(index), seconds);
    await stage.start();
    const answerAt = Date.now() + (CALLS / PLACED_PER_SECOND) * 1000 + 2_000;
    await placeCalls(stage, {
      count: CALLS,
      ringMs: () => answerAt - Date.now(),
      account: (index) => accountOf(index % wallets),
    });
    freeze(time, answerAt);
    return await latenesses(stage);
  } finally {
    await stage.close();
  }
}

function freeze(time: FreezableTime, answerAt: number): void {
  if (Date.now() >= answerAt) throw new Error('the calls were not placed in time to be answered together');
  time.freezeAt(answerAt, ANSWERING_MS);
}

/** Waits until every call was cut; each kill the service sent is one lateness. */
async function latenesses(stage: CallStage): Promise<readonly number[]> {
  await stage.settled(CALLS, CUT_WITHIN_MS);
  const { latenessMs } = await stage.service().figures();
  if (latenessMs.length < CALLS)
    throw new Error(`${latenessMs.length} of ${CALLS} calls were cut by the service`);
  return latenessMs;
}

async function repeated<Value>(rounds: number, once: () => Promise<Value>): Promise<readonly Value[]> {
  const values: Value[] = [];
  for (let round = 0; round < rounds; round += 1) values.push(await once());
  return values;
}
