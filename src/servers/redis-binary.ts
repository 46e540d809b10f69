import { delimiter } from 'node:path';
import { canInstall, findExecutable, installPackage, type Say } from './debian-package.ts';

/** A program that is a Redis, and the name it must be called by. */
export type RedisBinary = { readonly path: string; readonly calledAs: string };

const SERVER_NAMES = ['redis-server', 'valkey-server'];

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
  if (!canInstall(path)) return undefined;
  say(
    'no redis-server on this machine: installing Debian package redis-tools with apt-get (starts no service)',
  );
  if (!(await installPackage(path, 'redis-tools', say))) return undefined;
  const server = findExecutable('redis-check-rdb', ['/usr/bin']);
  return server === undefined ? undefined : { path: server, calledAs: 'redis-server' };
}
