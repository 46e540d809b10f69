import { openDatabase } from '../../src/database/database.ts';
import { settlementOf } from '../records/samples.ts';

/** Writes batches of three until it is killed; says the number of each once it is written. */
const { records } = await openDatabase({ url: process.argv[2] ?? '' });
for (let batch = 0; ; batch += 1) {
  const settlements = [0, 1, 2].map((number) => settlementOf({ leg: `l${batch}-${number}` }));
  await records.writeBatch({ settlements, decisions: [] });
  process.stdout.write(`${batch}\n`);
}
