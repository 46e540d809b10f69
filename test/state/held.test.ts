import { describe, expect, it } from 'vitest';
import { siblingsOf, siblingText } from '../../src/state/held.ts';
import type { AccountPath } from '../../src/units/ids.ts';
import { recordOf } from '../controller/legs.ts';
import { ADMISSION } from '../controller/world.ts';

describe('the other branches of a dial', () => {
  it('are looked for where each of them is kept, which may be with another tenant', () => {
    const siblings = [
      siblingText('b1', 'acme/shop' as AccountPath),
      siblingText('b2', 'acme' as AccountPath),
      siblingText('b3', 'other/desk' as AccountPath),
      siblingText('b4', undefined),
    ];
    expect(siblingsOf(recordOf({ siblings }))).toEqual([
      { legKey: `${ADMISSION}:b2`, root: 'acme' },
      { legKey: `${ADMISSION}:b3`, root: 'other' },
      { legKey: `${ADMISSION}:b4`, root: 'acme' },
    ]);
  });
});
