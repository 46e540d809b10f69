/** A number as it was written: in Kazoo `100` and `100.0` are different amounts of money. */
export class NumberText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type ParseWithSource = (
  text: string,
  reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
) => unknown;

/** JSON with every number as the text that stood there. Throws a SyntaxError like `JSON.parse`. */
export function parseJsonWithNumbers(text: string): unknown {
  // The compiler's library does not know the reviver's third argument yet.
  const parse = JSON.parse as ParseWithSource;
  return parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined ? new NumberText(source) : value,
  );
}

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,2}))?$/;

/** The number without exponent and needless zeros, exactly: `1.50e1` is `15`. */
export function plainDecimal({ text }: NumberText): string | undefined {
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const shift = Number.parseInt(exponent, 10);
  const digits = `${whole}${fraction}`;
  const point = whole.length + shift;
  const padded = point < 0 ? `${'0'.repeat(-point)}${digits}` : digits.padEnd(point, '0');
  const left = padded.slice(0, Math.max(0, point)).replace(/^0+/, '');
  const right = padded.slice(Math.max(0, point)).replace(/0+$/, '');
  const magnitude = `${left === '' ? '0' : left}${right === '' ? '' : `.${right}`}`;
  return magnitude === '0' ? magnitude : `${sign}${magnitude}`;
}

/** A whole number, if it is one: `-1` and `5`, and not `5.0`, which Kazoo does not take for one either. */
export function wholeOf({ text }: NumberText): number | undefined {
  if (!/^-?\d{1,15}$/.test(text)) return undefined;
  return Number.parseInt(text, 10);
}
