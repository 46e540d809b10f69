import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program that is a Redis, and the name it must be called by. */
export type RedisBinary = { readonly path: string; readonly calledAs: string };

type Say = (line: string) => void;

const SERVER_NAMES = ['redis-server', 'valkey-server'];
const APT_GET_MS_MAX = 120_000;

/** The first `redis-server` or `valkey-server` on the PATH, or in the sbin folders that a user's PATH may lack. */
export function findRedisBinary(path: string): RedisBinary | undefined {
  const folders = [...path.split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  for (const name of SERVER_NAMES) {
    const found = findExecutable(name, folders);
    if (found !== undefined) return { path: found, calledAs: name };
  }
  return undefined;
}

/**
 * Debian's Redis, where we are root and apt-get is there. It is the package `redis-tools` and not `redis-server`:
 * both hold the same program (called `redis-check-rdb` in the first), but only the second starts a system service.
 */
export async function installRedisBinary(path: string, say: Say): Promise<RedisBinary | undefined> {
  const aptGet = findExecutable('apt-get', path.split(delimiter));
  if (aptGet === undefined || process.getuid?.() !== 0) return undefined;
  say(
    'no redis-server on this machine: installing Debian package redis-tools with apt-get (starts no service)',
  );
  const installed =
    (await runAptGet(aptGet, ['install', '-y', '--no-install-recommends', 'redis-tools'])) ||
    ((await runAptGet(aptGet, ['update'])) &&
      (await runAptGet(aptGet, ['install', '-y', '--no-install-recommends', 'redis-tools'])));
  const server = installed ? findExecutable('redis-check-rdb', ['/usr/bin']) : undefined;
  if (server === undefined) say('apt-get could not install it');
  return server === undefined ? undefined : { path: server, calledAs: 'redis-server' };
}

export function findExecutable(name: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => join(folder, name)).find((file) => isExecutable(file));
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
