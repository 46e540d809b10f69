import type { LegRecord } from '../admission/leg-record.ts';
import type { LegFacts } from '../calls/switch-event.ts';
import {
  admissionIdOf,
  legKeyOf,
  parseAccountPath,
  rootOf,
  type AccountPath,
  type LegKey,
  type LegUuid,
} from '../units/ids.ts';

/**
 * What an A-leg's passes of a gate hold, as its channel variables say it: `pass:branch:root`. The channel carries it,
 * so that whichever controller sees its end knows what to give back.
 */
export type Held = { readonly legKey: LegKey; readonly root: AccountPath; readonly text: string };

export function heldOf(leg: LegFacts): readonly Held[] {
  return leg.gate.branches.flatMap((text) => parseHeld(leg.uuid, text) ?? []);
}

/** The one by which the leg itself is metered: a call from a route. */
export function meteredBy(leg: LegFacts): Held | undefined {
  return leg.gate.metered === undefined ? undefined : parseHeld(leg.uuid, leg.gate.metered);
}

export function heldText(pass: number, branch: string, account: AccountPath): string {
  return `${pass}:${branch}:${rootOf(account)}`;
}

/** One branch of a dial, and where its record is kept: forks may reach several tenants. */
export function siblingText(branch: string, home: AccountPath | undefined): string {
  return home === undefined ? branch : `${branch}:${rootOf(home)}`;
}

/** The branches of its dial besides the leg's own. */
export function siblingsOf({
  siblings,
  legKey: own,
  admission,
  account,
}: Pick<LegRecord, 'siblings' | 'legKey' | 'admission' | 'account'>): readonly Omit<Held, 'text'>[] {
  return siblings.flatMap((text) => {
    const [branch = '', home] = text.split(':');
    const legKey = legKeyOf(admission, branch);
    const root = rootOf(parseAccountPath(home ?? '') ?? account);
    return legKey === undefined || legKey === own ? [] : [{ legKey, root }];
  });
}

function parseHeld(uuid: LegUuid, text: string): Held | undefined {
  const [pass, branch, path] = text.split(':');
  const root = parseAccountPath(path ?? '');
  if (pass === undefined || !/^\d{1,6}$/.test(pass) || root === undefined) return undefined;
  const legKey = legKeyOf(admissionIdOf(uuid, Number.parseInt(pass, 10)), branch ?? '');
  return legKey === undefined ? undefined : { legKey, root: rootOf(root), text };
}
