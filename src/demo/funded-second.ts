import { formatMicros, type Micros } from '../units/money.ts';
import { cutLateMs, placeCall } from './carrier.ts';
import { claim, lateness, type Claim } from './claims.ts';
import { balanceOf, chargedTo, money, recordedCalls, type ChargedCall } from './record.ts';
import { EARLY_MS_MAX, latenessBounds, type Scene } from './scene.ts';
import { watchTalk } from './talk-clock.ts';
import { BOB } from './tenants.ts';

const PAID_SECONDS = 5;

export const FUNDED_SECOND: Scene = {
  title: 'Cut at the funded second, beside the wall clock',
  tells: `"${BOB.account}" has ${BOB.funds} and calls a number that costs a cent a second: money for five seconds, counted from the answer. Nobody hangs up; Tollgate does.`,
  async play(stage, screen) {
    const { account } = BOB;
    const call = placeCall(stage.sim, { account, from: '2001', to: '44202001', ringsMs: 600 });
    await watchTalk(stage, screen, { call, account, barSeconds: PAID_SECONDS }).ended;
    const [recorded] = await recordedCalls(stage.database, account, 1);
    return judgeFundedSecond({
      paidSeconds: PAID_SECONDS,
      promised: call.truth?.variable('tollgate_funded_seconds'),
      lateMs: recorded && cutLateMs(stage.sim.leg(recorded.cdr.legUuid), PAID_SECONDS),
      lateMsMax: latenessBounds(stage.redis.kind).one,
      funds: money(BOB.funds),
      charged: chargedTo(account, recorded === undefined ? [] : [recorded]),
      left: await balanceOf(stage.database, account),
      call: recorded,
    });
  },
};

export type FundedSecondFacts = {
  readonly paidSeconds: number;
  /** What the dialplan was told before the call went on. */
  readonly promised: string | undefined;
  readonly lateMs: number | undefined;
  readonly lateMsMax: number;
  readonly funds: Micros;
  readonly charged: Micros;
  readonly left: Micros;
  readonly call: ChargedCall | undefined;
};

export function judgeFundedSecond(facts: FundedSecondFacts): readonly Claim[] {
  const { paidSeconds, promised, lateMs, funds, charged, left } = facts;
  const cdr = facts.call?.cdr;
  return [
    claim(
      'The dialplan was told how long the call could last',
      promised === `${paidSeconds}`,
      `tollgate_funded_seconds=${promised ?? 'unset'}`,
    ),
    cutOnTime(paidSeconds, lateMs, facts.lateMsMax),
    claim(
      'Charged for what was paid, and the money is spent',
      charged === funds && left === 0n && cdr?.billedSeconds === paidSeconds,
      `${cdr?.billedSeconds ?? 0} s, ${formatMicros(charged)}; ${formatMicros(left)} is left`,
    ),
  ];
}

/** The claim that a hang-up arrived when the money ended. */
export function cutOnTime(paidSeconds: number, lateMs: number | undefined, lateMsMax: number): Claim {
  return claim(
    `FreeSWITCH got the hang-up at the end of second ${paidSeconds}`,
    lateMs !== undefined && lateMs >= -EARLY_MS_MAX && lateMs <= lateMsMax,
    lateMs === undefined
      ? 'it never did'
      : `${(paidSeconds + lateMs / 1000).toFixed(4)} s after the answer, ${lateness(lateMs)} (${lateMsMax} allowed)`,
  );
}
