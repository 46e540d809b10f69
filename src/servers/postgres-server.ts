import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Client } from 'pg';
import { assert } from '../units/assert.ts';
import { findExecutable, type Say } from './debian-package.ts';
import { freePort } from './free-port.ts';
import { findPostgresBinaries, installPostgresBinaries, type PostgresBinaries } from './postgres-binary.ts';
import { findUnprivilegedUser, type User } from './unprivileged-user.ts';

/** A PostgreSQL of our own, thrown away in the end: it keeps nothing safe. */
export type StartedPostgres = {
  readonly kind: 'server';
  readonly version: string;
  /** The address of one of its databases. `postgres` is there from the beginning. */
  url(database: string): string;
  /** Ends every connection, and it. */
  stop(): Promise<void>;
  /** Ends it as a crash would: without a word to its clients. Its files stay for `restart`. */
  crash(): Promise<void>;
  /** Starts it again on its port and its files; ends it first if it runs. */
  restart(): Promise<void>;
};

/** None can be had here, and why. */
export type NoPostgres = { readonly kind: 'none'; readonly why: string };

export type PostgresOptions = {
  readonly environment?: NodeJS.ProcessEnv;
  /** Who hears what is being installed. */
  readonly say?: Say;
};

/** May do everything without a password; any other role has to give its own. */
const SUPERUSER = 'tollgate';
const ACCESS = `host all ${SUPERUSER} 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n`;
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '300',
  shared_buffers: '64MB',
  // It outlives its own crash all the same; only a crash of the machine would cost what is not on disk.
  fsync: 'off',
  full_page_writes: 'off',
  log_min_messages: 'fatal',
};
const READY_MS_MAX = 20_000;
const STOP_MS_MAX = 10_000;
const POLL_MS = 20;

/** A server on this machine, else Debian's, installed when root. It is `none` that says why there is none. */
export async function startPostgres(options: PostgresOptions = {}): Promise<StartedPostgres | NoPostgres> {
  const path = (options.environment ?? process.env)['PATH'] ?? '';
  const say = options.say ?? ((line) => process.stderr.write(`${line}\n`));
  const binaries = findPostgresBinaries(path) ?? (await installPostgresBinaries(path, say));
  if (binaries === undefined) return { kind: 'none', why: 'PostgreSQL is not installed' };
  const user = findUnprivilegedUser();
  if (user === 'none')
    return { kind: 'none', why: 'PostgreSQL refuses to run as root, and there is no other user' };
  return await startCluster(binaries, user);
}

async function startCluster(
  binaries: PostgresBinaries,
  user: User | undefined,
): Promise<StartedPostgres | NoPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-postgres-'));
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const why = await initialise({ binaries, user, folder, data });
  if (why !== undefined) {
    remove();
    return { kind: 'none', why };
  }
  const port = await freePort();
  const url = (database: string): string => `postgres://${SUPERUSER}@127.0.0.1:${port}/${database}`;
  let child: ChildProcess | undefined;

  // `exit` handlers are synchronous: a signal to our own child, by its pid, is all that fits.
  const endWithUs = (): void => {
    child?.kill('SIGQUIT');
    remove();
  };
  process.once('exit', endWithUs);

  const start = async (): Promise<void> => {
    assert(child === undefined, 'a PostgreSQL is started only when it is not running');
    child = launch({ binaries, user, folder, data, port });
    await readiness(url('postgres'), child);
  };
  const end = async (signal: 'SIGINT' | 'SIGQUIT'): Promise<void> => {
    const ending = child;
    child = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = once(ending, 'exit');
    ending.kill(signal);
    const impatience = setTimeout(() => ending.kill('SIGQUIT'), STOP_MS_MAX);
    await ended;
    clearTimeout(impatience);
  };
  const stop = async (): Promise<void> => {
    await end('SIGINT');
    process.off('exit', endWithUs);
    remove();
  };

  try {
    await start();
    const restart = async (): Promise<void> => {
      await end('SIGINT');
      await start();
    };
    const version = await versionOf(url('postgres'));
    return { kind: 'server', version, url, stop, crash: () => end('SIGQUIT'), restart };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Cluster = {
  readonly binaries: PostgresBinaries;
  readonly user: User | undefined;
  readonly folder: string;
  readonly data: string;
};

/** Makes its files; says why it cannot, such as a folder for temporary files that is not open to everybody. */
async function initialise({ binaries, user, folder, data }: Cluster): Promise<string | undefined> {
  const args = ['-D', data, '-U', SUPERUSER, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  const child = spawn(binaries.initdb, args, {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      said += error.message;
      resolve(null);
    });
    child.once('close', resolve);
  });
  if (code !== 0) return `initdb failed: ${said.trim().split('\n').at(-1) ?? ''}`;
  writeFileSync(join(data, 'pg_hba.conf'), ACCESS);
  return undefined;
}

function launch({ binaries, user, folder, data, port }: Cluster & { readonly port: number }): ChildProcess {
  const settings = Object.entries({ ...SETTINGS, port: `${port}` });
  const args = ['-D', data, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  // Where the system can, the kernel ends the server with us even if we are killed -9.
  const setpriv = findExecutable('setpriv', (process.env['PATH'] ?? '').split(delimiter));
  if (setpriv === undefined) {
    const as = user === undefined ? {} : { uid: user.uid, gid: user.gid };
    return spawn(binaries.postgres, args, { cwd: folder, stdio: 'ignore', ...as });
  }
  const as = user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  const first = [...as, '--pdeathsig', 'QUIT', binaries.postgres];
  return spawn(setpriv, [...first, ...args], { cwd: folder, stdio: 'ignore' });
}

async function readiness(url: string, child: ChildProcess): Promise<void> {
  const giveUpAt = performance.now() + READY_MS_MAX;
  let lastAnswer: unknown;
  while (performance.now() < giveUpAt) {
    if (child.exitCode !== null || child.pid === undefined) break;
    try {
      await versionOf(url);
      return;
    } catch (error) {
      // Not listening yet, or still reading its log.
      lastAnswer = error;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  child.kill('SIGKILL');
  throw new Error(`the PostgreSQL started at ${url} does not answer`, { cause: lastAnswer });
}

async function versionOf(url: string): Promise<string> {
  const client = new Client({ connectionString: url });
  // Its end is told by the question that fails.
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<{ server_version: string }>('show server_version');
    return rows[0]?.server_version ?? 'unknown';
  } finally {
    await client.end();
  }
}
