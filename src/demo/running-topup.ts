import type { Transfer } from '../records/records.ts';
import { addMicros, formatMicros, type Micros } from '../units/money.ts';
import { cutLateMs, placeCall } from './carrier.ts';
import { claim, type Claim } from './claims.ts';
import { cutOnTime } from './funded-second.ts';
import { chargedTo, money, recordedCalls, transfersOf } from './record.ts';
import { latenessBounds, type Scene } from './scene.ts';
import type { Screen } from './screen.ts';
import type { Stage } from './stage.ts';
import { watchTalk } from './talk-clock.ts';
import { CAROL } from './tenants.ts';
import { showTollgate } from './tollgate-command.ts';
import { pause, until } from './waiting.ts';

const PAYMENT = 'PAYMENT-1';
const AMOUNT = '0.04';
const SECONDS_BEFORE = 8;
const SECONDS_AFTER = 12;

export const RUNNING_TOPUP: Scene = {
  title: 'A top-up that extends a running call',
  tells: `"${CAROL.account}" has ${CAROL.funds}, eight seconds at a cent each. While the call runs, ${AMOUNT} is paid in on the command line: the call goes on for four seconds more. The same payment sent again moves nothing.`,
  async play(stage, screen) {
    const { account } = CAROL;
    const call = placeCall(stage.sim, { account, from: '3001', to: '44203001', ringsMs: 400 });
    const clock = watchTalk(stage, screen, { call, account, barSeconds: SECONDS_AFTER });
    const paying = pay(stage, screen, clock.fundedSeconds);
    // Whichever fails first is told; the call's end is waited for in any case.
    const [funded] = await Promise.all([paying, clock.ended]);
    const [recorded] = await recordedCalls(stage.database, account, 1);
    return judgeRunningTopup({
      ...funded,
      lateMs: recorded && cutLateMs(stage.sim.leg(recorded.cdr.legUuid), SECONDS_AFTER),
      lateMsMax: latenessBounds(stage.redis.kind).one,
      charged: chargedTo(account, recorded === undefined ? [] : [recorded]),
      transfers: await transfersOf(stage.database, account),
    });
  },
};

type Funded = Pick<RunningTopupFacts, 'before' | 'after' | 'afterRepeat' | 'codes'>;

async function pay(stage: Stage, screen: Screen, fundedSeconds: () => number | undefined): Promise<Funded> {
  const before = await until('the call is answered', fundedSeconds, (seconds) => seconds !== undefined);
  await pause(1_000);
  const first = await topUp(stage, screen);
  await pause(200);
  const after = fundedSeconds();
  const second = await topUp(stage, screen);
  await pause(200);
  return { before, after, afterRepeat: fundedSeconds(), codes: [first, second] };
}

async function topUp(stage: Stage, screen: Screen): Promise<number> {
  const args = ['account', 'topup', CAROL.account, '--amount', AMOUNT, '--id', PAYMENT];
  const { code } = await showTollgate(screen, stage.configFile, args);
  return code;
}

export type RunningTopupFacts = {
  /** Funded seconds from the answer, as Redis had them. */
  readonly before: number | undefined;
  readonly after: number | undefined;
  readonly afterRepeat: number | undefined;
  readonly codes: readonly number[];
  readonly lateMs: number | undefined;
  readonly lateMsMax: number;
  readonly charged: Micros;
  readonly transfers: readonly Transfer[];
};

export function judgeRunningTopup(facts: RunningTopupFacts): readonly Claim[] {
  const { before, after, afterRepeat, codes, charged } = facts;
  const payments = facts.transfers.filter(({ id }) => id === `topup:${PAYMENT}`);
  return [
    claim(
      'The top-up moved the cut of the running call',
      before === SECONDS_BEFORE && after === SECONDS_AFTER,
      `from second ${before ?? '?'} to second ${after ?? '?'}`,
    ),
    claim(
      'The same payment sent again moved nothing',
      afterRepeat === after && payments.length === 1 && codes.every((code) => code === 0),
      `still second ${afterRepeat ?? '?'}; ${payments.length} transfer ${PAYMENT} in SQL`,
    ),
    cutOnTime(SECONDS_AFTER, facts.lateMs, facts.lateMsMax),
    claim(
      'Charged for all twelve seconds',
      charged === addMicros(money(CAROL.funds), money(AMOUNT)),
      formatMicros(charged),
    ),
  ];
}
