import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { openThreadedWriter } from '../../src/database/threaded-writer.ts';
import type { Decision } from '../../src/records/records.ts';
import type { LegUuid } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';

let folder: string;
let url: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-thread-'));
  url = join(folder, 'record.sqlite');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const decision = (id: string): Decision => ({
  id,
  at: toEpochMs(1_800_000_000_000),
  kind: 'admission',
  verdict: 'admitted',
  aLeg: 'leg-1' as LegUuid,
  legUuid: undefined,
  account: undefined,
  reason: 'none',
  inputs: {},
});

it('writes what another connection then reads, and writes it once', async () => {
  const writer = await openThreadedWriter({ url });
  const batch = { settlements: [], decisions: [decision('one'), decision('two')] };
  expect((await writer.writeBatch(batch)).inserted.decisions).toBe(2);
  expect((await writer.writeBatch(batch)).already.decisions).toBe(2);
  const database = await openDatabase({ url });
  expect(await database.records.decisionsOf('leg-1' as LegUuid)).toHaveLength(2);
  await database.close();
  await writer.close();
  await writer.close();
});

it('names the record that no table can hold, and goes on', async () => {
  const writer = await openThreadedWriter({ url });
  const bad = { settlements: [], decisions: [decision('x'.repeat(100) + '\u0000')] };
  await expect(writer.writeBatch(bad)).rejects.toMatchObject({
    name: 'UnwritableRecordError',
    record: expect.stringContaining('decision'),
  });
  expect(
    (await writer.writeBatch({ settlements: [], decisions: [decision('good')] })).inserted.decisions,
  ).toBe(1);
  await writer.close();
});

it('says by the name of its error that the file cannot be opened', async () => {
  await expect(openThreadedWriter({ url: join(folder, 'missing', 'record.sqlite') })).rejects.toMatchObject({
    name: expect.stringMatching(/^Database/),
  });
});

it('fails what was asked of a writer that is closed', async () => {
  const writer = await openThreadedWriter({ url });
  await writer.writeBatch({ settlements: [], decisions: [] });
  const pending = writer.writeBatch({ settlements: [], decisions: [decision('late')] });
  await writer.close();
  // Either it was still written, or the caller is told; the stream keeps it in the second case.
  await pending.then(
    (outcome) => expect(outcome.inserted.decisions).toBe(1),
    (error: unknown) => expect(error).toMatchObject({ name: 'DatabaseThreadError' }),
  );
});
