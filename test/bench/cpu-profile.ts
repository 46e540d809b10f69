import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The parts of a .cpuprofile that are read. */
type ProfileNode = {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
};
type Profile = {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

const ASLEEP: ReadonlySet<string> = new Set(['(idle)', '(root)']);

/**
 * Where the time went in the newest profile of the folder: the functions that took most by themselves, and the ones
 * of ours on whose behalf most was spent (a library's time is its nearest caller's of ours).
 */
export function hottestFunctions(folder: string, count: number): readonly string[] {
  const newest = readdirSync(folder)
    .filter((file) => file.endsWith('.cpuprofile'))
    .map((file) => join(folder, file))
    .toSorted((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs)
    .at(-1);
  if (newest === undefined) return ['no profile was written'];
  const profile = JSON.parse(readFileSync(newest, 'utf8')) as Profile;
  const owners = ownersOf(profile.nodes);
  const names = new Map(profile.nodes.map((node) => [node.id, nameOf(node)]));
  return [
    ...ranking('by themselves', profile, names, count),
    ...ranking('by function of ours', profile, owners, count),
  ];
}

function ranking(
  title: string,
  { samples, timeDeltas }: Profile,
  names: ReadonlyMap<number, string>,
  count: number,
): readonly string[] {
  const micros = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? '?';
    if (!ASLEEP.has(name)) micros.set(name, (micros.get(name) ?? 0) + (timeDeltas[index] ?? 0));
  }
  const total = [...micros.values()].reduce((sum, value) => sum + value, 0);
  const lines = [...micros]
    .toSorted((a, b) => b[1] - a[1])
    .slice(0, count)
    .map(([name, value]) => `  ${((100 * value) / total).toFixed(1).padStart(5)} %  ${name}`);
  return [`${title}:`, ...lines];
}

/** For each node the nearest function of ours at or above it; those under none keep their own name. */
function ownersOf(nodes: readonly ProfileNode[]): ReadonlyMap<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const owners = new Map<number, string>();
  const [root] = nodes;
  const open: { readonly node: ProfileNode; readonly owner: string | undefined }[] =
    root === undefined ? [] : [{ node: root, owner: undefined }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node } = next;
    const owner = isOurs(node) ? nameOf(node) : next.owner;
    owners.set(node.id, owner ?? nameOf(node));
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (child !== undefined) open.push({ node: child, owner });
    }
  }
  return owners;
}

function isOurs({ callFrame: { url } }: ProfileNode): boolean {
  return url.includes('/src/') && !url.includes('node_modules');
}

function nameOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  return url === '' ? name : `${name} ${url.split('/').slice(-3).join('/')}:${lineNumber + 1}`;
}
