import { defineConfig } from 'vitest/config';
import { countReporter } from './test/support/count-reporter.ts';

const countFile = process.env['TEST_COUNT_FILE'];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/redis-setup.ts', 'test/support/postgres-setup.ts'],
    reporters: countFile === undefined ? ['default'] : ['default', countReporter(countFile)],
    // Most of the long files wait for calls to end: more of them than cores run at once.
    maxWorkers: 3,
    // A shared machine can pause for seconds; a test that hangs still ends.
    testTimeout: 60_000,
    // And a call can be cut late by such a pause. The whole set tries what failed once more and names it at its end;
    // never what found its case at random, which the second try would not meet again.
    ...(countFile === undefined ? {} : { retry: { count: 1, condition: /^(?!.*(?:seed|Property failed))/s } }),
    hookTimeout: 60_000,
  },
});
