import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Settlement } from '../../src/records/records.ts';
import { ZERO_MICROS } from '../../src/units/money.ts';
import {
  account,
  anyCdr,
  anyCharge,
  anyDecision,
  anyTransfer,
  cdrOf,
  chargeOf,
  leg,
  money,
  NOON,
  settlementOf,
  storable,
  topupOf,
  transfersFor,
} from '../records/samples.ts';
import { DATABASES } from './databases.ts';

const NOTHING = { cdrs: 0, charges: 0, transfers: 0, decisions: 0 };

describe.each(DATABASES)('a written record on $name', ({ openRecord }) => {
  it('has the live state told of the transfers that are new, and of no other', async () => {
    const { records } = await openRecord();
    const movementOf = (id: string) => ({
      id,
      account: account('acme'),
      currency: 'EUR',
      amount: money('-0.20'),
    });
    const first = settlementOf({ leg: 'a' });
    const second = settlementOf({ leg: 'b' });
    const movements = [first, second].flatMap(({ transfers }) => transfers.map(({ id }) => movementOf(id)));
    await records.writeBatch({ settlements: [first], decisions: [] });
    await records.writeBatch({ settlements: [first, second], movements, decisions: [] });
    await records.writeBatch({ settlements: [first, second], movements, decisions: [] });
    expect(await Array.fromAsync(records.untold(undefined))).toEqual([movements[1]]);
    await records.forgetTold(movements);
    expect(await Array.fromAsync(records.untold(undefined))).toEqual([]);
  });

  it('reads back as it was, whatever strangers put into it', async () => {
    const { records } = await openRecord();
    let run = 0;
    const anyRecords = fc.record({
      cdr: anyCdr('x'),
      charge: anyCharge('x'),
      transfer: anyTransfer('t'),
      decision: anyDecision('d'),
    });
    await fc.assert(
      fc.asyncProperty(anyRecords, async (drawn) => {
        run += 1;
        const cdr = { ...drawn.cdr, legUuid: leg(`x${run}`) };
        const charge = { ...drawn.charge, legUuid: leg(`x${run}`) };
        const transfer = { ...drawn.transfer, id: `t${run}` };
        const decision = { ...drawn.decision, id: `d${run}` };
        const batch = {
          settlements: [{ cdr, charges: [charge], transfers: [transfer] }],
          decisions: [decision],
        };
        const outcome = await records.writeBatch(batch);
        expect(outcome.inserted).toEqual({ cdrs: 1, charges: 1, transfers: 1, decisions: 1 });
        expect(await records.cdr(cdr.legUuid)).toEqual({
          ...cdr,
          coreUuid: storable(cdr.coreUuid),
          callerNumber: storable(cdr.callerNumber),
          dialled: storable(cdr.dialled),
          destination: storable(cdr.destination),
          cause: storable(cdr.cause),
        });
        expect(await records.chargesOf(cdr.legUuid)).toEqual([
          charge.way === 'per_minute' ? { ...charge, prefix: storable(charge.prefix) } : charge,
        ]);
        expect(await records.transfer(transfer.id)).toEqual({
          ...transfer,
          reference: storable(transfer.reference),
        });
        const decisions = await records.decisionsOf(decision.aLeg);
        expect(decisions.find((row) => row.id === decision.id)).toEqual({
          ...decision,
          reason: storable(decision.reason),
        });
        // What was mended on the way in is still the same record when it comes again.
        expect((await records.writeBatch(batch)).already).toEqual(outcome.inserted);
        expect(await records.insertTransfer(transfer)).toBe('already');
      }),
      { numRuns: 60 },
    );
  });
});

describe.each(DATABASES)('a batch on $name', ({ openRecord, openScratch, freshUrl, trip }) => {
  it('written twice counts once', async () => {
    const { records } = await openRecord();
    const batch = {
      settlements: [settlementOf({ leg: 'l1' }), settlementOf({ leg: 'l2' })],
      decisions: [],
    };
    const written = { cdrs: 2, charges: 2, transfers: 2, decisions: 0 };
    expect(await records.writeBatch(batch)).toEqual({ inserted: written, already: NOTHING, conflicts: [] });
    expect(await records.writeBatch(batch)).toEqual({ inserted: NOTHING, already: written, conflicts: [] });
    expect(await records.balance('wallet:acme/alice', 'EUR')).toBe(money('-0.40'));
  });

  it('that holds a record twice writes it once', async () => {
    const { records } = await openRecord();
    const settlement = settlementOf({ leg: 'l1' });
    const outcome = await records.writeBatch({ settlements: [settlement, settlement], decisions: [] });
    expect(outcome.inserted.transfers).toBe(1);
    expect(outcome.already.transfers).toBe(1);
  });

  it('overlapping others, in any order and cut, leaves each record once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat({ max: 7 }), { maxLength: 5 }), { minLength: 1, maxLength: 6 }),
        async (batches) => {
          const { records, close } = await openScratch();
          for (const numbers of batches) {
            const settlements = numbers.map((number) => settlementOf({ leg: `l${number}` }));
            const { inserted, already, conflicts } = await records.writeBatch({ settlements, decisions: [] });
            expect(inserted.cdrs + already.cdrs).toBe(numbers.length);
            expect(conflicts).toEqual([]);
          }
          const distinct = new Set(batches.flat()).size;
          expect(await records.counts()).toEqual({
            cdrs: distinct,
            charges: distinct,
            transfers: distinct,
            decisions: 0,
          });
          await close();
        },
      ),
      { numRuns: 25 },
    );
  });

  it('keeps what SQL has and reports what was offered instead', async () => {
    const { records } = await openRecord();
    const first = settlementOf({ leg: 'l1' });
    await records.writeBatch({ settlements: [first], decisions: [] });
    const other = settlementOf({
      leg: 'l1',
      cdr: { billedSeconds: 30, cause: 'ORIGINATOR_CANCEL' },
      charge: { billedSeconds: 30, chargedSeconds: 60, price: money('0.10') },
    });
    const outcome = await records.writeBatch({ settlements: [other], decisions: [] });
    expect(outcome.inserted).toEqual(NOTHING);
    expect(outcome.conflicts).toEqual([
      { kind: 'cdr', offered: other.cdr, kept: first.cdr },
      { kind: 'charge', offered: other.charges[0], kept: first.charges[0] },
      { kind: 'transfer', offered: other.transfers[0], kept: first.transfers[0] },
    ]);
    expect(await records.cdr(leg('l1'))).toEqual(first.cdr);
  });

  it("moves no money for a charge that SQL does not accept: a payer's part of a leg is settled once", async () => {
    const { records } = await openRecord();
    const free = settlementOf({ leg: 'l1', charge: { price: ZERO_MICROS } });
    await records.writeBatch({ settlements: [free], decisions: [] });
    const dear = settlementOf({ leg: 'l1' });
    const further = { ...chargeOf(leg('l1')), segment: 1 };
    const offered: Settlement = {
      cdr: dear.cdr,
      charges: [...dear.charges, further],
      transfers: [...dear.transfers, ...transfersFor(further)],
    };
    const outcome = await records.writeBatch({ settlements: [offered], decisions: [] });
    expect(outcome.inserted).toEqual(NOTHING);
    expect(outcome.conflicts.map((conflict) => [conflict.kind, conflict.kept])).toEqual([
      ['charge', free.charges[0]],
      ['charge', undefined],
      ['transfer', undefined],
      ['transfer', undefined],
    ]);
    expect(await records.balance('wallet:acme/alice', 'EUR')).toBe(ZERO_MICROS);
  });

  it('settles another payer and a later version of the same leg beside what stands', async () => {
    const { records } = await openRecord();
    await records.writeBatch({ settlements: [settlementOf({ leg: 'l1' })], decisions: [] });
    for (const charge of [{ payer: account('acme') }, { version: 2 }]) {
      const { inserted, conflicts } = await records.writeBatch({
        settlements: [settlementOf({ leg: 'l1', charge })],
        decisions: [],
      });
      expect(inserted).toEqual({ cdrs: 0, charges: 1, transfers: 1, decisions: 0 });
      expect(conflicts).toEqual([]);
    }
    expect(await records.chargesOf(leg('l1'))).toHaveLength(3);
  });

  it('of more rows than one statement takes is still one', async () => {
    const { records } = await openRecord();
    const settlements = Array.from({ length: 1_200 }, (_, number) => settlementOf({ leg: `l${number}` }));
    const { inserted } = await records.writeBatch({ settlements, decisions: [] });
    expect(inserted).toEqual({ cdrs: 1_200, charges: 1_200, transfers: 1_200, decisions: 0 });
  });

  it.each([
    ['an amount of zero', { amount: ZERO_MICROS }],
    ['the same ledger on both sides', { debit: 'wallet:acme/alice' as const }],
    ['an id that no table holds', { id: 'half\ud800' }],
  ])('with %s writes nothing and names the record', async (_, changes) => {
    const { records } = await openRecord();
    const bad = topupOf(changes);
    const settlements = [settlementOf({ leg: 'l1' }), { ...settlementOf({ leg: 'l2' }), transfers: [bad] }];
    await expect(records.writeBatch({ settlements, decisions: [] })).rejects.toMatchObject({
      name: 'UnwritableRecordError',
      record: `transfer ${bad.id}`,
    });
    expect(await records.counts()).toEqual(NOTHING);
  });

  it('with a number that is no whole one, or a charge of another leg, names its CDR', async () => {
    const { records } = await openRecord();
    const fraction = settlementOf({ leg: 'l1', cdr: { billedSeconds: 1.5 } });
    const stray: Settlement = { ...settlementOf({ leg: 'l1' }), charges: [chargeOf(leg('l2'))] };
    for (const settlement of [fraction, stray]) {
      await expect(records.writeBatch({ settlements: [settlement], decisions: [] })).rejects.toMatchObject({
        name: 'UnwritableRecordError',
        record: 'cdr l1',
      });
    }
  });

  it('that fails half way leaves nothing, and goes through when tried again', async () => {
    const url = await freshUrl();
    const { records } = await openRecord(url);
    const callOff = await trip(url, 'transfer');
    const batch = { settlements: [settlementOf({ leg: 'l1' })], decisions: [] };
    await expect(records.writeBatch(batch)).rejects.toThrow('tripped');
    expect(await records.counts()).toEqual(NOTHING);
    await callOff();
    expect((await records.writeBatch(batch)).inserted.cdrs).toBe(1);
  });

  it('survives the death of its writer once it has said so, and never in part', async () => {
    const url = await freshUrl();
    await (await openRecord(url)).close();
    const script = new URL('./dying-writer.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [script, url], { stdio: ['ignore', 'pipe', 'inherit'] });
    let acknowledged = -1;
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = Number(line);
      if (acknowledged === 20) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    const { records } = await openRecord(url);
    const counts = await records.counts();
    expect(acknowledged).toBeGreaterThanOrEqual(20);
    expect(counts.cdrs).toBeGreaterThanOrEqual((acknowledged + 1) * 3);
    expect(counts.cdrs % 3).toBe(0);
    expect(counts).toEqual({ ...counts, charges: counts.cdrs, transfers: counts.cdrs });
  });
});

describe.each(DATABASES)('a top-up on $name', ({ openRecord, freshUrl }) => {
  it('moves money once, and its id belongs to it for ever', async () => {
    const { records } = await openRecord();
    expect(await records.insertTransfer(topupOf({}))).toBe('inserted');
    expect(await records.insertTransfer(topupOf({}))).toBe('already');
    expect(await records.insertTransfer(topupOf({ amount: money('10.01') }))).toBe('conflict');
    expect(await records.insertTransfer(topupOf({ reference: 'invoice 8' }))).toBe('conflict');
    expect(await records.balance('wallet:acme/alice', 'EUR')).toBe(money('10.00'));
    expect(await records.balance('wallet:acme/alice', 'USD')).toBe(ZERO_MICROS);
  });

  it('by two processes at once is one', async () => {
    const url = await freshUrl();
    const [one, other] = [await openRecord(url), await openRecord(url)];
    const outcomes = await Promise.all(
      [one, other].map(({ records }) => records.insertTransfer(topupOf({}))),
    );
    expect(outcomes.toSorted()).toEqual(['already', 'inserted']);
  });
});

describe.each(DATABASES)('a decision on $name', ({ openRecord }) => {
  it('is found by any leg of its call, and stands as it was first written', async () => {
    const { records } = await openRecord();
    const aLeg = leg('a-l1');
    const admitted = {
      id: 'd1',
      at: NOON,
      kind: 'admission' as const,
      verdict: 'admitted' as const,
      aLeg,
      legUuid: undefined,
      account: account('acme/alice'),
      reason: '',
      inputs: { balance: money('10.00'), limits: { calls: 2 } },
    };
    const cut = {
      ...admitted,
      id: 'd2',
      kind: 'cutoff' as const,
      verdict: 'cut' as const,
      legUuid: leg('l1'),
    };
    const other = { ...admitted, id: 'd3', aLeg: leg('a-other') };
    await records.writeBatch({
      settlements: [settlementOf({ leg: 'l1' })],
      decisions: [admitted, cut, other],
    });
    expect(await records.decisionsOf(aLeg)).toEqual([admitted, cut]);
    expect(await records.decisionsOf(leg('l1'))).toEqual([admitted, cut]);
    const changed = await records.writeBatch({ settlements: [], decisions: [{ ...cut, reason: 'later' }] });
    expect(changed.already.decisions).toBe(1);
    expect((await records.decisionsOf(leg('l1')))[1]?.reason).toBe('');
    expect((await records.cdrsOfCall(aLeg)).map(({ legUuid }) => legUuid)).toEqual([cdrOf('l1').legUuid]);
  });
});
