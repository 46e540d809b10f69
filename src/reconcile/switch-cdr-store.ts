import type { Cdr, Charge, Decision, Transfer } from '../records/records.ts';
import type { AccountPath, LegUuid } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';
import type { Correction } from './correction.ts';
import type { Surroundings } from './surroundings.ts';
import type { CdrPlace, PlacedCdr, SwitchCdr } from './switch-cdr.ts';

/**
 * FreeSWITCH's own CDRs beside ours: evidence, never a charge. Each leg once, however often its files are read. The
 * walks are of any length and constant memory. Methods reject with an operating error of the store.
 */
export type SwitchCdrStore = {
  /** How far these files were read the last time. */
  filesRead(paths: readonly string[]): Promise<ReadonlyMap<string, FileRead>>;
  /** Adds legs, and notes how far their files were read, all in one transaction. One answer for each leg. */
  add(batch: SwitchCdrBatch): Promise<readonly Added[]>;
  /** Legs of these files and of all below these folders that are not yet dealt with, each with what is around it. */
  open(paths: readonly string[]): AsyncIterable<readonly OpenLeg[]>;
  /** Nothing more is to be done about these legs. */
  close(legs: readonly LegUuid[]): Promise<void>;
  /** Our CDRs of a time, each with all that has to do with it. */
  ours(window: Window): AsyncIterable<readonly OurLeg[]>;
  /** FreeSWITCH's legs of a time of which we have no CDR. */
  theirs(window: Window): AsyncIterable<readonly OpenLeg[]>;
  /** Transfers of a time that are booked as charges, and of which no charge is on record. */
  strayTransfers(window: Window): AsyncIterable<readonly Transfer[]>;
  countOf(window: Window): Promise<number>;
  /** All of it in one transaction. `stale`: our CDR is no longer the one that was to be corrected, and nothing is. */
  correct(correction: Correction): Promise<'corrected' | 'stale'>;
};

/** From a moment up to but not including another, by admission or by start; of an account and those below it. */
export type Window = {
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly account: AccountPath | undefined;
};

/** A file, and how far it was read: `way` is all that its reading depends on, such as the template. */
export type FileRead = {
  readonly path: string;
  readonly way: string;
  readonly size: number;
  readonly modifiedAt: EpochMs;
  readonly bytes: number;
  readonly lines: number;
  readonly fingerprint: string;
  readonly legs: number;
  readonly faults: number;
};

export type SwitchCdrBatch = { readonly legs: readonly PlacedCdr[]; readonly files: readonly FileRead[] };

/**
 * `again`: it was known, as exactly as here or more so. `completed`: this file says more of it than the one before.
 * `contradicted`: the same uuid with other figures; what was known stands.
 */
export type Added =
  | { readonly kind: 'new' | 'again' | 'completed' }
  | { readonly kind: 'contradicted'; readonly known: PlacedCdr };

export type OpenLeg = PlacedCdr & {
  /** Ours of the same leg. */
  readonly cdr: Cdr | undefined;
  readonly around: Surroundings;
  /** The decision that admitted it, where it was written before all else was lost. */
  readonly admission: Decision | undefined;
};

export type OurLeg = {
  readonly cdr: Cdr;
  /** Every version. */
  readonly charges: readonly Charge[];
  /** Those that have the id of one of the charges. */
  readonly transfers: readonly Transfer[];
  readonly theirs: { readonly leg: SwitchCdr; readonly place: CdrPlace } | undefined;
};
