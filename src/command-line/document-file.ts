import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { BadInputError } from './command.ts';

/** A YAML or JSON file that a flag names, `-` being standard input. */
export function readDocumentFile(file: string, field = '--file'): unknown {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw badFile({ field, value: file }, 'a file that can be read', error);
  }
  try {
    // Money is written in quotes; a bare number stays a number and is refused where money belongs.
    return parse(text);
  } catch (error) {
    throw badFile({ field, value: file }, 'YAML or JSON', error);
  }
}

function badFile(
  file: { readonly field: string; readonly value: string },
  expected: string,
  error: unknown,
): BadInputError {
  const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  return new BadInputError([{ ...file, expected: `${expected}: ${reason}` }]);
}
