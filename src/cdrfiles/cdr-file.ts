import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import type { SwitchCdr } from '../reconcile/switch-cdr.ts';
import { byteLines, LINE_BYTES_MAX, type ByteLine } from './byte-lines.ts';
import type { CdrReading, FieldFault } from './cdr-fields.ts';
import type { CdrFile } from './cdr-folder.ts';
import { readCsvCdr } from './csv-cdr.ts';
import type { CsvTemplate } from './csv-template.ts';
import { readJsonCdr, type OneLeg } from './json-cdr.ts';
import { readXmlCdr } from './xml-cdr.ts';

/** What a file has, in its order; and last, how far it was read. */
export type CdrFilePart =
  | { readonly kind: 'legs'; readonly legs: readonly ReadLeg[]; readonly progress: FileProgress }
  /** Nothing is known of it yet: it is still being written. */
  | { readonly kind: 'later'; readonly why: string };

export type ReadLeg =
  | { readonly kind: 'cdr'; readonly line: number; readonly cdr: SwitchCdr }
  | { readonly kind: 'fault'; readonly line: number; readonly fault: FieldFault };

/** How far a file was read: enough to go on there, and to see that it is the same file still. */
export type FileProgress = {
  readonly bytes: number;
  readonly lines: number;
  /** Of the bytes before that place. */
  readonly fingerprint: string;
};

export type CdrFileReading = CdrReading & { readonly template: CsvTemplate };

export const UNREAD: FileProgress = { bytes: 0, lines: 0, fingerprint: '' };

/** The longest CDR of one leg: far beyond a leg that was transferred all day. */
const LEG_BYTES_MAX = 4_194_304;
/** FreeSWITCH writes a CDR in one go; a file that is so old and still unfinished stays so. */
const FINISHED_AFTER_MS = 60_000;
const FINGERPRINT_BYTES = 1_024;

/** Reads a file from where it was left. Never holds more of it than one leg or one piece of lines. */
export async function* readCdrFile(
  file: CdrFile,
  reading: CdrFileReading,
  from: FileProgress = UNREAD,
): AsyncGenerator<CdrFilePart> {
  const handle = await open(file.path, 'r');
  try {
    if (file.format === 'csv') yield* readLines(handle, file, reading, from);
    else yield await readOneLeg(handle, file, reading);
  } finally {
    await handle.close();
  }
}

async function readOneLeg(handle: FileHandle, file: CdrFile, reading: CdrFileReading): Promise<CdrFilePart> {
  const isYoung = reading.now - file.modifiedAt < FINISHED_AFTER_MS;
  const progress = { bytes: file.size, lines: 1, fingerprint: '' };
  if (file.size > LEG_BYTES_MAX) {
    const fault = { field: 'file', value: `${file.size} bytes`, expected: `at most ${LEG_BYTES_MAX} bytes` };
    return { kind: 'legs', legs: [{ kind: 'fault', line: 1, fault }], progress };
  }
  // A byte more than there was when it was found tells that it has grown since.
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(file.size + 1), 0, file.size + 1, 0);
  if (bytesRead !== file.size) return { kind: 'later', why: 'it is growing' };
  const bytes = buffer.subarray(0, bytesRead);
  const leg: OneLeg = file.format === 'json' ? readJsonCdr(bytes, reading) : readXmlCdr(bytes, reading);
  if (leg.kind === 'cdr') return { kind: 'legs', legs: [{ kind: 'cdr', line: 1, cdr: leg.cdr }], progress };
  if (leg.unfinished && isYoung) return { kind: 'later', why: 'it is not finished' };
  const fault = leg.unfinished ? { ...leg.fault, expected: `${leg.fault.expected}, to its end` } : leg.fault;
  return { kind: 'legs', legs: [{ kind: 'fault', line: leg.line, fault }], progress };
}

async function* readLines(
  handle: FileHandle,
  file: CdrFile,
  reading: CdrFileReading,
  from: FileProgress,
): AsyncGenerator<CdrFilePart> {
  const isSame =
    from.bytes <= file.size && (await fingerprintBefore(handle, from.bytes)) === from.fingerprint;
  // Another file by the same name: what of it is known already is known by its uuids.
  const start = isSame ? from : UNREAD;
  const isYoung = reading.now - file.modifiedAt < FINISHED_AFTER_MS;
  const stream = handle.createReadStream({ autoClose: false, start: start.bytes });
  const chunks = stream as AsyncIterable<Uint8Array>;
  for await (const lines of byteLines(chunks, { offset: start.bytes, number: start.lines + 1 })) {
    // The rest of an unfinished line comes with the next reading of the file.
    const whole = lines.filter((line) => line.ended || !isYoung);
    const last = whole.at(-1);
    if (last === undefined) continue;
    const fingerprint = await fingerprintBefore(handle, last.endsAt);
    const progress = { bytes: last.endsAt, lines: last.number, fingerprint };
    yield { kind: 'legs', legs: whole.flatMap((line) => readLine(line, reading)), progress };
  }
}

function readLine(line: ByteLine, reading: CdrFileReading): readonly ReadLeg[] {
  if (line.text?.trim() === '') return [];
  if (line.text === undefined) {
    const fault = { field: 'line', value: '', expected: `at most ${LINE_BYTES_MAX} bytes` };
    return [{ kind: 'fault', line: line.number, fault }];
  }
  return [{ line: line.number, ...readCsvCdr(line.text, reading.template, reading) }];
}

/** Master.csv begins anew under its old name: the bytes before a place tell whether it is still the same. */
async function fingerprintBefore(handle: FileHandle, offset: number): Promise<string> {
  if (offset === 0) return '';
  const length = Math.min(FINGERPRINT_BYTES, offset);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset - length);
  return createHash('sha256').update(buffer.subarray(0, bytesRead)).digest('hex').slice(0, 32);
}
