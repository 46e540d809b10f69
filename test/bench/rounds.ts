/**
 * Measures several things in turn, round after round (A B C, B C A, …), so that whatever else this machine does falls on
 * all of them alike. Gives each one's values, a value a round.
 */
export async function interleave<Name extends string, Value>(
  rounds: number,
  things: Readonly<Record<Name, () => Promise<Value> | Value>>,
): Promise<Readonly<Record<Name, readonly Value[]>>> {
  const names = Object.keys(things) as Name[];
  const values = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Value[]>;
  for (let round = 0; round < rounds; round += 1) {
    const turn = round % names.length;
    for (const name of [...names.slice(turn), ...names.slice(0, turn)]) {
      values[name].push(await things[name]());
    }
  }
  return values;
}
