import { describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import type { FileRead, OpenLeg, Window } from '../../src/reconcile/switch-cdr-store.ts';
import type { PlacedCdr } from '../../src/reconcile/switch-cdr.ts';
import { EMPTY_TARIFF_BOOK } from '../../src/rating/tariff-book.ts';
import { correctionOf } from '../../src/reconcile/correction.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { account, settlementOf } from '../records/samples.ts';
import { placed, switchLeg, uuid } from '../reconcile/samples.ts';
import { DATABASES } from './databases.ts';

const ALWAYS: Window = { from: toEpochMs(0), to: toEpochMs(1e14), account: undefined };

function fileRead(path: string, changes: Partial<FileRead> = {}): FileRead {
  return {
    path,
    way: 'json',
    size: 10,
    modifiedAt: toEpochMs(1),
    bytes: 10,
    lines: 1,
    fingerprint: '',
    legs: 1,
    faults: 0,
    ...changes,
  };
}

async function add({ switchCdrs }: Database, ...legs: readonly PlacedCdr[]): Promise<readonly string[]> {
  return (await switchCdrs.add({ legs, files: [] })).map(({ kind }) => kind);
}

async function openOf({ switchCdrs }: Database, ...paths: readonly string[]): Promise<readonly OpenLeg[]> {
  return (await Array.fromAsync(switchCdrs.open(paths))).flat();
}

describe.each(DATABASES)("FreeSWITCH's own CDRs on $name", ({ openRecord, freshUrl, rowsOf, trip }) => {
  it('are given back as they were, once for each leg', async () => {
    const record = await openRecord();
    const whole = switchLeg('a', {
      originator: uuid('o'),
      bLeg: uuid('b'),
      placedLegs: [uuid('p'), uuid('q')],
      loopback: true,
      gate: { callee: 'acme/bob', decision: 'soft', admittedDestination: '49' },
    });
    const bare = switchLeg('b', {
      coreUuid: undefined,
      switchName: undefined,
      direction: undefined,
      answeredAt: undefined,
      billMicroseconds: undefined,
      billsec: 0,
      gate: { account: undefined, routes: [] },
    });
    expect(await add(record, placed(whole), placed(bare, '/cdrs/Master.csv', 7))).toEqual(['new', 'new']);
    expect(await add(record, placed(whole), placed(bare, '/cdrs/1001.csv', 2))).toEqual([
      'completed',
      'again',
    ]);
    const open = await openOf(record, '/cdrs');
    expect(open.map(({ leg, place }) => ({ leg, place }))).toEqual([
      { leg: bare, place: { file: '/cdrs/Master.csv', line: 7 } },
      { leg: whole, place: { file: '/cdrs/a.cdr.json', line: 1 } },
    ]);
  });

  it('keep what says more of a leg, and what was first where two contradict each other', async () => {
    const record = await openRecord();
    const rough = switchLeg('a', { billMicroseconds: undefined, direction: undefined, coreUuid: undefined });
    expect(await add(record, placed(rough, '/c/Master.csv', 3))).toEqual(['new']);
    expect(await add(record, placed(switchLeg('a')))).toEqual(['completed']);
    expect(await add(record, placed(rough, '/c/Master.csv', 4))).toEqual(['again']);
    const other = placed(switchLeg('a', { billMicroseconds: 9_000_000, billsec: 9 }), '/c/b.json');
    expect((await record.switchCdrs.add({ legs: [other], files: [] }))[0]).toMatchObject({
      kind: 'contradicted',
      known: { place: { file: '/cdrs/a.cdr.json' } },
    });
    const both = [placed(switchLeg('x'), '/c/1'), placed(switchLeg('x', { answeredAt: undefined }), '/c/2')];
    expect(await add(record, ...both)).toEqual(['new', 'contradicted']);
  });

  it('say how far files were read, with their legs or not at all', async () => {
    const url = await freshUrl();
    const record = await openRecord(url);
    const { switchCdrs } = record;
    const files = [fileRead('/c/a'), fileRead('/c/a', { bytes: 20, lines: 2 }), fileRead('/c/b')];
    await switchCdrs.add({ legs: [placed(switchLeg('a'))], files });
    expect(await switchCdrs.filesRead(['/c/a', '/c/b', '/c/c'])).toEqual(
      new Map([
        ['/c/a', files[1]],
        ['/c/b', files[2]],
      ]),
    );
    const release = await trip(url, 'switch_file', `new.path = '/c/c'`);
    await expect(
      switchCdrs.add({ legs: [placed(switchLeg('b'))], files: [fileRead('/c/c')] }),
    ).rejects.toThrow('tripped');
    await release();
    expect(await rowsOf(url, 'switch_cdr')).toBe(1);
  });

  it('are open until they are closed, in the files and folders that are asked for', async () => {
    const record = await openRecord();
    const legs = Array.from({ length: 1_100 }, (_, number) =>
      placed(switchLeg(`l${number}`), `/c/d/${number}.json`),
    );
    await add(record, ...legs, placed(switchLeg('x'), '/c/d.json'), placed(switchLeg('y'), '/c/dd/1.json'));
    expect(await openOf(record, '/c/d')).toHaveLength(1_100);
    expect(await openOf(record, '/c/d.json', '/c/d/7.json')).toHaveLength(2);
    await record.switchCdrs.close(legs.slice(0, 1_099).map(({ leg }) => leg.uuid));
    expect((await openOf(record, '/c/d')).map(({ leg }) => leg.uuid)).toEqual(['l1099']);
    expect(await record.switchCdrs.countOf(ALWAYS)).toBe(1_102);
    // Said again, and in more words, it is looked at again.
    expect(await add(record, placed(switchLeg('l1'), '/c/d/1.json'))).toEqual(['completed']);
    expect(await openOf(record, '/c/d')).toHaveLength(2);
  });

  it('come with the legs around them, through loopback pairs', async () => {
    const record = await openRecord();
    const a = switchLeg('a', { direction: 'inbound' });
    const loopA = switchLeg('la', { originator: uuid('a'), loopback: true });
    const loopB = switchLeg('lb', { originator: uuid('a'), loopback: true, direction: 'inbound' });
    const b = switchLeg('b', { originator: uuid('lb') });
    const c = switchLeg('c', { originator: uuid('a') });
    await add(record, ...[a, loopA, loopB, b, c].map((leg) => placed(leg, `/c/${leg.uuid}`)));
    await record.records.writeBatch({ settlements: [settlementOf({ leg: 'c' })], decisions: [] });
    const around = new Map((await openOf(record, '/c')).map((open) => [open.leg.uuid, open]));
    expect(
      around
        .get(a.uuid)
        ?.around.placed.map((leg) => leg.uuid)
        .toSorted(),
    ).toEqual(['b', 'c']);
    expect(around.get(b.uuid)?.around).toMatchObject({ placer: { uuid: 'a' }, unseen: false });
    expect(
      around
        .get(b.uuid)
        ?.around.siblings.map((leg) => leg.uuid)
        .toSorted(),
    ).toEqual(['b', 'c']);
    expect([...(around.get(a.uuid)?.around.charged ?? [])]).toEqual(['c']);
    expect(around.get(c.uuid)?.cdr?.legUuid).toBe('c');
  });

  it('are held against ours by uuid, in a time and of an account', async () => {
    const record = await openRecord();
    const settlements = Array.from({ length: 1_100 }, (_, number) => settlementOf({ leg: `l${number}` }));
    const [first] = settlements;
    if (first === undefined) throw new Error('no settlement');
    await record.records.writeBatch({ settlements, decisions: [] });
    const at = first.cdr.admittedAt;
    const own = switchLeg('l7', { startedAt: at, endedAt: toEpochMs(at + 99_000) });
    await add(record, placed(own), placed(switchLeg('other', { startedAt: at }), '/c/o.json'));
    const window = { from: at, to: toEpochMs(at + 1), account: undefined };
    const ours = (await Array.fromAsync(record.switchCdrs.ours(window))).flat();
    expect(ours).toHaveLength(1_100);
    expect(ours.find(({ cdr }) => cdr.legUuid === 'l7')).toMatchObject({
      charges: [{ legUuid: 'l7' }],
      transfers: [{ reference: 'l7' }],
      theirs: { leg: { uuid: 'l7' } },
    });
    const theirs = (await Array.fromAsync(record.switchCdrs.theirs(window))).flat();
    expect(theirs.map(({ leg }) => leg.uuid)).toEqual(['other']);
    const after = { ...window, from: toEpochMs(at + 1), to: toEpochMs(at + 2) };
    expect((await Array.fromAsync(record.switchCdrs.ours(after))).flat()).toEqual([]);
    const ofNobody = { ...window, account: account('acme/carol') };
    expect((await Array.fromAsync(record.switchCdrs.ours(ofNobody))).flat()).toEqual([]);
    const ofRoot = { ...window, account: account('acme') };
    expect((await Array.fromAsync(record.switchCdrs.ours(ofRoot))).flat()).toHaveLength(1_100);
  });
});

describe.each(DATABASES)('a correction on $name', ({ openRecord, freshUrl, rowsOf, trip }) => {
  it('replaces a guess once, whole or not at all, and keeps what was', async () => {
    const url = await freshUrl();
    const record = await openRecord(url);
    const settlement = settlementOf({ leg: 'a', cdr: { estimated: true } });
    await record.records.writeBatch({ settlements: [settlement], decisions: [] });
    const exact = placed(switchLeg('a', { billMicroseconds: 200_000_000, billsec: 200 }));
    const books = {
      accounts: { node: () => undefined, route: () => undefined, customer: () => undefined },
      tariffs: EMPTY_TARIFF_BOOK,
      policy: {
        unrated: 'refuse',
        unratedInbound: 'allow',
        unfunded: 'allow',
        customerCurrency: 'EUR',
      },
    } as const;
    const rules = { now: toEpochMs(1e12), seconds: 'up', books } as const;
    const correction = correctionOf(settlement.cdr, settlement.charges, exact, rules);
    const release = await trip(url, 'outbox');
    await expect(record.switchCdrs.correct(correction)).rejects.toThrow('tripped');
    await release();
    expect(await record.records.cdr(uuid('a'))).toEqual(settlement.cdr);
    expect(await rowsOf(url, 'transfer')).toBe(1);

    expect(await record.switchCdrs.correct(correction)).toBe('corrected');
    expect(await record.switchCdrs.correct(correction)).toBe('stale');
    expect(await record.records.cdr(uuid('a'))).toEqual({ ...correction.after });
    const charges = await record.records.chargesOf(uuid('a'));
    expect(charges).toEqual([...settlement.charges, ...correction.charges]);
    // 61 s were two minutes at 0.10, and 200 s are four.
    expect(await record.records.balance('wallet:acme/alice', 'EUR')).toBe(-400_000n);
    expect(await Array.fromAsync(record.records.untold(undefined))).toEqual(correction.movements);
    expect(await record.records.decisionsOf(uuid('a'))).toMatchObject([{ id: 'a:correction' }]);
  });
});

describe.each(DATABASES)('transfers without a charge on $name', ({ openRecord, freshUrl, meddle }) => {
  it('are found in the revenue of their root', async () => {
    const url = await freshUrl();
    const record = await openRecord(url);
    const unset = {
      operator: {},
      customer: {},
      tariffs: [],
      defaults: undefined,
      numbering: undefined,
    };
    await record.accounts.saveAccount({ ...unset, path: account('acme'), walletCurrency: undefined });
    const settlements = ['a', 'b'].map((leg) => settlementOf({ leg }));
    await record.records.writeBatch({ settlements, decisions: [] });
    expect(await Array.fromAsync(record.switchCdrs.strayTransfers(ALWAYS))).toEqual([]);
    await meddle(url, `delete from charge where leg_uuid = 'a'`);
    const stray = (await Array.fromAsync(record.switchCdrs.strayTransfers(ALWAYS))).flat();
    expect(stray).toEqual(settlements[0]?.transfers);
  });
});
