/** What may be sent to a database beside the text of a query. */
export type QueryParameter = null | string | bigint | number;

/**
 * Drivers write down whatever they are given, a float or a missing value too, and PostgreSQL's makes text of it.
 * Columns get bigints; a number is the limit of a query, and money never comes as one.
 */
export function toQueryParameters(parameters: readonly unknown[]): QueryParameter[] {
  return parameters.map((value) => {
    if (value === null || typeof value === 'string' || typeof value === 'bigint') return value;
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
    throw new TypeError(`a ${typeof value} cannot be a parameter of a query`);
  });
}
