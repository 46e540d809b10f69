import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDemoArguments } from '../../src/demo/demo-arguments.ts';
import { errorsIn, readLog } from '../../src/demo/service-process.ts';
import { createTeardown } from '../../src/demo/teardown.ts';
import { until } from '../../src/demo/waiting.ts';

describe('the arguments', () => {
  it('are --keep, --help or none', () => {
    expect(parseDemoArguments([])).toEqual({ kind: 'play', keep: false });
    expect(parseDemoArguments(['--keep'])).toEqual({ kind: 'play', keep: true });
    expect(parseDemoArguments(['--help'])).toEqual({ kind: 'help' });
  });

  it.each([['--kep'], ['keep']])('%s is refused', (arg) => {
    expect(parseDemoArguments([arg])).toMatchObject({ kind: 'bad' });
  });
});

describe('the teardown', () => {
  it('ends the latest first, each once, and goes on after a failure', async () => {
    const ended: string[] = [];
    const said: string[] = [];
    const teardown = createTeardown();
    teardown.add(() => void ended.push('first'));
    teardown.add(() => Promise.reject(new Error('stuck')));
    teardown.add(() => void ended.push('last'));
    await Promise.all([teardown.end((line) => said.push(line)), teardown.end((line) => said.push(line))]);
    expect(ended).toEqual(['last', 'first']);
    expect(said).toEqual(['while ending: stuck']);
  });
});

describe("the service's log", () => {
  it('is searched for errors, and a line that is none of its own is one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tollgate-log-'));
    const file = join(folder, 'service.log');
    const lines = [
      '{"level":30,"msg":"fine"}',
      '{"level":50,"msg":"bad"}',
      'Error: a crash',
      '{"level":50,"ms',
    ];
    writeFileSync(file, lines.join('\n'));
    expect(errorsIn(readLog(file)).map(({ msg }) => msg)).toEqual(['bad', 'Error: a crash']);
    rmSync(folder, { recursive: true });
  });
});

it('what does not become true is told by name', async () => {
  await expect(until('pigs fly', () => false, Boolean, 0)).rejects.toThrow('in vain: pigs fly');
});
