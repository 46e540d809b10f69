import { beforeEach, describe, expect, it } from 'vitest';
import type { LegRecord } from '../../src/admission/leg-record.ts';
import type { LegFacts } from '../../src/calls/switch-event.ts';
import { createLegBook, type LegBook } from '../../src/state/leg-book.ts';
import type { AccountPath, LegUuid, NodeId } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { factsOf, recordOf } from '../controller/legs.ts';
import { A_LEG, B_LEG } from '../controller/world.ts';

let book: LegBook;
beforeEach(() => {
  book = createLegBook();
});

const NOW = toEpochMs(1_000_000);
const open = (facts: Partial<LegFacts> = {}) => book.open(factsOf(facts), NOW);
const ACME = 'acme' as AccountPath;

describe('a leg book', () => {
  it('knows one leg to an id, with the latest facts of it', () => {
    const leg = open({ callerName: 'Alice' });
    expect(open({ callerName: 'Bob' })).toBe(leg);
    expect(leg.facts.callerName).toBe('Bob');
    expect(book.size()).toBe(1);
  });

  it('finds legs by who placed them, also where that is told late', () => {
    const placed = open({ uuid: B_LEG });
    expect(book.placedBy(A_LEG)).toEqual([]);
    open({ uuid: B_LEG, originator: A_LEG });
    expect(book.placedBy(A_LEG)).toEqual([placed]);
  });

  it('finds a leg by its key and by the wallets that pay for it, until it is metered no longer', () => {
    const leg = open({ uuid: B_LEG });
    const record = recordOf();
    book.attach(leg, record);
    expect(book.byKey(record.legKey)).toBe(leg);
    expect(book.byWallet(ACME)).toEqual([leg]);
    book.detach(leg);
    book.detach(leg);
    expect(leg.record).toBeUndefined();
    expect(book.byKey(record.legKey)).toBeUndefined();
    expect(book.byWallet(ACME)).toEqual([]);
  });

  it('gives the key to the leg that took its place, and leaves it there', () => {
    const [first, second] = [open({ uuid: B_LEG }), open({ uuid: 'b2' as LegUuid })];
    const record: LegRecord = recordOf();
    book.attach(first, record);
    book.attach(second, record);
    book.detach(first);
    expect(book.byKey(record.legKey)).toBe(second);
    expect(book.byWallet(ACME)).toEqual([second]);
  });

  it('lets a leg go on under another id, with what it is metered by', () => {
    const old = open({ uuid: B_LEG });
    old.phase = 'answered';
    book.attach(old, recordOf());
    const renamed = open({ uuid: 'b2' as LegUuid });
    book.rename(B_LEG, renamed);
    expect(book.leg(B_LEG)).toBeUndefined();
    expect(renamed).toMatchObject({ phase: 'answered', record: { legKey: recordOf().legKey } });
    expect(book.byKey(recordOf().legKey)).toBe(renamed);
    expect(book.byWallet(ACME)).toEqual([renamed]);
  });

  it('takes a rename of itself, or of a leg it never knew, for nothing', () => {
    const leg = open();
    book.rename(A_LEG, leg);
    book.rename('never' as LegUuid, leg);
    expect(book.leg(A_LEG)).toBe(leg);
  });

  it('remembers what ended for two minutes, and then nothing of it', () => {
    const leg = open({ uuid: B_LEG, originator: A_LEG });
    book.attach(leg, recordOf());
    leg.phase = 'gone';
    book.prune(toEpochMs(NOW + 120_000));
    expect(book.leg(B_LEG)).toBe(leg);
    book.prune(toEpochMs(NOW + 120_001));
    expect(book.size()).toBe(0);
    expect(book.placedBy(A_LEG)).toEqual([]);
    expect(book.byKey(recordOf().legKey)).toBeUndefined();
    expect(book.byWallet(ACME)).toEqual([]);
  });

  it('never forgets a leg that has not ended', () => {
    for (const phase of ['unknown', 'ringing', 'answered', 'going'] as const) {
      open({ uuid: phase as unknown as LegUuid }).phase = phase;
    }
    book.prune(toEpochMs(NOW + 1e9));
    expect(book.size()).toBe(4);
    expect(book.live().map(({ phase }) => phase)).toEqual(['answered']);
  });

  it('knows the legs of each node', () => {
    const here = open();
    open({ uuid: B_LEG, node: 'fs2' as NodeId });
    expect(book.ofNode(here.facts.node)).toEqual([here]);
  });
});
