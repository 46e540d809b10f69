import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EXACT_TEMPLATE, jsonOf, VARIABLES } from '../cdrfiles/samples.ts';

/** An hour before the command line's "now" in `cli-run.ts`; an unfinished file of then stays so. */
const WRITTEN_SECONDS = Date.UTC(2026, 6, 31, 23) / 1000;
const START_US = Date.UTC(2026, 6, 31, 12) * 1000;

export type FileLeg = {
  readonly uuid: string;
  /** Of talk; undefined: not answered. */
  readonly microseconds?: number | undefined;
  readonly account?: string;
  readonly to?: string;
  readonly changes?: Readonly<Record<string, string>>;
};

/** The variables of an outbound leg that somebody called to Germany by. */
export function variablesOf({ uuid, microseconds, account = 'acme/alice', changes = {} }: FileLeg) {
  const answer = microseconds === undefined ? 0 : START_US + 1_000_000;
  const end = answer === 0 ? START_US + 3_000_000 : answer + (microseconds ?? 0);
  return {
    ...VARIABLES,
    uuid,
    originator: '',
    accountcode: account,
    start_uepoch: `${START_US}`,
    answer_uepoch: `${answer}`,
    end_uepoch: `${end}`,
    billusec: `${microseconds ?? 0}`,
    billsec: `${Math.floor((microseconds ?? 0) / 1e6)}`,
    ...changes,
  };
}

export function jsonLeg(leg: FileLeg): string {
  return jsonOf({
    variables: variablesOf(leg),
    callflow: [{ caller_profile: { caller_id_number: '1001', destination_number: leg.to ?? '4930123' } }],
  });
}

/** A line by the template of machine fields. */
export function csvLeg(leg: FileLeg): string {
  const values: Readonly<Record<string, string>> = {
    ...variablesOf(leg),
    caller_id_number: '1001',
    destination_number: leg.to ?? '4930123',
  };
  return `${EXACT_TEMPLATE.replaceAll(/\$\{([^}]*)\}/g, (_, name: string) => values[name] ?? '')}\n`;
}

/** Writes files, an hour ago unless told otherwise, and gives their paths. */
export function createFiles(folder: string) {
  const write = (name: string, content: string | Uint8Array, at = WRITTEN_SECONDS): string => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    utimesSync(path, at, at);
    return path;
  };
  return { folder, write };
}
