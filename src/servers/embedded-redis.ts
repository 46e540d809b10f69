import { createRedisServer } from 'js-redis-server';

// A program of its own, started by `startRedis` where no real Redis can be had: it must not share the event loop
// of what is being tested. It ends with its parent, whose end closes the standard input.
const [port = '0', databaseCount = '16'] = process.argv.slice(2);
await createRedisServer({ port: Math.trunc(+port), databaseCount: Math.trunc(+databaseCount) });
process.stdin.resume();
process.stdin.once('end', () => process.exit(0));
