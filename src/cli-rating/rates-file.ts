import { createReadStream } from 'node:fs';
import { BadInputError } from '../command-line/command.ts';
import { readTariffCsv, type TariffReading } from '../imports/tariff-csv.ts';
import type { Rate } from '../rating/rate.ts';

/** All rates of a tariff's CSV file that `field` names, `-` being standard input; whatever is wrong with it is bad input. */
export async function readRatesFile(file: string, field: string): Promise<readonly Rate[]> {
  const reading = await read(file, field);
  if (reading.kind === 'rates') return reading.rates;
  const problems = reading.errors.map(({ line, field: column, value, expected }) => ({
    field: `${file}:${line}: ${column}`,
    value: JSON.stringify(value),
    expected,
  }));
  throw new BadInputError(problems, problems.length + reading.more);
}

async function read(file: string, field: string): Promise<TariffReading> {
  try {
    return await readTariffCsv({ file, bytes: file === '-' ? process.stdin : createReadStream(file) });
  } catch (error) {
    // Only the system's errors have a code: the file is not there, or may not be read.
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new BadInputError([{ field, value: file, expected: `a file that can be read: ${error.message}` }]);
  }
}
