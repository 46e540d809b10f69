/** One element of a parsed file. */
export type XmlElement = {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
};

const NAME = '[A-Za-z_][A-Za-z0-9_.-]*';
const TAG = new RegExp(`^<(/?)(${NAME})((?:\\s+${NAME}\\s*=\\s*(?:"[^"<]*"|'[^'<]*'))*)\\s*(/?)>`);
const ATTRIBUTE = new RegExp(`(${NAME})\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, 'g');
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/**
 * Reads a whole file, or throws where it is not well-formed: no CDATA, no DOCTYPE, no text but white space, which
 * is all that FreeSWITCH's configuration needs.
 */
export function parseXml(text: string): XmlElement {
  const open: { name: string; attributes: Map<string, string>; children: XmlElement[] }[] = [];
  let root: XmlElement | undefined;
  let at = 0;
  const fail = (what: string): never => {
    throw new Error(`line ${text.slice(0, at).split('\n').length}: ${what}`);
  };
  while (at < text.length) {
    const rest = text.slice(at);
    const blank = /^\s+/.exec(rest)?.[0];
    if (blank !== undefined) {
      at += blank.length;
      continue;
    }
    if (rest.startsWith('<!--')) {
      const end = rest.indexOf('--', 4);
      if (end < 0 || rest[end + 2] !== '>') fail('a comment holds "--" or does not end');
      at += end + 3;
      continue;
    }
    const tag = TAG.exec(rest);
    if (tag === null) return fail(`neither a tag nor a comment: ${rest.slice(0, 40)}`);
    const [whole, closing, name = '', attributes = '', single] = tag;
    if (closing === '/') {
      const ended = open.pop();
      if (ended?.name !== name) fail(`</${name}> closes <${ended?.name}>`);
    } else {
      const element = { name, attributes: attributesOf(attributes, fail), children: [] };
      const parent = open.at(-1);
      if (parent !== undefined) parent.children.push(element);
      else if (root === undefined) root = element;
      else fail('a second root');
      if (single !== '/') open.push(element);
    }
    at += whole.length;
  }
  if (open.length > 0) fail(`<${open.at(-1)?.name}> is not closed`);
  return root ?? fail('no element');
}

export function* elementsOf(element: XmlElement): Generator<XmlElement> {
  yield element;
  for (const child of element.children) yield* elementsOf(child);
}

export function attribute(element: XmlElement, name: string): string {
  return element.attributes.get(name) ?? '';
}

function attributesOf(text: string, fail: (what: string) => never): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name = '', inDouble, inSingle] of text.matchAll(ATTRIBUTE)) {
    if (attributes.has(name)) fail(`${name} is given twice`);
    const value = inDouble ?? inSingle ?? '';
    attributes.set(
      name,
      value.replace(/&([^;]*;?)/g, (_, entity: string) => {
        const character = ENTITIES[entity.replace(/;$/, '')];
        return entity.endsWith(';') && character !== undefined ? character : fail(`&${entity}`);
      }),
    );
  }
  return attributes;
}
