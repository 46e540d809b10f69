import type { TakenSlot } from '../admission/leg-record.ts';
import {
  COUNTERS,
  holderName,
  holderNamed,
  slotOf,
  type Counter,
  type Holder,
  type HolderTakes,
  type Slot,
} from '../admission/plan.ts';
import { assert } from '../units/assert.ts';
import { chainOf } from '../units/ids.ts';

/** Where a leg is counted, as the scripts read it and as `redis-cli` shows it. */

/** Behind the six counters: admissions of the last second. As in `counts.lua`. */
const RATE_INDEX = COUNTERS.length + 1;
/** An account and all above it. */
export const CHAIN_MARK = '^';

/** As README's table of keys names what a use counts. */
const WORDS: Readonly<Record<Counter, string>> = {
  calls: 'calls',
  resourceConsumingCalls: 'resourceConsuming',
  inboundCalls: 'inbound',
  outboundCalls: 'outbound',
  publicCalls: 'public',
  internalCalls: 'internal',
};

type Counted = TakenSlot['counted'];

/** ARGV of the holders of a leg that is taken: `takeHolders` in `counts.lua`. */
export function takeArguments(takes: readonly HolderTakes[]): readonly (string | number)[] {
  return inRows(takes, ({ counts }) => counts.map(({ counter }) => counter), boundArguments);
}

/** The same of one that leaves: `takeBack` in `returns.lua`. */
export function backArguments(counted: Counted): readonly (string | number)[] {
  return inRows(
    counted,
    ({ counters }) => counters,
    () => [],
  );
}

/** Holders in a row that the leg moves alike are told so once. */
function inRows<T>(
  holders: readonly T[],
  countersOf: (holder: T) => readonly Counter[],
  argumentsOf: (holder: T) => readonly (string | number)[],
): readonly (string | number)[] {
  const rows: { moves: string; count: number; args: (string | number)[] }[] = [];
  for (const holder of holders) {
    const moves = movesOf(countersOf(holder));
    const args = argumentsOf(holder);
    const row = rows.at(-1);
    if (row?.moves === moves) {
      row.count += 1;
      row.args.push(...args);
    } else {
      rows.push({ moves, count: 1, args: [...args] });
    }
  }
  return [holders.length, ...rows.flatMap(({ moves, count, args }) => [count, moves, ...args])];
}

function movesOf(counters: readonly Counter[]): string {
  return COUNTERS.map((counter) => (counters.includes(counter) ? '1' : '0')).join('');
}

function boundArguments({ counts, perSecond }: HolderTakes): readonly (string | number)[] {
  const bounds: number[] = [];
  let bounded = '';
  for (const { counter, bound } of counts) {
    if (bound === undefined) continue;
    bounded += `${COUNTERS.indexOf(counter) + 1}`;
    bounds.push(bound);
  }
  if (perSecond === undefined) return [bounded, ...bounds];
  return [`${bounded}${RATE_INDEX}`, ...bounds, perSecond === 'counted' ? -1 : perSecond];
}

/**
 * `acme/retail^=calls,outbound,public;acme/retail#4930=calls`: holders in a slot, and the counters that the leg is a
 * member of. A holder without `=` has those of the next one. `^`: and every account above.
 */
export function formatCounted({ slot, counted }: TakenSlot): string {
  if (counted.length === 0) return holderName(slotHolder(slot));
  const words: { name: string; isChain: boolean; readonly counters: string }[] = [];
  // The account of the last word, as long as the chain from its root down to it is counted alike.
  let above: string | undefined;
  for (const { holder, counters } of counted) {
    const word = { name: holderName(holder), isChain: false, counters: formatCounters(counters) };
    const last = words.at(-1);
    if (last?.counters === word.counters && above !== undefined && isChild(holder, above)) {
      last.name = word.name;
      last.isChain = true;
      above = word.name;
    } else {
      words.push(word);
      above = holder.kind === 'account' && !holder.path.includes('/') ? holder.path : undefined;
    }
  }
  return words
    .map(({ name, isChain, counters }, index) => {
      const isSaidNext = words[index + 1]?.counters === counters;
      return `${name}${isChain ? CHAIN_MARK : ''}${isSaidNext ? '' : `=${counters}`}`;
    })
    .join(';');
}

function isChild(holder: Holder, above: string): boolean {
  if (holder.kind !== 'account' || !holder.path.startsWith(`${above}/`)) return false;
  return !holder.path.includes('/', above.length + 1);
}

function slotHolder(slot: Slot): Holder {
  return slot.kind === 'root' ? { kind: 'account', path: slot.root } : slot;
}

export function parseCounted(text: string): TakenSlot {
  const counted: Counted[number][] = [];
  let counters: readonly Counter[] | undefined;
  let slot: Slot | undefined;
  for (const word of text.split(';').toReversed()) {
    const [name = '', words] = word.split('=');
    if (words !== undefined) counters = countersOf(words);
    const isMarked = name.endsWith(CHAIN_MARK);
    const holder = holderNamed(isMarked ? name.slice(0, -CHAIN_MARK.length) : name);
    assert(holder !== undefined, `a leg is counted in "${text}"`);
    slot = slotOf(holder);
    if (counters === undefined) continue;
    for (const each of isMarked ? chainHolders(holder) : [holder]) counted.push({ holder: each, counters });
  }
  assert(slot !== undefined, 'a text has words');
  return { slot, counted: counted.toReversed() };
}

/** From the account up. */
function chainHolders(holder: Holder): readonly Holder[] {
  if (holder.kind !== 'account') return [holder];
  return chainOf(holder.path)
    .map((path): Holder => ({ kind: 'account', path }))
    .toReversed();
}

function formatCounters(counters: readonly Counter[]): string {
  return counters.map((counter) => WORDS[counter]).join(',');
}

function countersOf(text: string): readonly Counter[] {
  return text.split(',').flatMap((word) => COUNTERS.filter((counter) => WORDS[counter] === word));
}
