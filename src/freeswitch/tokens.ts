/**
 * Text that may stand in a FreeSWITCH command, because every character of it is on the list of its kind. There
 * is no escaping: quoting rules differ from command to command and expand more than once, so what is not
 * listed is refused. No kind has CR, LF, NUL, a quote, a backslash or `$`.
 */
export type SafeToken = string & { readonly __brand: 'SafeToken' };

export type TokenKind = keyof typeof PATTERNS;

const PATTERNS = {
  uuid: /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/,
  number: /^\+?[0-9*#]{1,32}$/,
  cause: /^[A-Z][A-Z0-9_]{1,63}$/,
  // Not a dash first: `uuid_transfer` would take it for an option.
  extension: /^[A-Za-z0-9+*#_.][A-Za-z0-9+*#_.@-]{0,127}$/,
  context: /^[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,127}$/,
  'variable name': /^(?:nolocal:)?[A-Za-z_][A-Za-z0-9_]{0,63}$/,
  // `;` separates variables; brackets, braces and `|` mean something to the dial string a variable may end up
  // in. A space is kept only inside, since FreeSWITCH trims the ends. Empty unsets the variable.
  'variable value': /^(?:[\w.:@+\-/,=*#()!~?%][\w.:@+\-/,=*#()!~?% ]{0,4095}(?<! ))?$/,
  application: /^(?:respond|bridge|hangup|playback|multiset)$/,
  'sip code': /^[3-6][0-9]{2}$/,
  'sip reason': /^[A-Za-z0-9][A-Za-z0-9 .-]{0,63}$/,
  // Made of the operator's own dial string, so forks and variables are allowed; expansion and quoting are not.
  'dial string': /^[\w.:@+\-/,=*#()[\]!~?&<>%;|{}][\w.:@+\-/,=*#()[\]!~?&<>%;|{} ]{0,8191}$/,
  sound: /^[A-Za-z0-9_/.~][\w.:@+\-/,=*#()!~%;]{0,255}$/,
  seconds: /^[1-9][0-9]{0,8}$/,
  'dead-man group': /^tollgate_[A-Za-z0-9_.-]{1,160}$/,
  'event name': /^[A-Z][A-Z_]{2,63}$/,
  // ASCII without control characters; sent once, in `auth`, where FreeSWITCH takes the rest of the line.
  password: /^[\x21-\x7e]{1,256}$/,
} as const;

const SAMPLE_CHARACTERS_MAX = 40;

export class TokenError extends Error {
  override readonly name = 'TokenError';
  readonly kind: TokenKind;

  constructor(kind: TokenKind, text: string) {
    super(`not a valid ${kind}: ${kind === 'password' ? '(hidden)' : sampleOf(text)}`);
    this.kind = kind;
  }
}

export function toToken(kind: TokenKind, text: string): SafeToken {
  // JavaScript's `$` stands only at the very end without the m flag: no trailing newline slips through.
  if (!PATTERNS[kind].test(text)) throw new TokenError(kind, text);
  return brand(text);
}

/** FreeSWITCH reads at most 256 pairs of one list and drops the rest without a word. */
const VARIABLES_MAX = 256;

/** `a=1;b=2`, as `uuid_setvar_multi` and, behind `^^;`, the application `multiset` read it. */
export function toVariableList(variables: ReadonlyMap<string, string>): SafeToken {
  if (variables.size > VARIABLES_MAX) throw new TokenError('variable name', `${variables.size} variables`);
  return joinTokens(
    ';',
    [...variables].map(([name, value]) =>
      joinTokens('=', [toToken('variable name', name), toToken('variable value', value)]),
    ),
  );
}

/** A word of the program's own: only a literal type is taken. */
export function literal<const Text extends string>(text: string extends Text ? never : Text): SafeToken {
  return brand(text);
}

export function joinTokens(
  separator: ' ' | ';' | '=' | '+' | '^^;',
  tokens: readonly SafeToken[],
): SafeToken {
  return brand(tokens.join(separator));
}

function brand(text: string): SafeToken {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the callers above have looked at the text
  return text as SafeToken;
}

function sampleOf(text: string): string {
  const clean = text.slice(0, SAMPLE_CHARACTERS_MAX).replace(/[^\x20-\x7e]/g, '?');
  return JSON.stringify(text.length > SAMPLE_CHARACTERS_MAX ? `${clean}…` : clean);
}
