import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import type { DialplanView } from '../../src/simulator/core.ts';
import type { Action } from '../../src/simulator/leg.ts';
import type { CallRequest } from '../../src/simulator/inbound-call.ts';
import type { RecordReader } from '../../src/records/record-store.ts';
import type { AccountPath } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { allEnded, useGates } from './acts.ts';
import { writeCdrs } from './simulated-cdrs.ts';
import { createStageCli } from './stage-cli.ts';
import { createStage, eventually, type Stage } from './stage.ts';

const TARIFF =
  'prefix,rate,surcharge,minimum,increment,direction\n49,1.00,0.05,1,1,outbound\n49,0.30,,1,1,inbound\n';
const ACCOUNTS = ['acme', 'acme/alice', 'acme/bob'];
const ALWAYS = ['--from', '2000-01-01', '--to', '2100-01-01'];

let stage: Stage;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-gated-'));
  await freshRedis();
  stage = await createStage(redisUrl());
  await stage.tariff('standard', TARIFF);
  await stage.account({ account: 'acme', wallet: 'EUR', tariff: 'standard' });
  await stage.account({ account: 'acme/alice', wallet: 'EUR', tariff: 'standard' });
  await stage.account({ account: 'acme/bob' });
});

afterEach(async () => {
  await stage.close();
  rmSync(folder, { recursive: true, force: true });
});

const alice = { tollgate_account: 'acme/alice', tollgate_route: 'pstn' };
const fork = [
  { dial: 'sofia/gateway/pstn/4930777', route: 'pstn', destination: '4930777' },
  { dial: 'sofia/gateway/other/4930888', route: 'other', destination: '4930888' },
];

/** One of each kind, each of them talking for another time. */
const CALLS: readonly Partial<CallRequest>[] = [
  { to: '4930123', variables: alice },
  { to: '4989111', variables: { tollgate_callee: 'acme/alice', tollgate_route: 'trunk' } },
  { to: '1002', variables: { tollgate_account: 'acme/alice', tollgate_callee: 'acme/bob' } },
  { to: '4930666', variables: alice },
  { to: '4930123', variables: { ...alice, tollgate_destination: '4930999' } },
  { to: '4930555', variables: { ...alice, tollgate_bridge: JSON.stringify(fork) } },
  { to: '4930444', variables: { ...alice, second: 'yes' } },
  { to: '4930123', variables: {} },
  { to: '112', variables: alice },
  { to: '4930123', variables: { accountcode: 'acme/bob', tollgate_route: 'pstn' } },
];

/** To the phone of an account of ours, or out; a second carrier where the first one is busy and that is wanted. */
function onward(call: DialplanView): readonly Action[] {
  const isIn = call.variable('tollgate_callee') !== undefined;
  const address = isIn ? 'user/phone' : `gateway/pstn/${call.destination}`;
  return [
    ['set', 'continue_on_fail=true'],
    ['set', 'hangup_after_bridge=true'],
    ['bridge', `sofia/${address}`],
    ...(call.variable('second') === undefined
      ? []
      : [['bridge', `sofia/gateway/other/${call.destination}`] as const]),
  ];
}

async function playCalls(gate: 'socket' | 'park'): Promise<void> {
  const { sim } = stage;
  const service = await stage.startController();
  for (const account of ['acme', 'acme/alice']) await stage.topUp(account, '100.00');
  sim.endpoint(/phone|pstn|other/, { kind: 'answers', afterMs: 40 });
  sim.endpoint(/pstn\/4930666/, { kind: 'rejects', cause: 'USER_BUSY', afterMs: 20 });
  sim.endpoint(/pstn\/(?:4930444|4930777)/, {
    kind: 'rejects',
    cause: 'NORMAL_TEMPORARY_FAILURE',
    afterMs: 20,
  });
  useGates(sim, gate, [service], onward);
  const calls = CALLS.map((call, n) =>
    sim.placeCall({
      from: `${1000 + n}`,
      to: '',
      ...call,
      hangsUpAfterAnswerMs: 300 + n * 150,
      hangsUpAfterMs: 4_000,
    }),
  );
  await allEnded(calls);
  await eventually(
    () => sim.legs().filter((leg) => leg.endedMicros === undefined).length,
    (up) => up === 0,
  );
  await service.controller.idle();
  await eventually(
    async () => (await (await stage.live()).unrecordedLegs()).size,
    (left) => left === 0,
  );
}

/** Who paid how much for which leg. */
async function paidIn(records: RecordReader): Promise<readonly string[]> {
  const page = await records.cdrs({
    account: 'acme' as AccountPath,
    scope: 'subtree',
    from: toEpochMs(0),
    to: toEpochMs(Number.MAX_SAFE_INTEGER),
    order: 'oldest_first',
    limit: 1000,
  });
  const paid: string[] = [];
  for (const { legUuid, account, direction, destination, routes, billedSeconds } of page.rows) {
    paid.push([legUuid, account, direction, destination, ...routes, billedSeconds].join(' '));
    for (const { payer, price, billedSeconds: seconds } of await records.chargesOf(legUuid)) {
      paid.push(`${legUuid} ${payer} ${price} ${seconds}`);
    }
  }
  return paid.toSorted();
}

describe.each(['socket', 'park'] as const)("FreeSWITCH's own CDRs of calls through the gate %s", (gate) => {
  it('agree with what was charged, and charge the same where nothing was heard of them', async () => {
    await playCalls(gate);
    writeCdrs(stage.sim, folder);
    const { ask } = createStageCli(stage);
    const imported = await ask('cdr', 'import', folder, '--apply');
    expect(imported).toMatchObject({
      code: 0,
      json: { settled: 0, faults: [], remaining: { chargeable: 0, differs: 0, undetermined: 0 } },
    });
    const reconciled = await ask('reconcile', ...ALWAYS);
    expect(reconciled).toMatchObject({ code: 0, json: { compared: true, amounts: [] } });
    expect(await stage.findings()).toEqual([]);
    const paid = await paidIn(stage.database.records);
    // An outbound, an inbound, two with another number or account, a fork, a second carrier: each by two payers but one.
    expect(paid.filter((line) => / acme\/alice \d+ \d+$/.test(line)).length).toBeGreaterThanOrEqual(5);

    // Another record, which knows the same accounts and tariffs, and heard of none of it.
    const elsewhere = join(folder, 'elsewhere.sqlite');
    const other = createStageCli(stage, {
      TOLLGATE_DATABASE_URL: elsewhere,
      TOLLGATE_REDIS_URL: 'redis://127.0.0.1:1',
    });
    const rates = join(folder, 'rates.txt');
    writeFileSync(rates, TARIFF);
    await other.run('tariff', 'import', 'standard', rates, '--currency', 'EUR');
    for (const account of ACCOUNTS) {
      const pays = account === 'acme/bob' ? [] : ['--wallet', 'EUR', '--tariff', 'standard'];
      await other.run('account', 'set', account, ...pays);
    }
    const { out } = await other.run('cdr', 'import', folder, '--apply');
    expect(out).toContain('charged now');
    const database = await openDatabase({ url: elsewhere });
    try {
      // Somebody in need is on record where he was counted, and nowhere charged.
      const charged = paid.filter((line) => !line.includes(' 112 '));
      expect(await paidIn(database.records)).toEqual(charged);
    } finally {
      await database.close();
    }
  });
});
