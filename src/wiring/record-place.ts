import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { RecordPlace } from '../calls/record-claim.ts';
import type { Database } from '../database/database.ts';

/** Of this start of the kernel: one for all containers of a host, and another on each host, whatever they are called. */
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** SQLite coordinates its writers by memory that they share: its file is the same record on the same host only. */
export function recordPlaceOf({ kind, id, name }: Pick<Database, 'kind' | 'id' | 'name'>): RecordPlace {
  return kind === 'postgres'
    ? { identity: `postgres:${id}`, words: `PostgreSQL (${name})` }
    : { identity: `sqlite:${id}:${hostIdentity()}`, words: `SQLite (${name} on host ${hostname()})` };
}

function hostIdentity(): string {
  const identity = existsSync(BOOT_ID) ? readFileSync(BOOT_ID, 'utf8') : hostname();
  return identity.trim().replaceAll(/\s/g, '-');
}
