import { Buffer, isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { parse, YAMLParseError } from 'yaml';
import { BadInputError } from './command.ts';

/** Some 60,000 accounts. What a document comes to in memory is a hundred times as much. */
const DOCUMENT_BYTES_MAX = 8_388_608;
const VALUE_CHARS_MAX = 60;
const LINE_FEED = 0x0a;

/** A YAML or JSON file that `field` of the command names, `-` being standard input. Whatever is wrong with it is bad input. */
export async function readDocumentFile(file: string, field = '--file'): Promise<unknown> {
  const text = await readTextFile(file, field);
  try {
    // Money is written in quotes; a bare number stays a number and is refused where money belongs.
    return parse(text);
  } catch (error) {
    const expected = `YAML or JSON: ${reasonOf(error)}`;
    const [place] = error instanceof YAMLParseError ? (error.linePos ?? []) : [];
    if (place === undefined) throw bad({ field, value: file, expected });
    throw badLine({ file, line: place.line, text: text.split('\n')[place.line - 1] ?? '', expected });
  }
}

/** All of a text file in UTF-8, `-` being standard input. Whatever is wrong with it is bad input. */
export async function readTextFile(file: string, field: string): Promise<string> {
  const bytes = await readBytes(file, field);
  const text = bytes.toString('utf8');
  if (isUtf8(bytes) && !text.includes('\0')) return text.replace(/^\u{FEFF}/u, '');
  throw badText(file, bytes);
}

/** Never more than a document may be: without this bound a gigabyte would be taken into memory to be refused. */
async function readBytes(file: string, field: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    const stream = file === '-' ? process.stdin : createReadStream(file);
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      pieces.push(piece);
      length += piece.length;
      if (length > DOCUMENT_BYTES_MAX) break;
    }
  } catch (error) {
    throw bad({ field, value: file, expected: `a file that can be read: ${reasonOf(error)}` });
  }
  if (length <= DOCUMENT_BYTES_MAX) return Buffer.concat(pieces);
  throw bad({ field, value: file, expected: `at most ${DOCUMENT_BYTES_MAX} bytes` });
}

/** The first line that is no text: in another encoding, or packed. */
function badText(file: string, bytes: Buffer): BadInputError {
  let line = 1;
  for (let from = 0; from < bytes.length; line += 1) {
    const at = bytes.indexOf(LINE_FEED, from);
    const piece = bytes.subarray(from, at === -1 ? bytes.length : at);
    const isWide = piece.includes(0);
    if (isWide || !isUtf8(piece)) {
      const expected = isWide ? 'text in UTF-8; this looks like UTF-16' : 'text in UTF-8';
      return badLine({ file, line, text: piece.subarray(0, VALUE_CHARS_MAX + 1).toString('utf8'), expected });
    }
    from += piece.length + 1;
  }
  return bad({ field: file, value: `${bytes.length} bytes`, expected: 'text in UTF-8' });
}

type Place = { readonly file: string; readonly line: number };

function badLine(fault: Place & { readonly text: string; readonly expected: string }): BadInputError {
  const { file, line, text, expected } = fault;
  const value = text.length <= VALUE_CHARS_MAX ? text : `${text.slice(0, VALUE_CHARS_MAX)}…`;
  return bad({ field: `${file}:${line}`, value: JSON.stringify(value), expected });
}

function bad(problem: BadInputError['problems'][number]): BadInputError {
  return new BadInputError([problem]);
}

/** A system error, or the parser's first line; what follows there is a picture of the place. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '').replace(/:$/, '') : String(error);
}
