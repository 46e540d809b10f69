/** One place to ring, with the variables its leg is created with. */
export type Branch = { readonly address: string; readonly variables: ReadonlyMap<string, string> };

/** A dial string: groups are tried one after another, the branches of a group ring at once. */
export type DialPlan = {
  readonly variables: ReadonlyMap<string, string>;
  readonly groups: readonly (readonly Branch[])[];
};

/**
 * `<a=b>{c=d}[e=f]sofia/x/1,[g=h]sofia/x/2|sofia/y/3`. The narrower a bracket, the stronger its variable.
 * `:_:` joins whole dial strings that ring together; here they become one group.
 */
export function parseDialString(text: string): DialPlan {
  const variables = new Map<string, string>();
  let rest = text.trim();
  for (const [open, close] of ['<>', '{}'] as const) {
    let block = leadingBlock(rest, open, close);
    while (block !== undefined) {
      for (const [name, value] of parseVariables(block.inside)) variables.set(name, value);
      rest = block.after.trimStart();
      block = leadingBlock(rest, open, close);
    }
  }
  const groups = splitOutside(rest.replaceAll(':_:', ','), '|').map((group) =>
    splitOutside(group, ',').map((branch): Branch => parseBranch(branch, variables)),
  );
  return { variables, groups };
}

function parseBranch(text: string, shared: ReadonlyMap<string, string>): Branch {
  const variables = new Map(shared);
  let rest = text.trim();
  for (const [open, close] of ['{}', '[]'] as const) {
    let block = leadingBlock(rest, open, close);
    while (block !== undefined) {
      for (const [name, value] of parseVariables(block.inside)) variables.set(name, value);
      rest = block.after.trimStart();
      block = leadingBlock(rest, open, close);
    }
  }
  return { address: rest, variables };
}

/** `a=b,c='d,e'`, or with another separator after `^^`: `^^:a=b:c=d,e`. */
export function parseVariables(text: string): ReadonlyMap<string, string> {
  const custom = /^\^\^(.)([^]*)$/.exec(text);
  const separator = custom?.[1] ?? ',';
  const variables = new Map<string, string>();
  for (const part of splitOutside(custom?.[2] ?? text, separator)) {
    const equals = part.indexOf('=');
    const name = (equals === -1 ? part : part.slice(0, equals)).trim();
    if (name !== '') variables.set(name, equals === -1 ? '' : unquote(part.slice(equals + 1)));
  }
  return variables;
}

function unquote(text: string): string {
  let result = '';
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index] ?? '';
    if (char === '\\') {
      index += 1;
      result += text[index] ?? '';
    } else if (char !== "'") result += char;
  }
  return result;
}

function leadingBlock(
  text: string,
  open: string | undefined,
  close: string | undefined,
): { readonly inside: string; readonly after: string } | undefined {
  if (open === undefined || close === undefined || !text.startsWith(open)) return undefined;
  const end = endOf(text, open, close);
  return end === -1 ? undefined : { inside: text.slice(1, end), after: text.slice(end + 1) };
}

function endOf(text: string, open: string, close: string): number {
  let depth = 0;
  let isQuoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index];
    if (char === '\\') index += 1;
    else if (char === "'") isQuoted = !isQuoted;
    else if (!isQuoted && char === open) depth += 1;
    else if (!isQuoted && char === close) {
      depth -= 1;
      if (depth === 0) return index;
    }
  }
  return -1;
}

/** Splits at a separator that stands in no bracket and no quotes. */
function splitOutside(text: string, separator: string): string[] {
  const parts: string[] = [];
  let current = '';
  let depth = 0;
  let isQuoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index] ?? '';
    if (char === '\\') {
      current += char + (text[index + 1] ?? '');
      index += 1;
      continue;
    }
    if (char === "'") isQuoted = !isQuoted;
    else if (!isQuoted && (char === '{' || char === '[')) depth += 1;
    else if (!isQuoted && (char === '}' || char === ']')) depth -= 1;
    if (char === separator && depth === 0 && !isQuoted) {
      parts.push(current);
      current = '';
    } else current += char;
  }
  return [...parts, current];
}
