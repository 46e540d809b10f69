import { createCutoffQueue } from '../../src/queue/cutoff-queue.ts';
import { parseAccountPath } from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { createMemoryLog } from '../freeswitch/support/memory-log.ts';
import { testBucketKey } from './bucket.ts';

// A program of its own, to be killed at work: it arms one second, begins to look, says so and never ends.
const [url = '', prefix = ''] = process.argv.slice(2);
const queue = createCutoffQueue({
  url,
  prefix,
  controllerId: 'doomed',
  bucketKey: (second) => testBucketKey(prefix, second),
  clock: () => toEpochMs(Date.now()),
  dueWithin: async () => [],
  log: createMemoryLog(),
  earlyMs: 300,
});
await queue.start({
  lookAt: () => {
    process.stdout.write('looking\n');
    return new Promise(() => undefined);
  },
  sweep: async () => undefined,
});
const alice = parseAccountPath('acme/alice');
if (alice !== undefined) queue.arm(alice, toEpochMs(Math.ceil((Date.now() + 900) / 1000) * 1000));
