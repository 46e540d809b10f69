import type { Cdr } from '../../src/records/records.ts';
import { eventually, type Stage } from './stage.ts';
import { answerTogether, useGates } from './acts.ts';
import { startProcess } from './service-process.ts';

/** Many live metered calls whose money ends: how late, or early, is each told to end? */
export type CutoffScenario = {
  readonly calls: number;
  /** Each call on a wallet of its own, or all on one. */
  readonly wallets: 'own' | 'one';
  /** The answers, and with them the cutoffs, fall into a span of so many milliseconds; 0: one instant. */
  readonly spreadMs: number;
  /** What every call can pay for. */
  readonly fundedSeconds: number;
  readonly nodeArguments?: readonly string[];
};

export type CutoffFigures = {
  readonly calls: number;
  /** Hang-up command sent minus funded instant, as the controller measured it, in ms, ascending. */
  readonly lateMs: readonly number[];
  /** Hang-up command received by FreeSWITCH minus the end of the paid pulse, on FreeSWITCH's clock, ascending. */
  readonly receivedLateMs: readonly number[];
  /** Not cut for want of money, or charged another number of seconds than were funded. */
  readonly wrong: readonly string[];
};

const PER_SECOND = 'prefix,rate,minimum,increment\n49,0.60,1,1\n';
const MICROS_PER_SECOND = 10_000;
/** Places calls at a pace that a gate keeps up with. */
const PLACED_AT_ONCE = 20;
const PLACED_EVERY_MS = 100;

/** The controller runs in a process of its own, so that it does not share its event loop with FreeSWITCH. */
export async function measureCutoffs(stage: Stage, scenario: CutoffScenario): Promise<CutoffFigures> {
  const { calls: count, wallets, spreadMs, fundedSeconds } = scenario;
  await stage.tariff('second', PER_SECOND);
  const accounts = wallets === 'one' ? ['acme'] : Array.from({ length: count }, (_, n) => `acme/c${n}`);
  if (wallets === 'own') await stage.account({ account: 'acme' });
  for (const account of accounts) await stage.account({ account, wallet: 'EUR', tariff: 'second' });
  const legsEach = wallets === 'one' ? count : 1;
  const funds = `${(MICROS_PER_SECOND * fundedSeconds * legsEach) / 1_000_000}`;
  for (const account of accounts) await stage.topUp(account, funds);

  const service = await startProcess(stage.environment(), scenario.nodeArguments);
  try {
    useGates(stage.sim, 'socket', [service]);
    const placingMs = (count / PLACED_AT_ONCE) * PLACED_EVERY_MS;
    answerTogether(stage, count, spreadMs);
    const calls: { readonly uuid: string }[] = [];
    for (let n = 0; n < count; n += 1) {
      const account = accounts[n % accounts.length] ?? '';
      calls.push(
        stage.sim.placeCall({ from: '1001', to: '4930123', variables: { tollgate_account: account } }),
      );
      if (n % PLACED_AT_ONCE === PLACED_AT_ONCE - 1) {
        await new Promise((resolve) => setTimeout(resolve, PLACED_EVERY_MS));
      }
    }
    const withinMs = placingMs + spreadMs + (fundedSeconds + 30) * 1_000;
    const cdrs = await eventually(
      () => stage.cdrs('acme'),
      (rows) => rows.length >= count,
      withinMs,
    );
    return figuresOf(stage, scenario, cdrs, service.log);
  } finally {
    await service.stop();
  }
}

function figuresOf(
  stage: Stage,
  { calls, fundedSeconds }: CutoffScenario,
  cdrs: readonly Cdr[],
  log: readonly string[],
): CutoffFigures {
  const wrong = cdrs
    .filter(({ cut, billedSeconds }) => cut !== 'credit' || billedSeconds !== fundedSeconds)
    .map(({ legUuid, cut, cause, billedSeconds }) => `${legUuid} ${cut} ${cause} ${billedSeconds}`);
  const receivedLateMs = cdrs.flatMap(({ legUuid }) => {
    const leg = stage.sim.leg(legUuid);
    if (leg?.answeredMicros === undefined || leg.killReceivedMicros === undefined) return [];
    return [(leg.killReceivedMicros - leg.answeredMicros) / 1_000 - fundedSeconds * 1_000];
  });
  return { calls, lateMs: ascending(latenessIn(log)), receivedLateMs: ascending(receivedLateMs), wrong };
}

function latenessIn(log: readonly string[]): readonly number[] {
  return log.flatMap((line) => {
    const late = /"lateMs":(-?[\d.]+).*"msg":"call cut"/.exec(line)?.[1];
    return late === undefined ? [] : [Number(late)];
  });
}

function ascending(values: readonly number[]): readonly number[] {
  return values.toSorted((a, b) => a - b);
}
