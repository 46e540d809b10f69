import { assert } from '../units/assert.ts';

/** One branch of a dial: the admission counts and funds it by itself, and a refused one is left out (DESIGN 3). */
export type Branch = {
  readonly name: string;
  /** Undefined: the dialplan dials. */
  readonly dial: string | undefined;
  readonly callee: string | undefined;
  readonly routes: readonly string[];
  readonly destination: string | undefined;
};

const BRANCHES_MAX = 32;
/**
 * What a dial string may hold: no expansion and no quoting. The wire takes no other, and would find out only when
 * the call is admitted; a test holds the two together.
 */
const DIALLABLE = /^[\w.:@+\-/,=*#()[\]!~?&<>%;|{}][\w.:@+\-/,=*#()[\]!~?&<>%;|{} ]{0,8191}$/;
/** A branch of a list dials one thing: forks and failover are what the list is for. */
const ONE_ENDPOINT = /^[^,|:]+(?::[^_:][^,|]*)?$/;

type Defaults = Omit<Branch, 'name' | 'dial'>;

/**
 * Reads `tollgate_bridge`: unset, a dial string, or a JSON list of branches. Undefined for a list that is none of
 * that: the call is refused rather than dialled by halves.
 */
export function parseBranches(bridge: string | undefined, defaults: Defaults): readonly Branch[] | undefined {
  const text = bridge?.trim() ?? '';
  if (text === '') return [{ name: branchName(0), dial: undefined, ...defaults }];
  if (!text.startsWith('[{')) {
    return DIALLABLE.test(text) ? [{ name: branchName(0), dial: text, ...defaults }] : undefined;
  }
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return undefined; // Not JSON: a value, reported by the caller as a refusal.
  }
  if (!Array.isArray(list) || list.length === 0 || list.length > BRANCHES_MAX) return undefined;
  const branches = list.map((item: unknown, index) => parseBranch(item, branchName(index)));
  if (!branches.every((branch) => branch !== undefined)) return undefined;
  return DIALLABLE.test(dialStringOf(branches, branches.length) ?? '') ? branches : undefined;
}

/** The dial string of the admitted branches. A single one needs no name: it is the one a placed leg is taken for. */
export function dialStringOf(admitted: readonly Branch[], all: number): string | undefined {
  const dials = admitted.map(({ dial, name }) => {
    if (dial === undefined || all === 1) return dial;
    return `[tollgate_branch=${name}]${dial}`;
  });
  return dials.every((dial) => dial !== undefined) && dials.length > 0 ? dials.join(',') : undefined;
}

/** Branch names are places in the dial: what a leg without a branch variable belongs to is the first. */
export function branchName(index: number): string {
  assert(index >= 0 && index < BRANCHES_MAX, 'a dial has at most 32 branches');
  return `b${index + 1}`;
}

function parseBranch(item: unknown, name: string): Branch | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  const { dial, callee, route, destination, ...unknown } = item as Readonly<Record<string, unknown>>;
  const words = [callee, route, destination];
  if (
    Object.keys(unknown).length > 0 ||
    !words.every((word) => word === undefined || typeof word === 'string')
  ) {
    return undefined;
  }
  if (typeof dial !== 'string' || !ONE_ENDPOINT.test(dial)) return undefined;
  return {
    name,
    dial,
    callee: callee as string | undefined,
    routes: route === undefined ? [] : (route as string).split(',').map((word) => word.trim()),
    destination: destination as string | undefined,
  };
}
