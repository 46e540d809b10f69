/** A promise this program makes to itself was broken. Nothing catches it but the outermost handler, which stops the process. */
export class BrokenPromiseError extends Error {
  override readonly name = 'BrokenPromiseError';
}

export function assert(condition: boolean, promise: string): asserts condition {
  if (!condition) throw new BrokenPromiseError(promise);
}

/** Ends a switch over a union: leaving a member out does not compile. */
export function assertNever(value: never, what: string): never {
  throw new BrokenPromiseError(`unexpected ${what}: ${JSON.stringify(value)}`);
}
