import { describe, expect, it } from 'vitest';
import { openBackgroundWriter } from '../../src/database/background-writer.ts';
import { openDatabase } from '../../src/database/database.ts';
import { freePort } from '../../src/servers/free-port.ts';
import type { Decision } from '../../src/records/records.ts';
import { leg, NOON } from '../records/samples.ts';
import { DATABASES, temporaryFolder } from './databases.ts';

const decision = (id: string): Decision => ({
  id,
  at: NOON,
  kind: 'admission',
  verdict: 'admitted',
  aLeg: leg('leg-1'),
  legUuid: undefined,
  account: undefined,
  reason: 'none',
  inputs: {},
});

describe.each(DATABASES)('the writer of the streams on $name', ({ freshUrl, openRecord }) => {
  it('writes what another connection then reads, and writes it once', async () => {
    const url = await freshUrl();
    const writer = await openBackgroundWriter({ url });
    const batch = { settlements: [], decisions: [decision('one'), decision('two')] };
    expect((await writer.writeBatch(batch)).inserted.decisions).toBe(2);
    expect((await writer.writeBatch(batch)).already.decisions).toBe(2);
    const { records } = await openRecord(url);
    expect(await records.decisionsOf(leg('leg-1'))).toHaveLength(2);
    await writer.close();
    await writer.close();
  });

  it('names the record that no table can hold, and goes on', async () => {
    const writer = await openBackgroundWriter({ url: await freshUrl() });
    const bad = { settlements: [], decisions: [decision(`${'x'.repeat(100)}\u0000`)] };
    await expect(writer.writeBatch(bad)).rejects.toMatchObject({
      name: 'UnwritableRecordError',
      record: expect.stringContaining('decision'),
    });
    const good = { settlements: [], decisions: [decision('good')] };
    expect((await writer.writeBatch(good)).inserted.decisions).toBe(1);
    await writer.close();
  });

  it('has written what it was asked before its end, or says that it has not', async () => {
    const writer = await openBackgroundWriter({ url: await freshUrl() });
    await writer.writeBatch({ settlements: [], decisions: [] });
    const pending = writer.writeBatch({ settlements: [], decisions: [decision('late')] });
    const [outcome] = await Promise.allSettled([pending, writer.close()]);
    // The stream keeps it in the second case.
    const told = outcome.status === 'fulfilled' ? outcome.value.inserted.decisions : outcome.reason.name;
    expect(`${told}`).toMatch(/^(?:1|Database\w+Error)$/);
  });
});

it('says by the name of its error that the record cannot be opened', async () => {
  const nowhere = [
    `${temporaryFolder()}/missing/record.sqlite`,
    `postgres://tollgate@127.0.0.1:${await freePort()}/record`,
  ];
  for (const url of nowhere) {
    await expect(openBackgroundWriter({ url })).rejects.toMatchObject({
      name: expect.stringMatching(/^Database/),
    });
    await expect(openDatabase({ url })).rejects.toMatchObject({ name: expect.stringMatching(/^Database/) });
  }
});
