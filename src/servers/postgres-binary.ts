import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { canInstall, findExecutable, installPackage, type Say } from './debian-package.ts';

/** The two programs of one release of PostgreSQL that a server of our own needs. */
export type PostgresBinaries = { readonly initdb: string; readonly postgres: string };

/** Where Debian keeps a folder for each release; they are on nobody's PATH. */
const DEBIAN_RELEASES = '/usr/lib/postgresql';
const DEBIAN_CLUSTERS = '/etc/postgresql-common/createcluster.d';

/** The newest release that Debian's packages have installed, else what is on the PATH. */
export function findPostgresBinaries(path: string): PostgresBinaries | undefined {
  return (
    debianReleases()
      .map((release) => binariesIn([join(DEBIAN_RELEASES, release, 'bin')]))
      .find((found) => found !== undefined) ?? binariesIn(path.split(delimiter))
  );
}

/**
 * Debian's PostgreSQL, where we are root and apt-get is there. Its package would make a cluster and start a service;
 * a file beside its settings, only there during the installation, says that none is wanted.
 */
export async function installPostgresBinaries(path: string, say: Say): Promise<PostgresBinaries | undefined> {
  if (!canInstall(path)) return undefined;
  say('no PostgreSQL on this machine: installing Debian package postgresql with apt-get (starts no service)');
  const wish = join(DEBIAN_CLUSTERS, 'none-for-tollgate.conf');
  const madeFolder = mkdirSync(DEBIAN_CLUSTERS, { recursive: true }) !== undefined;
  writeFileSync(wish, 'create_main_cluster = false\n');
  try {
    if (!(await installPackage(path, 'postgresql', say))) return undefined;
    return findPostgresBinaries(path);
  } finally {
    rmSync(wish, { force: true });
    if (madeFolder && readdirSync(DEBIAN_CLUSTERS).length === 0)
      rmSync(DEBIAN_CLUSTERS, { recursive: true, force: true });
  }
}

function debianReleases(): readonly string[] {
  if (!existsSync(DEBIAN_RELEASES)) return [];
  return readdirSync(DEBIAN_RELEASES).toSorted((a, b) => Number(b) - Number(a));
}

function binariesIn(folders: readonly string[]): PostgresBinaries | undefined {
  const initdb = findExecutable('initdb', folders);
  const postgres = findExecutable('postgres', folders);
  return initdb === undefined || postgres === undefined ? undefined : { initdb, postgres };
}
