import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TakenSlot } from '../../src/admission/leg-record.ts';
import { COUNTERS, type Counter, type Holder } from '../../src/admission/plan.ts';
import {
  backArguments,
  formatCounted,
  parseCounted,
  takeArguments,
} from '../../src/live-text/counted-text.ts';
import { chainOf, type AccountPath, type RouteName } from '../../src/units/ids.ts';

const ROOT = 'acme' as AccountPath;
const OUT: readonly Counter[] = ['calls', 'outboundCalls', 'publicCalls'];
const BOTH: readonly Counter[] = ['calls', 'inboundCalls', 'outboundCalls', 'internalCalls'];
const account = (path: string): Holder => ({ kind: 'account', path: path as AccountPath });
const chain = (path: string, counters: readonly Counter[]): TakenSlot['counted'] =>
  chainOf(path as AccountPath).map((each) => ({ holder: account(each), counters }));
const slotted = (counted: TakenSlot['counted']): TakenSlot => ({
  slot: { kind: 'root', root: ROOT },
  counted,
});

describe('where a leg is counted, as text', () => {
  it('tells a chain by its last account', () => {
    const text = formatCounted(slotted(chain('acme/retail/alice', OUT)));
    expect(text).toBe('acme/retail/alice^=calls,outbound,public');
  });

  it('names a root by itself, and who is counted otherwise with its own counters', () => {
    const number: Holder = { kind: 'number', path: ROOT, number: '4930' };
    const trunks: Holder = { kind: 'trunks', path: ROOT };
    const counted = [
      ...chain('acme', OUT),
      { holder: number, counters: ['calls'] },
      { holder: trunks, counters: ['inboundCalls'] },
    ] as const;
    const text = formatCounted(slotted(counted));
    expect(text).toBe('acme=calls,outbound,public;acme#4930=calls;acme#trunks=inbound');
  });

  it('says counters once for neighbours that share them, above of whom others are counted otherwise', () => {
    const counted = [
      { holder: account('acme'), counters: BOTH },
      { holder: account('acme/b'), counters: OUT },
      { holder: account('acme/b/c'), counters: OUT },
    ];
    const text = formatCounted(slotted(counted));
    expect(text).toBe('acme=calls,inbound,outbound,internal;acme/b;acme/b/c=calls,outbound,public');
  });

  it('knows the slot of a route, and of a leg that is counted nowhere', () => {
    const route = { kind: 'route', route: 'carrier' as RouteName } as const;
    const onRoute: TakenSlot = { slot: route, counted: [{ holder: route, counters: ['calls'] }] };
    expect(formatCounted(onRoute)).toBe('route carrier=calls');
    for (const taken of [onRoute, { slot: route, counted: [] }, slotted([])]) {
      expect(parseCounted(formatCounted(taken))).toEqual(taken);
    }
  });

  it('reads back what it wrote, whoever is counted how', () => {
    const segment = fc.constantFrom('b', 'c', 'd.e', 'f-1');
    const path = fc.array(segment, { maxLength: 4 }).map((below) => ['acme', ...below].join('/'));
    const holder = fc.oneof(
      path.map(account),
      path.map((each): Holder => ({ kind: 'trunks', path: each as AccountPath })),
      fc.tuple(path, fc.constantFrom('49', '4930123')).map(([each, number]): Holder => ({
        kind: 'number',
        path: each as AccountPath,
        number,
      })),
    );
    const counters = fc.oneof(fc.constant(OUT), fc.constant(BOTH), fc.shuffledSubarray([...COUNTERS]));
    const part = fc.oneof(
      fc.tuple(path, counters).map(([each, counts]) => chain(each, counts)),
      fc.tuple(holder, counters).map(([each, counts]) => [{ holder: each, counters: counts }]),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const taken = slotted(parts.flat());
        expect(parseCounted(formatCounted(taken))).toEqual(taken);
      }),
    );
  });

  it.each(['a b=calls', 'acme=calls;;', '#x=calls', '', 'route =calls'])('does not read "%s"', (text) => {
    expect(() => parseCounted(text)).toThrow('a leg is counted in');
  });
});

describe('the arguments of a script that counts', () => {
  it('tell once what is moved alike, and each bound by its counter', () => {
    const takes = takeArguments([
      { holder: account('acme'), counts: [{ counter: 'calls', bound: 5 }], perSecond: undefined },
      { holder: account('acme/b'), counts: [{ counter: 'calls', bound: undefined }], perSecond: 'counted' },
      {
        holder: account('acme/b/c'),
        counts: [
          { counter: 'calls', bound: 3 },
          { counter: 'internalCalls', bound: 2 },
        ],
        perSecond: 1,
      },
    ]);
    expect(takes).toEqual([3, 2, '100000', '1', 5, '7', -1, 1, '100001', '167', 3, 2, 1]);
    expect(backArguments(chain('acme/b', OUT))).toEqual([2, 2, '100110']);
    expect(backArguments([])).toEqual([0]);
  });
});
