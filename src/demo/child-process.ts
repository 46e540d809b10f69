import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findExecutable } from '../servers/debian-package.ts';

const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url));

/** Every child of ours that still runs: ended by its pid, whatever way this process goes. */
const running = new Set<ChildProcess>();

// `exit` handlers are synchronous: a signal is all that fits.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * The real command line in a process of its own. It is kept away from the terminal's Ctrl-C, so that the parts can
 * be ended in order; where the system can, the kernel ends it with us even if we are killed -9.
 */
export function spawnTollgate(args: readonly string[], options: SpawnOptions): ChildProcess {
  const command = [process.execPath, CLI, ...args];
  const setpriv = findExecutable('setpriv', (process.env['PATH'] ?? '').split(delimiter));
  const [program = '', ...rest] =
    setpriv === undefined ? command : [setpriv, '--pdeathsig', 'TERM', ...command];
  const child = spawn(program, rest, { ...options, detached: true });
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.once('error', () => running.delete(child));
  return child;
}

/** Asks it to end, and ends it when it does not. */
export async function endChild(child: ChildProcess, patienceMs: number): Promise<void> {
  if (!running.has(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const impatience = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await ended;
  clearTimeout(impatience);
}
