import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

export type TestCount = {
  readonly passed: number;
  readonly failed: number;
  /** By reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Those that passed only when they were tried again, with what they failed of first. */
  readonly secondTry: readonly string[];
};

const NO_REASON = 'no reason given in the test';

/** Writes what was counted to a file, for `test/run.ts` to print last. */
export function countReporter(file: string): Reporter {
  return {
    onTestRunEnd(modules, unhandledErrors) {
      writeFileSync(file, JSON.stringify(countTests(modules, unhandledErrors.length)));
    },
  };
}

function countTests(modules: readonly TestModule[], unhandledErrors: number): TestCount {
  let passed = 0;
  let failed = unhandledErrors;
  const skipped: Record<string, number> = {};
  const secondTry: string[] = [];
  for (const module of modules) {
    // A file that does not load, and a hook that throws, fail no test of their own.
    failed += module.errors().length;
    for (const suite of module.children.allSuites()) failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (test.diagnostic()?.flaky === true) {
        const [first] = result.errors?.[0]?.message.split('\n') ?? [];
        secondTry.push(`${module.relativeModuleId}: ${test.fullName}: ${first ?? ''}`);
      }
      if (result.state === 'passed') passed += 1;
      else if (result.state === 'failed') failed += 1;
      else {
        const reason = (result.state === 'skipped' ? result.note : undefined) ?? NO_REASON;
        skipped[reason] = (skipped[reason] ?? 0) + 1;
      }
    }
  }
  return { passed, failed, skipped, secondTry };
}
