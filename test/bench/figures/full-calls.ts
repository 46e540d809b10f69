import { useDialplan } from '../../service/stage.ts';
import { createCallStage, type CallStage } from '../call-stage.ts';
import { hottestFunctions } from '../cpu-profile.ts';
import { tapEvents } from '../event-tap.ts';
import type { Bench, Figure } from '../figure.ts';
import { doAll, pause } from '../load.ts';
import { redisCpuSeconds } from '../redis-meter.ts';
import { interleave } from '../rounds.ts';
import { atLeast, rowOf, type Row } from '../row.ts';
import { accountDocuments, DESTINATION } from '../sample-legs.ts';

const LEVELS = 4;
/** Enough to keep the service busy all the time, few enough that the simulator keeps up. */
const IN_FLIGHT = 100;
/** Until then the service's code is still being compiled. */
const WARM_UP_CALLS = 1_000;
/** A cold service is not met with a hundred calls at once. */
const FIRST_CALLS = 100;
const TAPPED_CALLS = 20;
const TALK_MS = 20;
const SETTLED_MS_MAX = 30_000;
const HOTTEST = 25;

export const fullCalls: Figure = {
  name: 'full-calls',
  title: 'full calls: event socket bytes in, admitted, answered, hung up, settled in SQL',
  needsRealRedis: true,
  async measure(bench) {
    return [...(await through(bench, 'park')), ...(await through(bench, 'socket'))];
  },
};

async function through(bench: Bench, gate: 'park' | 'socket'): Promise<readonly Row[]> {
  const stage = await createCallStage(bench);
  try {
    const documents = accountDocuments(LEVELS);
    for (const document of documents) await stage.account(document);
    const account = String(documents.at(-1)?.['account']);
    await stage.money(account, '1000000.00');
    await stage.start();
    useDialplan(stage.sim, gate, stage.service().socketPort);
    stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 0 });
    await runCalls(stage, account, FIRST_CALLS, 4);
    await runCalls(stage, account, WARM_UP_CALLS);
    const bodies = await tapEvents(stage.sim, () => runCalls(stage, account, TAPPED_CALLS));

    const count = bench.full ? 5_000 : 1_000;
    const found = await interleave(bench.full ? 5 : 3, {
      round: async () => ({
        parseMicros: parseCost(bodies, Math.ceil(count / TAPPED_CALLS)),
        spent: await serviceCost(stage, account, count),
      }),
    });
    const events = bodies.length / TAPPED_CALLS;
    const bytes = Math.round(Buffer.concat(bodies).length / TAPPED_CALLS);
    const baselineWhat = 'JSON.parse alone of the same events';
    const row = (source: Pick<Row, 'what' | 'unit'> & { readonly of: (spent: Spent) => number }): Row =>
      rowOf({
        what: `${source.what}, gate ${gate}`,
        unit: source.unit,
        measured: found.round.map(({ spent }) => source.of(spent)),
        baselineWhat,
        baseline: found.round.map(({ parseMicros }) =>
          source.unit === 'µs' ? parseMicros : 1e6 / parseMicros,
        ),
        ...(source.unit === 'µs'
          ? { note: `${events.toFixed(1)} events of ${bytes.toLocaleString('en')} bytes a call` }
          : { target: atLeast(1_000) }),
      });
    return [
      row({ what: 'calls a second of one Node core', unit: '/s', of: ({ nodeMicros }) => 1e6 / nodeMicros }),
      row({ what: 'Node CPU of a call', unit: 'µs', of: ({ nodeMicros }) => nodeMicros }),
      row({ what: 'Redis CPU of a call', unit: 'µs', of: ({ redisMicros }) => redisMicros }),
    ];
  } finally {
    await stage.close();
    if (bench.profileFolder !== undefined) {
      bench.say(`hottest functions of the service, gate ${gate}:`);
      for (const line of hottestFunctions(bench.profileFolder, HOTTEST)) bench.say(line);
    }
  }
}

/** µs of CPU a call, from its first byte until its row is in SQL. */
type Spent = { readonly nodeMicros: number; readonly redisMicros: number };

async function serviceCost(stage: CallStage, account: string, count: number): Promise<Spent> {
  const redisBefore = await redisCpuSeconds(stage.redis);
  const { cpuMicros: before } = await stage.service().figures();
  await runCalls(stage, account, count);
  const { cpuMicros: after } = await stage.service().figures();
  const redisMicros = ((await redisCpuSeconds(stage.redis)) - redisBefore) * 1e6;
  return { nodeMicros: (after - before) / count, redisMicros: redisMicros / count };
}

async function runCalls(
  stage: CallStage,
  account: string,
  count: number,
  inFlight = IN_FLIGHT,
): Promise<void> {
  const before = stage.settledCount();
  const { sim } = stage;
  await doAll(
    async () => {
      const call = sim.placeCall({
        from: '1001',
        to: DESTINATION,
        variables: { tollgate_account: account },
        hangsUpAfterAnswerMs: TALK_MS,
      });
      while (call.truth?.endedMicros === undefined) await pause(TALK_MS);
    },
    { count, inFlight },
  );
  await stage.settled(before + count, SETTLED_MS_MAX);
  sim.forgetEnded();
}

function parseCost(bodies: readonly Buffer[], times: number): number {
  const before = process.cpuUsage();
  let names = 0;
  for (let time = 0; time < times; time += 1) {
    for (const body of bodies) names += 'Event-Name' in (JSON.parse(body.toString('utf8')) as object) ? 1 : 0;
  }
  const { user, system } = process.cpuUsage(before);
  if (names !== times * bodies.length) throw new Error('every event has a name');
  return (user + system) / (times * TAPPED_CALLS);
}
