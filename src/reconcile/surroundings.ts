import type { LegUuid } from '../units/ids.ts';
import type { SwitchCdr } from './switch-cdr.ts';

/** The legs around one in FreeSWITCH's own record. Loopback pairs are looked through: they are counted once (DESIGN 3). */
export type Surroundings = {
  /** The leg that placed it, and all that this one placed. */
  readonly placer: SwitchCdr | undefined;
  readonly siblings: readonly SwitchCdr[];
  /** What the leg itself placed. */
  readonly placed: readonly SwitchCdr[];
  /** It placed others as well, whose CDRs are not at hand. */
  readonly unseen: boolean;
  /** Those of all these that have a CDR of ours. */
  readonly charged: ReadonlySet<LegUuid>;
};

/** Where the legs around others are looked up. */
export type Relatives = {
  leg(uuid: LegUuid): SwitchCdr | undefined;
  placedBy(uuid: LegUuid): readonly SwitchCdr[];
  /** The A-leg that says of itself that it was bridged to this leg. */
  bridgedFrom(uuid: LegUuid): SwitchCdr | undefined;
  isCharged(uuid: LegUuid): boolean;
};

/** Loopback pairs behind loopback pairs: a dialplan that nests deeper has lost its way. */
export const LOOPBACKS_MAX = 8;

export function surroundingsOf(leg: SwitchCdr, relatives: Relatives): Surroundings {
  const placer = placerOf(leg, relatives);
  const siblings = placer === undefined ? [] : placedBy(placer, relatives);
  const placed = placedBy(leg, relatives);
  const around = new Set([...siblings, ...placed].map(({ uuid }) => uuid));
  for (const uuid of leg.placedLegs) around.add(uuid);
  for (const uuid of [leg.originator, placer?.uuid]) if (uuid !== undefined) around.add(uuid);
  const unseen = leg.placedLegs.some((uuid) => relatives.leg(uuid) === undefined);
  return {
    placer,
    siblings,
    placed,
    unseen,
    charged: new Set([...around].filter((uuid) => relatives.isCharged(uuid))),
  };
}

function placerOf(leg: SwitchCdr, relatives: Relatives): SwitchCdr | undefined {
  let placer = placedIt(leg, relatives);
  for (let pairs = 0; placer?.loopback === true && pairs < LOOPBACKS_MAX; pairs += 1) {
    placer = placedIt(placer, relatives);
  }
  return placer?.loopback === true ? undefined : placer;
}

function placedIt({ uuid, direction, originator }: SwitchCdr, relatives: Relatives): SwitchCdr | undefined {
  if (originator !== undefined) return relatives.leg(originator);
  return direction === undefined ? relatives.bridgedFrom(uuid) : undefined;
}

function placedBy(leg: SwitchCdr, relatives: Relatives, pairs = 0): readonly SwitchCdr[] {
  const bridged = leg.bLeg === undefined || leg.direction !== undefined ? undefined : relatives.leg(leg.bLeg);
  const own = [...relatives.placedBy(leg.uuid), ...(bridged === undefined ? [] : [bridged])];
  return own.flatMap((placed) => {
    if (!placed.loopback) return [placed];
    return pairs < LOOPBACKS_MAX ? placedBy(placed, relatives, pairs + 1) : [];
  });
}
