/** A set of characters: those named, or all but those named. */
export type CharacterSet = { readonly characters: ReadonlySet<string>; readonly negated: boolean };

/** A pattern as it was understood. Groups are gone: nothing is captured. */
export type PatternNode =
  | { readonly kind: 'character'; readonly set: CharacterSet }
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly part: PatternNode; readonly min: number; readonly max: number };

/** What is wrong with a pattern, as the end of the sentence "expected …". */
export type BadPattern = { readonly kind: 'bad'; readonly expected: string };

/** Longer than a list of a hundred area codes; what nobody can read nobody can check. */
const PATTERN_CHARS_MAX = 1000;
const GROUP_DEPTH_MAX = 8;
/** Longer than anything that can be dialled. */
const REPEAT_MAX = 64;

const DIGITS = '0123456789';
const ANY: CharacterSet = { characters: new Set(), negated: true };
const PRINTABLE = /^[ -~]$/;
const PUNCTUATION = /^[ -/:-@[-`{-~]$/;
/** Means something, or would in another dialect: as itself it needs a backslash. */
const SPECIAL = '\\^$.|?*+()[]{}';

class PatternSyntaxError extends Error {
  override readonly name = 'PatternSyntaxError';
}

/**
 * Reads the part of regular expressions that numbers need: characters, `.`, `\d`, classes, groups, `|`, anchors and
 * repeats. An endless repeat may only repeat one character or class, and may not itself be repeated: `(a+)+` and
 * `(a|a)*`, which take some engines for ever, mean nothing that cannot be written plainly.
 */
export function parsePatternSyntax(text: string): PatternNode | BadPattern {
  if (text.length > PATTERN_CHARS_MAX) {
    return { kind: 'bad', expected: `a pattern of at most ${PATTERN_CHARS_MAX} characters` };
  }
  try {
    return createReader(text).read();
  } catch (error) {
    if (error instanceof PatternSyntaxError) return { kind: 'bad', expected: error.message };
    throw error;
  }
}

function createReader(text: string) {
  let at = 0;
  let depth = 0;

  const refuse = (expected: string): never => {
    throw new PatternSyntaxError(`${expected}, at character ${Math.min(at + 1, text.length)}`);
  };
  const skip = (token: string): boolean => {
    if (!text.startsWith(token, at)) return false;
    at += token.length;
    return true;
  };

  function readChoice(): PatternNode {
    const parts = [readSequence()];
    while (skip('|')) parts.push(readSequence());
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: 'choice', parts };
  }

  function readSequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (at < text.length && text[at] !== '|' && text[at] !== ')') parts.push(readRepeated());
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: 'sequence', parts };
  }

  function readRepeated(): PatternNode {
    const part = readAtom();
    const range = readRange();
    if (range === undefined) return part;
    if (part.kind === 'start' || part.kind === 'end') refuse('no repeat of an anchor');
    if (range.max === Infinity && part.kind !== 'character') {
      refuse('"*" and "+" behind one character or class only, never behind a group');
    }
    if (range.max > 1 && hasEndlessRepeat(part)) refuse('no "*" or "+" inside what is repeated');
    if (readRange() !== undefined) refuse('no repeat of a repeat');
    return { kind: 'repeat', part, ...range };
  }

  function readRange(): { readonly min: number; readonly max: number } | undefined {
    if (skip('?')) return { min: 0, max: 1 };
    if (skip('*')) return { min: 0, max: Infinity };
    if (skip('+')) return { min: 1, max: Infinity };
    if (text[at] !== '{') return undefined;
    const [whole, from, comma, to] = /^\{(\d{1,3})(?:(,)(\d{0,3}))?\}/.exec(text.slice(at)) ?? [];
    if (whole === undefined || from === undefined) return refuse('{n}, {n,} or {n,m}');
    const min = Number.parseInt(from, 10);
    const max =
      comma === undefined ? min : to === '' || to === undefined ? Infinity : Number.parseInt(to, 10);
    if (max < min) refuse('{n,m} with m not less than n');
    if (min > REPEAT_MAX || (max !== Infinity && max > REPEAT_MAX))
      refuse(`repeats of at most ${REPEAT_MAX}`);
    at += whole.length;
    return { min, max };
  }

  function readAtom(): PatternNode {
    if (skip('^')) return { kind: 'start' };
    if (skip('$')) return { kind: 'end' };
    if (skip('.')) return { kind: 'character', set: ANY };
    if (skip('(')) return readGroup();
    if (skip('[')) return { kind: 'character', set: readClass() };
    if (skip('\\')) return { kind: 'character', set: { characters: new Set(readEscape()), negated: false } };
    const character = text[at] ?? '';
    if (SPECIAL.includes(character)) refuse(`a backslash before a "${character}" that stands for itself`);
    if (!PRINTABLE.test(character)) refuse('printable ASCII characters');
    at += 1;
    return { kind: 'character', set: { characters: new Set(character), negated: false } };
  }

  function readGroup(): PatternNode {
    if (!skip('?:') && text[at] === '?') refuse('groups as (…) or (?:…), and no lookaround');
    depth += 1;
    if (depth > GROUP_DEPTH_MAX) refuse(`groups at most ${GROUP_DEPTH_MAX} deep`);
    const inner = readChoice();
    depth -= 1;
    if (!skip(')')) refuse('a ")" for every "("');
    return inner;
  }

  function readEscape(): string {
    const character = text[at] ?? '';
    if (character !== 'd' && !PUNCTUATION.test(character)) {
      refuse('\\d or a punctuation character behind a backslash; no back references');
    }
    at += 1;
    return character === 'd' ? DIGITS : character;
  }

  function readClass(): CharacterSet {
    const negated = skip('^');
    const characters = new Set<string>();
    while (!skip(']')) {
      const from = readClassMember();
      if (text[at] !== '-' || text[at + 1] === ']') {
        for (const character of from) characters.add(character);
        continue;
      }
      at += 1;
      const to = readClassMember();
      if (from.length !== 1 || to.length !== 1 || to < from)
        refuse('a range from lower to higher, such as 2-9');
      for (let code = from.charCodeAt(0); code <= to.charCodeAt(0); code++) {
        characters.add(String.fromCharCode(code));
      }
    }
    if (characters.size === 0) refuse('something between [ and ]');
    return { characters, negated };
  }

  function readClassMember(): string {
    if (skip('\\')) return readEscape();
    const character = text[at] ?? '';
    if (character === '') refuse('a "]" for every "["');
    if (character === '[' || !PRINTABLE.test(character))
      refuse('printable ASCII in a class, and \\[ for "["');
    at += 1;
    return character;
  }

  return {
    read(): PatternNode {
      const node = readChoice();
      if (at < text.length) refuse('a "(" for every ")"');
      return node;
    },
  };
}

function hasEndlessRepeat(node: PatternNode): boolean {
  if (node.kind === 'repeat') return node.max === Infinity || hasEndlessRepeat(node.part);
  return (node.kind === 'sequence' || node.kind === 'choice') && node.parts.some(hasEndlessRepeat);
}
