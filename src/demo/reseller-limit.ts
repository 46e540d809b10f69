import type { SimulatedCall } from '../simulator/inbound-call.ts';
import type { AccountPath, LegUuid } from '../units/ids.ts';
import { formatMicros, type Micros } from '../units/money.ts';
import { hasEnded, placeCall, talkedMs } from './carrier.ts';
import { claim, type Claim } from './claims.ts';
import { table } from './layout.ts';
import { chargedTo, recordedCalls } from './record.ts';
import { SAMPLE_MS, type Scene } from './scene.ts';
import type { Screen } from './screen.ts';
import type { Stage } from './stage.ts';
import { CLIENT, RESELLER } from './tenants.ts';
import { showTollgate } from './tollgate-command.ts';
import { pause, until } from './waiting.ts';

export const RESELLER_LIMIT: Scene = {
  title: "A reseller's limit refuses the client's call",
  tells: `"${CLIENT.account}" may have ${CLIENT.calls} calls at once, but "${RESELLER.account}" above it only ${RESELLER.calls}, and the tightest limit of the chain holds. Three of its extensions call; then one hangs up and the third tries again. Client and reseller pay for each call, each by its own tariff.`,
  async play(stage, screen) {
    const extensions: Dialled[] = [];
    const use = (): Promise<readonly unknown[]> => stage.live.calls(RESELLER.account as AccountPath);
    const watching = watchUse(stage, screen, extensions);
    const dial = (extension: string, to: string, talksMs?: number): SimulatedCall => {
      const call = placeCall(stage.sim, {
        account: `${CLIENT.account}/${extension}`,
        from: extension,
        to,
        ringsMs: 300,
        ...(talksMs === undefined ? {} : { talksMs }),
      });
      extensions.push({ extension, call });
      return call;
    };
    const answered = (call: SimulatedCall): Promise<unknown> =>
      until(
        'a call is answered',
        () => call.truth?.answeredMicros,
        (at) => at !== undefined,
      );

    const first = dial('101', '49304101');
    const second = dial('102', '49304102');
    await Promise.all([answered(first), answered(second)]);
    await pause(700);
    const refused = dial('103', '49304103');
    await until('the third call is refused', () => hasEnded(refused), Boolean);
    await pause(700);
    first.hangup();
    await until('the first call ends', () => hasEnded(first), Boolean);
    await until('its place is free', use, (calls) => calls.length < RESELLER.calls);
    const again = dial('103', '49304104', 1_500);
    await answered(again);
    await pause(700);
    second.hangup();
    await until('the last call ends', () => [second, again].every(hasEnded), Boolean);
    await until('all places are free', use, (calls) => calls.length === 0);
    const mostInUse = await watching.stop();

    const explained = await explain(stage, screen, refused);
    const recorded = await recordedCalls(stage.database, RESELLER.account, 3);
    return judgeResellerLimit({
      sipStatus: refused.truth?.sipStatus,
      limit: refused.truth?.variable('tollgate_limit'),
      limitedAccount: refused.truth?.variable('tollgate_account_limited'),
      explained,
      mostInUse,
      secondTryAnswered: again.truth?.answeredMicros !== undefined,
      calls: recorded.length,
      paidByClient: chargedTo(CLIENT.account, recorded),
      paidByReseller: chargedTo(RESELLER.account, recorded),
    });
  },
};

type Dialled = { readonly extension: string; readonly call: SimulatedCall };

/** Shows the extensions until it is stopped; then gives the most calls there ever were at once. */
function watchUse(stage: Stage, screen: Screen, dialled: readonly Dialled[]): { stop(): Promise<number> } {
  const stopping = new AbortController();
  let mostInUse = 0;
  const watch = async (): Promise<void> => {
    for (;;) {
      // The last look is taken after everything has ended.
      const isLast = stopping.signal.aborted;
      const live = await stage.live.calls(RESELLER.account as AccountPath);
      mostInUse = Math.max(mostInUse, live.length);
      const use = `${RESELLER.account}: ${live.length} of ${RESELLER.calls} calls`;
      screen.show({
        lines: [use, ...table(dialled.map(({ extension, call }) => [`  ${extension}`, stateOf(call)]))],
        progress: `${use}; ${dialled.map(({ extension, call }) => `${extension} ${stateOf(call)}`).join(', ')}`,
      });
      if (isLast) break;
      await pause(SAMPLE_MS);
    }
    screen.settle();
  };
  const watching = watch();
  // Its failure is the scene's, when the scene stops it; until then it must not go unheard.
  watching.catch(() => undefined);
  return {
    async stop() {
      stopping.abort();
      await watching;
      return mostInUse;
    },
  };
}

function stateOf(call: SimulatedCall): string {
  const { truth } = call;
  if (truth?.sipStatus !== undefined) return `refused: ${truth.sipStatus}`;
  const talked = `${(talkedMs(truth) / 1000).toFixed(1)} s`;
  if (hasEnded(call)) return `hung up after ${talked}`;
  return truth?.answeredMicros === undefined ? 'rings' : `talks ${talked}`;
}

async function explain(stage: Stage, screen: Screen, call: SimulatedCall): Promise<readonly string[]> {
  const uuid = call.uuid as LegUuid;
  const read = (): Promise<readonly unknown[]> => stage.database.records.decisionsOf(uuid);
  await until('the refusal is on record', read, (decisions) => decisions.length > 0);
  const { stdout } = await showTollgate(screen, stage.configFile, ['explain', uuid]);
  return stdout;
}

function namesLimit(line: string): boolean {
  return line.includes('refused') && line.includes(`${RESELLER.account} has`) && line.includes('calls');
}

export type ResellerLimitFacts = {
  readonly sipStatus: number | undefined;
  readonly limit: string | undefined;
  readonly limitedAccount: string | undefined;
  readonly explained: readonly string[];
  readonly mostInUse: number;
  readonly secondTryAnswered: boolean;
  readonly calls: number;
  readonly paidByClient: Micros;
  readonly paidByReseller: Micros;
};

export function judgeResellerLimit(facts: ResellerLimitFacts): readonly Claim[] {
  const { sipStatus, limit, limitedAccount, explained, mostInUse, paidByClient, paidByReseller } = facts;
  return [
    claim(
      'The refusal names the limit and whose it is',
      sipStatus === 503 && limit === 'calls' && limitedAccount === RESELLER.account,
      `SIP ${sipStatus ?? 'none'}, limit ${limit ?? 'unset'} of ${limitedAccount ?? 'nobody'}`,
    ),
    claim(
      'The stored decision says why',
      explained.some(namesLimit),
      explained.find(namesLimit)?.replace(/^.*: /, '') ?? 'it does not',
    ),
    claim(
      'Never more calls at once than the reseller may have',
      mostInUse > 0 && mostInUse <= RESELLER.calls,
      `${mostInUse} of ${RESELLER.calls}`,
    ),
    claim(
      'The place that was freed could be taken again',
      facts.secondTryAnswered,
      facts.secondTryAnswered ? 'the second try was answered' : 'the second try was not answered',
    ),
    claim(
      'Client and reseller paid, each by its own tariff',
      facts.calls === 3 && paidByClient > paidByReseller && paidByReseller > 0n,
      `${formatMicros(paidByClient)} at 1.00 and ${formatMicros(paidByReseller)} at 0.30 a minute`,
    ),
  ];
}
