import type { LiveCall } from '../command-line/live-state.ts';
import type { SimulatedCall } from '../simulator/inbound-call.ts';
import type { AccountPath } from '../units/ids.ts';
import { formatMicros } from '../units/money.ts';
import { carrierLeg, hasEnded, nowMicros, talkedMs } from './carrier.ts';
import { bar } from './layout.ts';
import { SAMPLE_MS } from './scene.ts';
import type { Screen, View } from './screen.ts';
import type { Stage } from './stage.ts';
import { pause } from './waiting.ts';

/** One call with a clock beside it: what the second and the third scene look at. */
export type TalkClock = {
  /** How long after its answer the call may last on what there is now, by Redis; undefined before the answer. */
  readonly fundedSeconds: () => number | undefined;
  /** Ends when the call has ended. */
  readonly ended: Promise<void>;
};

const ENDS_WITHIN_MS = 40_000;
const BAR_WIDTH = 54;

export function watchTalk(
  stage: Stage,
  screen: Screen,
  of: { readonly call: SimulatedCall; readonly account: string; readonly barSeconds: number },
): TalkClock {
  let funded: number | undefined;

  const watch = async (): Promise<void> => {
    const giveUpAt = performance.now() + ENDS_WITHIN_MS;
    while (!hasEnded(of.call)) {
      const [live] = await stage.live.calls(of.account as AccountPath);
      funded = fundedSecondsOf(live) ?? funded;
      const leg = carrierLeg(stage.sim, of.call);
      screen.show(clockView({ live, funded, talkedMs: talkedMs(leg), barSeconds: of.barSeconds }));
      if (performance.now() > giveUpAt) throw new Error('the call does not end');
      await pause(SAMPLE_MS);
    }
    const leg = carrierLeg(stage.sim, of.call);
    screen.show(clockView({ live: undefined, funded, talkedMs: talkedMs(leg), barSeconds: of.barSeconds }));
    screen.settle();
  };
  return { fundedSeconds: () => funded, ended: watch() };
}

function fundedSecondsOf(live: LiveCall | undefined): number | undefined {
  if (live?.answeredAt === undefined || live.cutoffAt === undefined) return undefined;
  return (live.cutoffAt - live.answeredAt) / 1000;
}

export function clockView(of: {
  readonly live: Pick<LiveCall, 'committed'> | undefined;
  readonly funded: number | undefined;
  readonly talkedMs: number;
  readonly barSeconds: number;
}): View {
  const wall = new Date(nowMicros() / 1000).toISOString().slice(11, 23);
  const talked = `${(of.talkedMs / 1000).toFixed(3)} s`;
  const funded = of.funded === undefined ? 'not answered yet' : `${of.funded.toFixed(3)} s`;
  const idle = of.funded === undefined ? 'dialling' : 'ended';
  const amounts = of.live?.committed.map(({ amount }) => formatMicros(amount)) ?? [];
  const committed = amounts.length === 0 ? idle : `committed ${amounts.join(' + ')}`;
  const talkedShare = of.talkedMs / 1000 / of.barSeconds;
  const fundedShare = (of.funded ?? 0) / of.barSeconds;
  const line = `wall clock ${wall}   talked ${talked.padStart(8)}   funded ${funded.padStart(8)}`;
  return {
    lines: [
      line,
      `${bar(
        [
          { mark: '█', share: talkedShare },
          { mark: '▒', share: fundedShare - talkedShare },
        ],
        BAR_WIDTH,
      )}  ${committed}`,
    ],
    progress: `talked ${talked.padStart(8)}   funded ${funded.padStart(8)}   ${committed}`,
  };
}
