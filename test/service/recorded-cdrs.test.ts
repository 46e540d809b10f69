import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ACCOUNTS,
  asCdr,
  chargedLegs,
  FUNDS,
  legOf,
  openRecordedStage,
  priceOf,
  sortedByLeg,
  untilOver,
  type RecordedStage,
} from './recorded-stage.ts';
import { SCENARIOS, type Scenario } from './recorded-scenarios.ts';
import { readRecordedStream } from './recorded-switch.ts';
import { createStageCli } from './stage-cli.ts';
import { eventually, micros } from './stage.ts';

const RECORDINGS = fileURLToPath(new URL('../fixtures/transcripts/', import.meta.url));
/** The one that says less first: the other one then says the same in more words. */
const FORMATS = ['csv', 'json'] as const;
const NOTHING_OFF = {
  freeswitch_only: 0,
  tollgate_only: 0,
  duration_differs: 0,
  answer_differs: 0,
  charge_differs: 0,
  charge_missing: 0,
  charge_without_transfer: 0,
  transfer_without_charge: 0,
};

let recorded: RecordedStage;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-recorded-'));
});

afterEach(async () => {
  await recorded.close();
  rmSync(folder, { recursive: true, force: true });
});

function filesOf(number: string, format: string): readonly string[] {
  return readdirSync(RECORDINGS).filter(
    (name) => name.startsWith(`${number}-`) && name.endsWith(`.cdr.${format}`),
  );
}

/** A folder with the CDRs that FreeSWITCH wrote of a recording, in one of its formats. */
function folderOf({ number }: Pick<Scenario, 'number'>, format: string): string {
  for (const name of filesOf(number, format)) symlinkSync(join(RECORDINGS, name), join(folder, name));
  return folder;
}

const WITH_CDRS = SCENARIOS.filter(({ number }) => filesOf(number, 'json').length > 0);
const ALWAYS = ['--from', '2000-01-01', '--to', '2100-01-01'];
const SETTINGS = { TOLLGATE_FREESWITCH_ACCOUNT_VARIABLES: 'sip_from_user' };

/** The legs that the scenario charges, by account. */
function expectedCdrs({ number, pays }: Scenario): readonly object[] {
  const stream = readRecordedStream(number);
  return Object.entries(pays).flatMap(([account, starts]) =>
    starts.map((start) => asCdr(legOf(stream, start), account)),
  );
}

describe("FreeSWITCH's own CDRs of the recorded calls", () => {
  it.each(WITH_CDRS)(
    'agree to the last microsecond with what was charged live: $number, $title',
    async (scenario) => {
      const stream = readRecordedStream(scenario.number);
      recorded = await openRecordedStage(stream.coreUuid);
      const { stage, peer, service } = recorded;
      await peer.play(stream.pieces);
      await untilOver(service, stream);
      const charged = expectedCdrs(scenario).length;
      await eventually(
        () => chargedLegs(stage),
        (cdrs) => cdrs.length >= charged,
      );
      const { run, ask } = createStageCli(stage, SETTINGS);
      for (const format of FORMATS) {
        const imported = await ask(
          'cdr',
          'import',
          folderOf(scenario, format),
          '--format',
          format,
          '--apply',
        );
        expect(imported).toMatchObject({
          code: 0,
          json: {
            faults: [],
            settled: 0,
            confirmed: charged,
            remaining: { chargeable: 0, inexact: 0, differs: 0 },
          },
        });
        const reconciled = await ask('reconcile', ...ALWAYS);
        expect(reconciled).toMatchObject({ code: 0, json: { compared: true, found: NOTHING_OFF } });
      }
      expect((await run('cdr', 'import', folder)).out).toContain('0 read');
      expect(sortedByLeg(await chargedLegs(stage))).toEqual(sortedByLeg(expectedCdrs(scenario)));
      expect(await stage.findings()).toEqual([]);
    },
  );

  it.each(FORMATS)('in %s reconcile by themselves too, where they were read first of all', async (format) => {
    const scenario = { number: '07d', pays: { '1001': ['3a847ad6', '2a7773ab'] } };
    const stream = readRecordedStream(scenario.number);
    recorded = await openRecordedStage(stream.coreUuid);
    const { stage, peer, service } = recorded;
    const { ask } = createStageCli(stage, SETTINGS);
    await peer.play(stream.pieces);
    await untilOver(service, stream);
    await eventually(
      () => chargedLegs(stage),
      (cdrs) => cdrs.length === 2,
    );
    const reconciled = await ask('reconcile', ...ALWAYS, '--cdr', folderOf(scenario, format));
    expect(reconciled).toMatchObject({ code: 0, json: { compared: true, found: NOTHING_OFF, faults: [] } });
  });

  it.each(WITH_CDRS.filter(({ pays }) => Object.keys(pays).length > 0))(
    'charge what was never heard of as it would have been: $number, $title',
    async (scenario) => {
      const { number, pays } = scenario;
      const stream = readRecordedStream(number);
      recorded = await openRecordedStage(stream.coreUuid);
      const { stage } = recorded;
      const { ask } = createStageCli(stage, SETTINGS);
      const expected = expectedCdrs(scenario);
      const listed = await ask('cdr', 'import', folderOf(scenario, 'json'));
      expect(listed).toMatchObject({
        code: 0,
        json: { settled: 0, remaining: { chargeable: expected.length } },
      });
      expect(await chargedLegs(stage)).toEqual([]);
      for (const settled of [expected.length, 0]) {
        const applied = await ask('cdr', 'import', folder, '--apply');
        expect(applied).toMatchObject({
          code: 0,
          json: { settled, untold: 0, remaining: { chargeable: 0 } },
        });
        expect(sortedByLeg(await chargedLegs(stage))).toEqual(sortedByLeg(expected));
        for (const account of ACCOUNTS) {
          const legs = (pays[account] ?? []).map((start) => legOf(stream, start));
          const due = legs.reduce((sum, leg) => sum + priceOf(leg.billMicroseconds), 0n);
          expect(await stage.balance(account)).toBe(micros(FUNDS) - due);
          expect(await (await stage.live()).wallet(account)).toMatchObject({ balance: micros(FUNDS) - due });
        }
      }
      expect(await ask('reconcile', ...ALWAYS)).toMatchObject({ code: 0, json: { found: NOTHING_OFF } });
      expect(await stage.findings()).toEqual([]);
    },
  );
});
