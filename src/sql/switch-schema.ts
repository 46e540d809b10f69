import type { CreateTableBuilder } from 'kysely';
import type { CdrVariables, SwitchCdr } from '../reconcile/switch-cdr.ts';
import type { LegUuid } from '../units/ids.ts';
import type { Columns } from './migrations.ts';
import type { JsonText } from './schema.ts';

/** One leg as a CDR file of FreeSWITCH has it. */
export type SwitchCdrRow = {
  readonly leg_uuid: LegUuid;
  readonly file: string;
  readonly line: bigint;
  readonly core_uuid: string | null;
  readonly switch_name: string | null;
  readonly direction: NonNullable<SwitchCdr['direction']> | null;
  readonly caller_number: string;
  readonly destination: string;
  readonly started_at: bigint;
  readonly answered_at: bigint | null;
  readonly ended_at: bigint;
  readonly bill_microseconds: bigint | null;
  readonly billsec: bigint;
  readonly cause: string;
  readonly originator: LegUuid | null;
  readonly b_leg: LegUuid | null;
  readonly placed_legs: JsonText<readonly LegUuid[]>;
  readonly loopback: bigint;
  readonly variables: JsonText<CdrVariables>;
  /** 1: nothing more is to be done about it. */
  readonly closed: bigint;
};

/** How far a file was read. */
export type SwitchFileRow = {
  readonly path: string;
  readonly way: string;
  readonly size: bigint;
  readonly modified_at: bigint;
  readonly bytes: bigint;
  readonly lines: bigint;
  readonly fingerprint: string;
  readonly legs: bigint;
  readonly faults: bigint;
};

/** The two tables beside the record: FreeSWITCH's own CDRs, and the files they were read from. */
export async function makeSwitchTables(
  table: (name: string, columns: Columns) => CreateTableBuilder<string, string>,
  index: (name: string, columns: readonly string[]) => Promise<void>,
): Promise<void> {
  await table('switch_file', {
    keys: ['path'],
    texts: ['way', 'fingerprint'],
    integers: ['size', 'modified_at', 'bytes', 'lines', 'legs', 'faults'],
  })
    .addPrimaryKeyConstraint('switch_file_pk', ['path'])
    .execute();

  await table('switch_cdr', {
    keys: ['leg_uuid', 'file'],
    texts: ['caller_number', 'destination', 'cause', 'placed_legs', 'variables'],
    integers: ['line', 'started_at', 'ended_at', 'billsec', 'loopback', 'closed'],
    optionalKeys: ['originator', 'b_leg'],
    optionalTexts: ['core_uuid', 'switch_name', 'direction'],
    optionalIntegers: ['answered_at', 'bill_microseconds'],
  })
    .addPrimaryKeyConstraint('switch_cdr_pk', ['leg_uuid'])
    .execute();
  await index('switch_cdr', ['closed', 'file', 'leg_uuid']);
  await index('switch_cdr', ['started_at', 'leg_uuid']);
  await index('switch_cdr', ['originator']);
  await index('switch_cdr', ['b_leg']);
}
