import type { SimulatedCall } from '../simulator/inbound-call.ts';
import type { AccountPath } from '../units/ids.ts';
import { formatMicros } from '../units/money.ts';
import { hasEnded, placeCall } from './carrier.ts';
import type { Screen } from './screen.ts';
import type { Stage } from './stage.ts';
import { ACME, CLIENT, RESELLER } from './tenants.ts';
import { runTollgate } from './tollgate-command.ts';
import { pause } from './waiting.ts';

const DIAL_EVERY_MS = 2_000;
const LOOK_EVERY_MS = 1_000;
const CALLS_KEPT_MAX = 200;
const PLAY_MONEY = '2.00';

/** Calls go on in the background, until the money does not; everything can be asked and changed from outside. */
export async function leaveRunning(stage: Stage, screen: Screen): Promise<never> {
  await runTollgate(stage.configFile, playMoney());
  screen.title('It is all still running. Ctrl-C ends it.');
  screen.tell(
    `Every two seconds somebody of "${ACME.account}" dials, at 0.60 a minute and with ${PLAY_MONEY} to spend, and now and then an extension of "${CLIENT.account}", whose reseller may have ${RESELLER.calls} calls. When the money is gone, calls are cut and refused until you top it up. In another terminal:`,
  );
  screen.print(['', ...waysIn(stage), '']);

  const placed: SimulatedCall[] = [];
  let number = 0;
  let dialAt = performance.now();
  for (;;) {
    if (performance.now() >= dialAt) {
      dialAt += DIAL_EVERY_MS;
      number += 1;
      placed.push(placeCall(stage.sim, nextCaller(number)));
      if (placed.length > CALLS_KEPT_MAX) placed.shift();
    }
    const wallet = await stage.live.wallet(ACME.account as AccountPath);
    const calls = await stage.live.calls(undefined);
    const refused = placed.filter((call) => call.truth?.sipStatus !== undefined).length;
    const over = placed.filter(hasEnded).length - refused;
    const available = wallet === undefined ? '?' : formatMicros(wallet.available);
    const line = `calls up ${calls.length}   placed ${number}   over ${over}   refused ${refused}   ${ACME.account} has ${available} available`;
    screen.show({ lines: [line], progress: line });
    await pause(LOOK_EVERY_MS);
  }
}

function playMoney(): readonly string[] {
  return ['account', 'topup', ACME.account, '--amount', PLAY_MONEY, '--id', 'PLAY-MONEY'];
}

function nextCaller(number: number): Parameters<typeof placeCall>[1] {
  const isClient = number % 4 === 0;
  const extension = 101 + ((number / 4) % 3);
  return {
    account: isClient ? `${CLIENT.account}/${extension}` : ACME.account,
    from: isClient ? `${extension}` : `${1001 + (number % 30)}`,
    to: `4420${5000 + (number % 1000)}`,
    gate: number % 2 === 0 ? 'park' : 'socket',
    ringsMs: 1_000 + ((number * 7) % 5) * 400,
    talksMs: 4_000 + ((number * 5) % 7) * 2_500,
  };
}

function waysIn(stage: Stage): readonly string[] {
  return [
    `export TOLLGATE_CONFIG=${stage.configFile}`,
    'npm run -s tollgate -- calls',
    `npm run -s tollgate -- account show ${ACME.account}`,
    `npm run -s tollgate -- account topup ${ACME.account} --amount 1.00 --id MINE-1`,
    `npm run -s tollgate -- account set ${RESELLER.account} --calls 1`,
    `npm run -s tollgate -- kill --account ${ACME.account}`,
    'npm run -s tollgate -- explain UUID       (one that "calls" has shown)',
    'npm run -s tollgate -- --help',
    `redis-cli -p ${new URL(stage.redis.url).port} --scan`,
    `curl -s ${stage.healthUrl}`,
    `tail -f ${stage.logFile}`,
  ];
}
