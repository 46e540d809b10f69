import { readCdrFile, UNREAD, type CdrFileReading, type CdrFilePart } from '../cdrfiles/cdr-file.ts';
import { cdrFilesAt, type CdrFile, type CdrFormat } from '../cdrfiles/cdr-folder.ts';
import type { CommandContext } from '../command-line/command.ts';
import { createProgress } from '../command-line/progress.ts';
import type { FileRead, SwitchCdrStore } from '../reconcile/switch-cdr-store.ts';
import type { PlacedCdr } from '../reconcile/switch-cdr.ts';

/** Which files are read, and how; `wayOf` says all that the reading of a format depends on. */
export type CdrWay = {
  readonly reading: CdrFileReading;
  readonly wayOf: (format: CdrFormat) => string;
  readonly format: CdrFormat | undefined;
};

/** What was read of CDR files, this time. */
export type ReadingReport = {
  readonly files: {
    readonly read: number;
    /** Not touched: nothing has come to them since they were read. */
    readonly unchanged: number;
    /** Still being written. */
    readonly later: number;
    readonly faulty: number;
  };
  readonly legs: {
    readonly new: number;
    readonly again: number;
    readonly completed: number;
  };
  /** In the order in which they were met, the first thousand. */
  readonly faults: readonly FileFault[];
  readonly moreFaults: number;
};

/** One thing wrong with a file. */
export type FileFault = {
  readonly file: string;
  readonly line: number;
  readonly field: string;
  /** What stood there, cut short. */
  readonly value: string;
  readonly expected: string;
};

const FAULTS_KEPT_MAX = 1_000;
const VALUE_CHARS_MAX = 60;
/** Files whose journal is looked up at once, and legs or files that are written at once. */
const FILES_AT_ONCE = 256;
const WRITTEN_AT_ONCE = 500;

/**
 * Reads CDR files into the record, beside ours. What was read before is skipped; what breaks off is read on the next
 * time; each piece of legs is written together with how far its files were read, so that nothing is half done.
 */
export async function readCdrs(
  paths: readonly string[],
  source: CdrWay,
  context: Pick<CommandContext, 'drawProgress' | 'now'>,
  store: SwitchCdrStore,
): Promise<ReadingReport> {
  const files = { read: 0, unchanged: 0, later: 0, faulty: 0 };
  const legs = { new: 0, again: 0, completed: 0 };
  const faults: FileFault[] = [];
  let moreFaults = 0;
  const tell = (fault: FileFault): void => {
    if (faults.length >= FAULTS_KEPT_MAX) moreFaults += 1;
    else faults.push({ ...fault, value: cutShort(fault.value) });
  };
  let waiting: { readonly legs: PlacedCdr[]; readonly files: Map<string, FileRead> } = {
    legs: [],
    files: new Map(),
  };
  const write = async (): Promise<void> => {
    const batch = waiting;
    waiting = { legs: [], files: new Map() };
    const added = await store.add({ legs: batch.legs, files: [...batch.files.values()] });
    for (const [index, outcome] of added.entries()) {
      const offered = batch.legs[index];
      if (outcome.kind !== 'contradicted') legs[outcome.kind] += 1;
      else if (offered !== undefined) {
        const { file, line } = outcome.known.place;
        const expected = `the figures of ${file}:${line}, which stand`;
        tell({ ...offered.place, field: 'uuid', value: offered.leg.uuid, expected });
      }
    }
  };

  const progress = createProgress({
    draw: context.drawProgress,
    whole: context.drawProgress === undefined ? 0 : await countFiles(paths, source.format),
    unit: 'files',
    now: context.now,
  });
  let seen = 0;
  const show = (part: number): void => {
    progress.at(seen + part, `${seen} files, ${legs.new + legs.again + legs.completed} legs`);
  };

  const readOne = async (file: CdrFile, before: FileRead | undefined): Promise<void> => {
    const way = source.wayOf(file.format);
    const isSameWay = before?.way === way;
    if (isSameWay && isUnchanged(file, before)) {
      files.unchanged += 1;
      return;
    }
    const from = isSameWay && file.format === 'csv' ? before : UNREAD;
    let { legs: legCount, faults: faultCount } =
      isSameWay && from === before ? before : { legs: 0, faults: 0 };
    const faultsBefore = faultCount;
    const take = async (part: CdrFilePart): Promise<void> => {
      if (part.kind === 'later') {
        files.later += 1;
        return;
      }
      for (const leg of part.legs) {
        const place = { file: file.path, line: leg.line };
        if (leg.kind === 'cdr') {
          legCount += 1;
          waiting.legs.push({ leg: leg.cdr, place });
        } else {
          faultCount += 1;
          tell({ ...place, ...leg.fault });
        }
      }
      const { path, size, modifiedAt } = file;
      const counts = { legs: legCount, faults: faultCount };
      waiting.files.set(path, { path, way, size, modifiedAt, ...part.progress, ...counts });
      show(size === 0 ? 1 : part.progress.bytes / size);
      if (waiting.legs.length >= WRITTEN_AT_ONCE || waiting.files.size >= WRITTEN_AT_ONCE) await write();
    };
    try {
      for await (const part of readCdrFile(file, source.reading, from)) await take(part);
    } catch (error) {
      const code = unreadable(error);
      if (code === undefined) throw error;
      faultCount += 1;
      tell({ file: file.path, line: 0, field: 'file', value: code, expected: 'a file that can be read' });
    }
    files.read += 1;
    if (faultCount > faultsBefore) files.faulty += 1;
  };

  const passOver = (folder: string, code: string): void => {
    files.faulty += 1;
    tell({ file: folder, line: 0, field: 'folder', value: code, expected: 'a folder that can be read' });
  };
  for (const path of paths) {
    for await (const some of inChunks(cdrFilesAt(path, source.format, passOver))) {
      const known = await store.filesRead(some.map((file) => file.path));
      for (const file of some) {
        await readOne(file, known.get(file.path));
        seen += 1;
        show(0);
      }
    }
  }
  await write();
  progress.end();
  return { files, legs, faults, moreFaults };
}

function isUnchanged({ size, modifiedAt }: CdrFile, before: FileRead): boolean {
  return before.size === size && before.modifiedAt === modifiedAt && before.bytes === size;
}

/** What the system says of a file that it will not let us read; anything else is no matter of one file. */
function unreadable(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const codes = ['EACCES', 'EPERM', 'ENOENT', 'EIO', 'EISDIR'];
  return codes.find((known) => known === code);
}

async function countFiles(paths: readonly string[], format: CdrFormat | undefined): Promise<number> {
  let count = 0;
  for (const path of paths) for await (const _ of cdrFilesAt(path, format)) count += 1;
  return count;
}

async function* inChunks(files: AsyncIterable<CdrFile>): AsyncGenerator<readonly CdrFile[]> {
  let chunk: CdrFile[] = [];
  for await (const file of files) {
    chunk.push(file);
    if (chunk.length < FILES_AT_ONCE) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

function cutShort(value: string): string {
  return value.length <= VALUE_CHARS_MAX ? value : `${value.slice(0, VALUE_CHARS_MAX)}…`;
}
