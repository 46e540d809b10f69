import type { Redis } from 'ioredis';
import type { RecordClaim, RecordPlace } from '../calls/record-claim.ts';
import { guardStore } from './connection.ts';
import { leaseKey } from './keys.ts';

const NAME = 'record';

// KEYS 1 the claim. ARGV identity, words, ms. Reply '' it is ours now, else what others claim. Replayed: renewed again.
const HOLD = `
local held = redis.call('GET', KEYS[1])
if held and string.match(held, '^%S+') ~= ARGV[1] then return held end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
return ''`;

/** A lease that everybody with the same record holds together. It is not given up, but ends with the last of them. */
export function createRecordClaim(redis: Redis, options: { readonly leaseMs: number }): RecordClaim {
  const key = leaseKey(NAME);
  return {
    async hold({ identity, words }) {
      const held = await guardStore(() => redis.eval(HOLD, 1, key, identity, words, options.leaseMs));
      return held === '' ? undefined : parsePlace(String(held));
    },
    async holder() {
      const held = await guardStore(() => redis.get(key));
      return held === null ? undefined : parsePlace(held);
    },
  };
}

function parsePlace(text: string): RecordPlace {
  const [identity = ''] = text.split(' ', 1);
  return { identity, words: text.slice(identity.length + 1) };
}
