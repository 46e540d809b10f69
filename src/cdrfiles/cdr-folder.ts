import type { Dir, Stats } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { toEpochMs, type EpochMs } from '../units/time.ts';

export type CdrFormat = 'json' | 'csv' | 'xml';

/** A file as it was found; both figures tell whether it has changed since. */
export type CdrFile = {
  readonly path: string;
  readonly format: CdrFormat;
  readonly size: number;
  readonly modifiedAt: EpochMs;
};

/** `.cdr.json` too; mod_cdr_csv puts the moment at which it begins another file behind the name. */
const ENDINGS: readonly (readonly [CdrFormat, RegExp])[] = [
  ['json', /\.json$/i],
  ['xml', /\.xml$/i],
  ['csv', /\.csv(?:\.[\d-]+)?$/i],
];

/** What the name of a file says of it; undefined: no CDR of FreeSWITCH. */
export function formatOfName(path: string): CdrFormat | undefined {
  return ENDINGS.find(([, ending]) => ending.test(path))?.[0];
}

/**
 * The CDR files at a path: itself, or all in the folder and those below it, whatever their number. Links to folders
 * are not followed. A `format` leaves out files of others, and says what a file named by itself is. A folder below that
 * cannot be opened is told and passed over; the path itself rejects.
 */
export async function* cdrFilesAt(
  path: string,
  format: CdrFormat | undefined,
  onUnreadable: (folder: string, code: string) => void = () => undefined,
): AsyncGenerator<CdrFile> {
  const root = resolve(path);
  if ((await stat(root)).isDirectory()) {
    yield* filesBelow(await opendir(root), format, onUnreadable);
    return;
  }
  const file = await describeFile(root, format ?? formatOfName(root));
  if (file !== undefined) yield file;
}

async function* filesBelow(
  folder: Dir,
  format: CdrFormat | undefined,
  onUnreadable: (folder: string, code: string) => void,
): AsyncGenerator<CdrFile> {
  for await (const entry of folder) {
    const path = join(folder.path, entry.name);
    if (entry.isDirectory()) {
      const below = await openFolder(path, onUnreadable);
      if (below !== undefined) yield* filesBelow(below, format, onUnreadable);
      continue;
    }
    const named = formatOfName(entry.name);
    if (format !== undefined && named !== format) continue;
    const file = await describeFile(path, named);
    if (file !== undefined) yield file;
  }
}

async function openFolder(
  path: string,
  onUnreadable: (folder: string, code: string) => void,
): Promise<Dir | undefined> {
  try {
    return await opendir(path);
  } catch (error) {
    // Only the system's errors have a code: it is gone, or not for us.
    if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) throw error;
    onUnreadable(path, error.code);
    return undefined;
  }
}

async function describeFile(path: string, format: CdrFormat | undefined): Promise<CdrFile | undefined> {
  if (format === undefined) return undefined;
  const found = await statIfThere(path);
  if (found === undefined || !found.isFile()) return undefined;
  return { path, format, size: found.size, modifiedAt: toEpochMs(found.mtimeMs) };
}

/** A file may be moved away between the listing of its folder and the look at it. */
async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
