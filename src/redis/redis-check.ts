import type { Redis } from 'ioredis';
import { StoreUnavailableError } from '../admission/live-store.ts';
import { guardStore } from './connection.ts';

/** A setting of Redis that Tollgate runs badly or unsafely with. `message` says what to do about it. */
export type RedisWarning = {
  readonly kind: 'version' | 'hz' | 'eviction' | 'persistence' | 'config-unreadable';
  readonly message: string;
};

/** Delayed jobs fire up to 1000/hz ms late: measured 105 ms at hz 10, 22 ms at hz 100. */
const HZ_MIN = 50;
const VERSION_MAJOR_MIN = 7;

/** Looks at the Redis once, at start. Rejects only when Redis does not answer at all. */
export async function checkRedis(redis: Redis): Promise<readonly RedisWarning[]> {
  const warnings: RedisWarning[] = [];
  const version = await readVersion(redis);
  if (version !== undefined && Math.trunc(Number(version.split('.')[0])) < VERSION_MAJOR_MIN) {
    warnings.push({
      kind: 'version',
      message: `Redis ${version} is too old: use ${VERSION_MAJOR_MIN} or later`,
    });
  }
  const settings = await readSettings(redis);
  if (settings === undefined) {
    const message = 'CONFIG GET is not allowed here: see to hz, maxmemory-policy and persistence yourself';
    return [...warnings, { kind: 'config-unreadable', message }];
  }
  const hz = settings.get('hz');
  if (hz !== undefined && Number(hz) < HZ_MIN) {
    const message = `hz is ${hz}: jobs fire up to ${Math.round(1000 / Number(hz))} ms late; set it to 100`;
    warnings.push({ kind: 'hz', message });
  }
  const policy = settings.get('maxmemory-policy');
  if (policy !== undefined && policy !== 'noeviction') {
    const message = `maxmemory-policy is ${policy}: live calls may be forgotten; set it to noeviction`;
    warnings.push({ kind: 'eviction', message });
  }
  if (settings.get('appendonly') === 'no') {
    const snapshots = (settings.get('save') ?? '') !== '';
    const lost = snapshots ? 'what happened since its last snapshot' : 'all live state';
    const message = `appendonly is off: a restart of Redis loses ${lost}; set it to yes`;
    warnings.push({ kind: 'persistence', message });
  }
  return warnings;
}

/** Valkey gives the Redis version it is compatible with, which is stuck at 7, and its own beside it. */
async function readVersion(redis: Redis): Promise<string | undefined> {
  const info = await guardStore(() => redis.info('server'));
  return /^(?:valkey|redis)_version:(\S+)/m.exec(info)?.[1];
}

/** Undefined where the server forbids it, as hosted ones and restricted users do. */
async function readSettings(redis: Redis): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    const settings = new Map<string, string>();
    for (const name of ['hz', 'maxmemory-policy', 'appendonly', 'save']) {
      const [found, value] = await redis.config('GET', name);
      if (found !== undefined && value !== undefined) settings.set(found, value);
    }
    return settings;
  } catch (error) {
    // A reply, not silence: NOPERM, an unknown command, or one that was renamed away.
    if (error instanceof Error && error.name === 'ReplyError') return undefined;
    throw new StoreUnavailableError('redis did not answer', { cause: error });
  }
}
