import { Redis } from 'ioredis';
import { parseRerateRunId } from '../../src/units/ids.ts';
import { live } from './mortal-rerate.ts';

/** Carries out a run until it is done or killed: says `begun` at its first step, and what became of it. */
const [path = '', redisUrl = '', name = '', wanted = '', number = ''] = process.argv.slice(2);
const run = parseRerateRunId(name);
if (run === undefined || (wanted !== 'applying' && wanted !== 'reverting')) throw new Error('no such run');
const redis = new Redis(redisUrl);
process.stdout.write('begun\n');
const outcome = await live({
  path,
  redis,
  run,
  wanted,
  number: Number(number),
  diesAt: Number.POSITIVE_INFINITY,
});
process.stdout.write(`${outcome?.kind}\n`);
redis.disconnect();
