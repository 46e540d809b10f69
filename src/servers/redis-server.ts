import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assert } from '../units/assert.ts';
import { findExecutable } from './debian-package.ts';
import { freePort } from './free-port.ts';
import { findRedisBinary, installRedisBinary, type RedisBinary } from './redis-binary.ts';
import { askRedis } from './redis-question.ts';

export type RedisOptions = {
  /** Keep every write on disk (append only file, fsync each second), so that a restart finds it. */
  readonly appendonly?: boolean;
  /** Logical databases; 16 as Redis does by itself. */
  readonly databases?: number;
  /** Start one even though `REDIS_URL` names another: for what kills it or changes its settings. */
  readonly ownServer?: boolean;
  readonly environment?: NodeJS.ProcessEnv;
  /** Who hears what is being installed or made do with. */
  readonly say?: (line: string) => void;
};

/** A Redis to work with: `given` by `REDIS_URL`, a real `server` of ours, or the `embedded` one in JavaScript. */
export type StartedRedis = {
  readonly url: string;
  readonly kind: 'given' | 'server' | 'embedded';
  readonly version: string;
  /** Asks it to save and end. A given one is left alone. */
  stop(): Promise<void>;
  /** Ends it without warning, as a crash would. Its files stay for `restart`. */
  kill9(): Promise<void>;
  /** Starts it again on its port and its files; asks it to save and end first if it runs. */
  restart(): Promise<void>;
};

const READY_MS_MAX = 10_000;
const STOP_MS_MAX = 5000;
const POLL_MS = 20;

/** The first of: `REDIS_URL`; a server on this machine; Debian's, installed when root; the embedded one. */
export async function startRedis(options: RedisOptions = {}): Promise<StartedRedis> {
  const environment = options.environment ?? process.env;
  const say = options.say ?? ((line) => process.stderr.write(`${line}\n`));
  const given = environment['REDIS_URL'];
  if (given !== undefined && given !== '' && options.ownServer !== true) return useGiven(given);
  const path = environment['PATH'] ?? '';
  const binary = findRedisBinary(path) ?? (await installRedisBinary(path, say));
  if (binary !== undefined)
    return startOwn('server', (port, folder) => realServer(binary, port, folder, options));
  say(
    'no Redis server can be had here: using js-redis-server, an embedded one without persistence and slower',
  );
  return startOwn('embedded', (port) => embeddedServer(port, options));
}

async function useGiven(url: string): Promise<StartedRedis> {
  const version = await versionOf(url);
  return { url, kind: 'given', version, stop: async () => {}, kill9: refuseToTouch, restart: refuseToTouch };
}

function refuseToTouch(): Promise<never> {
  return Promise.reject(new Error('the Redis of REDIS_URL is not ours to kill or restart'));
}

type Launch = (port: number, folder: string) => ChildProcess;

async function startOwn(kind: 'server' | 'embedded', launch: Launch): Promise<StartedRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-redis-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;

  // `exit` handlers are synchronous: a signal to our own child, by its pid, is all that fits.
  const endWithUs = () => {
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', endWithUs);

  const start = async () => {
    assert(child === undefined, 'a Redis is started only when it is not running');
    child = launch(port, folder);
    await readiness(url, child);
  };
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    const ending = child;
    child = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = once(ending, 'exit');
    ending.kill(signal);
    const impatience = setTimeout(() => ending.kill('SIGKILL'), STOP_MS_MAX);
    await ended;
    clearTimeout(impatience);
  };
  const stop = async () => {
    await end('SIGTERM');
    process.off('exit', endWithUs);
    rmSync(folder, { recursive: true, force: true });
  };

  try {
    await start();
    const version = await versionOf(url);
    const restart = async () => {
      await end('SIGTERM');
      await start();
    };
    return { url, kind, version, stop, kill9: () => end('SIGKILL'), restart };
  } catch (error) {
    await stop();
    throw error;
  }
}

function realServer(binary: RedisBinary, port: number, folder: string, options: RedisOptions): ChildProcess {
  const settings = {
    port: `${port}`,
    bind: '127.0.0.1',
    dir: folder,
    databases: `${options.databases ?? 16}`,
    // Delayed work and blocking reads wake up to 1000/hz ms late.
    hz: '100',
    appendonly: options.appendonly === true ? 'yes' : 'no',
    appendfsync: 'everysec',
    save: '',
    'maxmemory-policy': 'noeviction',
    loglevel: 'warning',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  // Where the system can, the kernel ends the server with us even if we are killed -9. setpriv cannot change the
  // name the program sees, which decides what redis-check-rdb is.
  const setpriv = findExecutable('setpriv', (process.env['PATH'] ?? '').split(delimiter));
  if (setpriv === undefined || !binary.path.endsWith(binary.calledAs)) {
    return spawn(binary.path, args, { argv0: binary.calledAs, stdio: 'ignore' });
  }
  return spawn(setpriv, ['--pdeathsig', 'KILL', binary.path, ...args], { stdio: 'ignore' });
}

function embeddedServer(port: number, options: RedisOptions): ChildProcess {
  const program = fileURLToPath(new URL('./embedded-redis.ts', import.meta.url));
  return spawn(process.execPath, [program, `${port}`, `${options.databases ?? 16}`], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
}

async function readiness(url: string, child: ChildProcess): Promise<void> {
  const giveUpAt = performance.now() + READY_MS_MAX;
  let lastAnswer: unknown;
  while (performance.now() < giveUpAt) {
    if (child.exitCode !== null || child.pid === undefined) break;
    try {
      if ((await askRedis(url, ['PING'])) === 'PONG') return;
    } catch (error) {
      // Not listening yet, or still reading its append only file.
      lastAnswer = error;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  child.kill('SIGKILL');
  throw new Error(`the Redis started at ${url} does not answer PING`, { cause: lastAnswer });
}

async function versionOf(url: string): Promise<string> {
  const info = await askRedis(url, ['INFO', 'server']);
  return /^(?:valkey|redis)_version:(\S+)/m.exec(info)?.[1] ?? 'unknown';
}
