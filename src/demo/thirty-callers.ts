import type { LiveWallet } from '../command-line/live-state.ts';
import type { SimulatedCall } from '../simulator/inbound-call.ts';
import type { AccountPath } from '../units/ids.ts';
import { addMicros, divCeil, formatMicros, subtractMicros, toMicros, type Micros } from '../units/money.ts';
import { cutLateMs, hasEnded, placeCall, talkedMs } from './carrier.ts';
import { claim, lateness, type Claim } from './claims.ts';
import { bar, grid } from './layout.ts';
import { balanceOf, money, recordedCalls, type ChargedCall } from './record.ts';
import { EARLY_MS_MAX, latenessBounds, SAMPLE_MS, type LatenessBounds, type Scene } from './scene.ts';
import type { View } from './screen.ts';
import type { Stage } from './stage.ts';
import { ACME } from './tenants.ts';
import { pause } from './waiting.ts';

const CALLERS = 30;
const ACCOUNT = ACME.account as AccountPath;
const FUNDS = money(ACME.funds);
const PER_MINUTE = money('1.00');
const SCENE_MS_MAX = 30_000;

export const THIRTY_CALLERS: Scene = {
  title: 'Thirty callers on one dollar',
  tells: `Thirty phones of "${ACCOUNT}" dial in the same instant. A minute costs 1.00, charged by the second, and there is 1.00 in all: sixty seconds of talk for thirty people. One more dials when all of it is promised.`,
  async play(stage, screen) {
    const calls = Array.from({ length: CALLERS }, (_, index) => placeCall(stage.sim, caller(index)));
    const watched = await watch(stage, calls, (view) => screen.show(view));
    screen.settle();
    const recorded = await recordedCalls(stage.database, ACCOUNT, CALLERS);
    const left = await balanceOf(stage.database, ACCOUNT);
    const latenessMs = recorded.map(
      ({ cdr }) => cutLateMs(stage.sim.leg(cdr.legUuid), cdr.billedSeconds) ?? Number.NaN,
    );
    return judgeThirtyCallers({
      funds: FUNDS,
      left,
      calls: recorded,
      dialled: CALLERS,
      lateCallerStatus: watched.lateCaller?.truth?.sipStatus,
      lowestAvailable: watched.lowestAvailable,
      samples: watched.samples,
      latenessMs,
      bounds: latenessBounds(stage.redis.kind),
    });
  },
};

function caller(index: number): Parameters<typeof placeCall>[1] {
  return {
    account: ACCOUNT,
    from: `${1001 + index}`,
    to: `4930${1001 + index}`,
    // Both gates carry half of them; the calls still come at once.
    gate: index % 2 === 0 ? 'socket' : 'park',
    // Phones are picked up one after the other, within a second and a half.
    ringsMs: 400 + ((index * 7) % CALLERS) * 50,
  };
}

type Watched = {
  readonly lowestAvailable: Micros;
  readonly samples: number;
  readonly lateCaller: SimulatedCall | undefined;
};

async function watch(
  stage: Stage,
  calls: readonly SimulatedCall[],
  show: (view: View) => void,
): Promise<Watched> {
  const startedAt = performance.now();
  let lowestAvailable = FUNDS;
  let samples = 0;
  let lateCaller: SimulatedCall | undefined;
  for (;;) {
    const wallet = await stage.live.wallet(ACCOUNT);
    const sinceMs = performance.now() - startedAt;
    if (wallet !== undefined) {
      samples += 1;
      if (wallet.available < lowestAvailable) lowestAvailable = wallet.available;
      if (wallet.available < pulse(1)) lateCaller ??= placeCall(stage.sim, caller(CALLERS));
      show(viewOf({ wallet, calls, lateCaller, lowestAvailable, sinceMs }));
    }
    const all = lateCaller === undefined ? calls : [...calls, lateCaller];
    const isOver = lateCaller !== undefined && all.every(hasEnded) && wallet?.legs === 0;
    if (isOver) return { lowestAvailable, samples, lateCaller };
    if (sinceMs > SCENE_MS_MAX) throw new Error('the thirty calls do not end');
    await pause(SAMPLE_MS);
  }
}

/** What the so-many-eth second of a call adds to its price. */
function pulse(second: number): Micros {
  const price = (seconds: number): bigint => divCeil(PER_MINUTE * BigInt(seconds), 60n);
  return toMicros(price(second) - price(second - 1));
}

function viewOf(of: {
  readonly wallet: LiveWallet;
  readonly calls: readonly SimulatedCall[];
  readonly lateCaller: SimulatedCall | undefined;
  readonly lowestAvailable: Micros;
  readonly sinceMs: number;
}): View {
  const { wallet, calls, lateCaller, lowestAvailable } = of;
  const charged = subtractMicros(FUNDS, wallet.balance);
  const talking = calls.filter((call) => call.truth?.answeredMicros !== undefined && !hasEnded(call)).length;
  const cut = calls.filter((call) => call.truth?.answeredMicros !== undefined && hasEnded(call)).length;
  const refused = [...calls, lateCaller].filter((call) => call?.truth?.sipStatus !== undefined).length;
  const shown = {
    charged: formatMicros(charged),
    committed: formatMicros(wallet.committed),
    available: formatMicros(wallet.available),
  };
  const since = `${(of.sinceMs / 1000).toFixed(1)} s`;
  const counts = `ringing ${calls.length - talking - cut}  talking ${talking}  cut ${cut}  refused ${refused}`;
  const shareOf = (amount: Micros): number => Number((amount * 1000n) / FUNDS) / 1000;
  return {
    lines: [
      `${since.padStart(6)}   ${counts}`,
      ...grid(calls.map(cellOf), 6, 13),
      bar(
        [
          { mark: '█', share: shareOf(charged) },
          { mark: '▒', share: shareOf(wallet.committed) },
        ],
        60,
      ),
      `█ charged ${shown.charged.padEnd(8)}  ▒ committed ${shown.committed.padEnd(8)}  · available ${shown.available}`,
      `lowest available so far: ${formatMicros(lowestAvailable)}`,
    ],
    progress: `${since.padStart(6)}  ${counts}  committed ${shown.committed}  available ${shown.available}`,
  };
}

function cellOf(call: SimulatedCall): string {
  const { truth } = call;
  const name = truth?.from ?? '';
  if (truth?.answeredMicros === undefined) return `${name} ${hasEnded(call) ? 'refused' : 'rings'}`;
  return `${name} ${(talkedMs(truth) / 1000).toFixed(1)} s${hasEnded(call) ? ' x' : ''}`;
}

export type ThirtyCallersFacts = {
  readonly funds: Micros;
  /** By the transfers in SQL, when all is over. */
  readonly left: Micros;
  readonly calls: readonly ChargedCall[];
  readonly dialled: number;
  readonly lateCallerStatus: number | undefined;
  readonly lowestAvailable: Micros;
  readonly samples: number;
  readonly latenessMs: readonly number[];
  readonly bounds: LatenessBounds;
};

export function judgeThirtyCallers(facts: ThirtyCallersFacts): readonly Claim[] {
  const { funds, left, calls, dialled, latenessMs, bounds } = facts;
  const cut = calls.filter(({ cdr }) => cdr.cut === 'credit').length;
  const charged = addMicros(...calls.flatMap(({ charges }) => charges.map(({ price }) => price)));
  const seconds = calls.map(({ cdr }) => cdr.billedSeconds);
  const nextPulses = seconds.map((billed) => pulse(billed + 1));
  const cheapest = nextPulses.toSorted((a, b) => (a < b ? -1 : 1))[0] ?? funds;
  const sorted = latenessMs.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const latest = sorted.at(-1) ?? Number.NaN;
  const isOnTime = (ms: number): boolean => ms >= -EARLY_MS_MAX && ms <= bounds.worst;
  const total = seconds.reduce((sum, each) => sum + each, 0);
  return [
    claim(
      'Every caller was admitted, and cut when the money was gone',
      calls.length === dialled && cut === dialled,
      `${cut} of ${dialled}`,
    ),
    claim(
      'Charged in all, and never more than there was',
      charged <= funds && funds - charged === left,
      `${formatMicros(charged)} of ${formatMicros(funds)} for ${total} seconds`,
    ),
    claim(
      'And no second less than there was money for',
      left < cheapest,
      `${formatMicros(left)} is left, the cheapest next one costs ${formatMicros(cheapest)}`,
    ),
    claim(
      'What was available never fell below zero',
      facts.samples > 0 && facts.lowestAvailable >= 0n,
      `${formatMicros(facts.lowestAvailable)} at the least, read ${facts.samples} times`,
    ),
    claim(
      'FreeSWITCH got each hang-up at the end of the last paid second',
      latenessMs.length === dialled && median <= bounds.median && latenessMs.every(isOnTime),
      `${lateness(median)} by the median (${bounds.median} allowed), ${lateness(latest)} at worst (${bounds.worst} allowed)`,
    ),
    claim(
      'The thirty-first was refused before it rang',
      facts.lateCallerStatus === 402,
      `SIP ${facts.lateCallerStatus ?? 'no answer'} Payment Required`,
    ),
  ];
}
