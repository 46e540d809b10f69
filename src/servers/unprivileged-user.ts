import { readFileSync } from 'node:fs';

/** Who runs a program that refuses to be run by root. */
export type User = { readonly name: string; readonly uid: number; readonly gid: number };

const CANDIDATES = ['postgres', 'nobody'];

/** Undefined: we are not root, and run it ourselves. `none`: we are, and there is nobody else on this machine. */
export function findUnprivilegedUser(): User | undefined | 'none' {
  if (process.getuid?.() !== 0) return undefined;
  const users = readUsers();
  return CANDIDATES.map((name) => users.get(name)).find((user) => user !== undefined) ?? 'none';
}

function readUsers(): ReadonlyMap<string, User> {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  return new Map(
    lines.flatMap((line): [string, User][] => {
      const [name = '', , uid = '', gid = ''] = line.split(':');
      return uid === '' ? [] : [[name, { name, uid: Math.trunc(+uid), gid: Math.trunc(+gid) }]];
    }),
  );
}
