import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestCount } from './support/count-reporter.ts';

// Runs vitest with the arguments given to it and prints, as its last line, how many tests passed and failed.

const project = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tollgate-test-'));
const countFile = join(folder, 'count.json');

const exitCode = await runVitest(process.argv.slice(2));
const count = readCount();
rmSync(folder, { recursive: true, force: true });

for (const test of count.secondTry) console.log(`only at the second try: ${test}`);
for (const [reason, tests] of Object.entries(count.skipped)) console.log(`${tests} skipped (${reason})`);
// Vitest can fail without a failed test (no test found, a broken global setup): that counts as one.
const failed = exitCode !== 0 && count.failed === 0 ? 1 : count.failed;
console.log(`${count.passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function runVitest(args: readonly string[]): Promise<number> {
  const vitest = join(project, 'node_modules/vitest/vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', ...args], {
    cwd: project,
    stdio: 'inherit',
    env: { ...process.env, TEST_COUNT_FILE: countFile },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.once('error', () => resolve(1));
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

function readCount(): TestCount {
  if (!existsSync(countFile)) return { passed: 0, failed: 0, skipped: {}, secondTry: [] };
  const read: TestCount = JSON.parse(readFileSync(countFile, 'utf8'));
  return read;
}
