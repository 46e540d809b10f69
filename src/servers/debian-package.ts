import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export type Say = (line: string) => void;

const APT_GET_MS_MAX = 120_000;

/** Whether this package could be installed here: with apt-get, where there is one and we are root. */
export function canInstall(path: string): boolean {
  return aptGetOn(path) !== undefined && process.getuid?.() === 0;
}

/** The package and nothing that it only recommends. Its list of packages may be old: once more with a new one. */
export async function installPackage(path: string, name: string, say: Say): Promise<boolean> {
  const aptGet = aptGetOn(path);
  if (aptGet === undefined) return false;
  const install = ['install', '-y', '--no-install-recommends', name];
  const installed =
    (await runAptGet(aptGet, install)) ||
    ((await runAptGet(aptGet, ['update'])) && (await runAptGet(aptGet, install)));
  if (!installed) say('apt-get could not install it');
  return installed;
}

export function findExecutable(name: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => join(folder, name)).find((file) => isExecutable(file));
}

function aptGetOn(path: string): string | undefined {
  return findExecutable('apt-get', path.split(delimiter));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    // Not there, or not ours to run: the next folder may have it.
    return false;
  }
}

async function runAptGet(aptGet: string, args: readonly string[]): Promise<boolean> {
  const child = spawn(aptGet, ['-q', ...args], {
    stdio: 'ignore',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: APT_GET_MS_MAX,
  });
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}
