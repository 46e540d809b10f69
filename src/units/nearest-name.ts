/** Longer than any name we know; a stranger's text must not buy quadratic work. */
const NAME_CHARS_MAX = 64;

/**
 * The right name somebody probably meant by a wrong one, for "did you mean": the nearest by edit distance,
 * the first of equals, and undefined where none is within a third of its length.
 */
export function nearestName(wrong: string, names: Iterable<string>): string | undefined {
  if (wrong.length > NAME_CHARS_MAX) return undefined;
  const wanted = wrong.toLowerCase();
  let nearest: string | undefined;
  let distanceLeast = Infinity;
  for (const name of names) {
    const distance = editDistance(wanted, name.toLowerCase());
    const distanceMax = Math.max(1, Math.floor(Math.max(wanted.length, name.length) / 3));
    if (distance > distanceMax || distance >= distanceLeast) continue;
    nearest = name;
    distanceLeast = distance;
  }
  return nearest;
}

/** Insertions, deletions, replacements and swaps of neighbours, each counted as one. */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = from[row - 1] === to[column - 1] ? 0 : 1;
      let least = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + replaced,
      );
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (row > 1 && column > 1 && swapped) least = Math.min(least, at(beforeLast, column - 2) + 1);
      current.push(least);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, to.length);
}

function at(distances: readonly number[], index: number): number {
  return distances[index] ?? Infinity;
}
