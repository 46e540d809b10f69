import type { FieldFault } from './cdr-fields.ts';

/** mod_cdr_csv's own, as its configuration comes. It has neither the exact duration nor the direction of a leg. */
export const DEFAULT_TEMPLATE =
  '"${caller_id_name}","${caller_id_number}","${destination_number}","${context}","${start_stamp}","${answer_stamp}","${end_stamp}","${duration}","${billsec}","${hangup_cause}","${uuid}","${bleg_uuid}","${accountcode}","${read_codec}","${write_codec}"';

/** The text around the variables of a template: one piece more than there are names. */
export type CsvTemplate = { readonly names: readonly string[]; readonly literals: readonly string[] };

export type TemplateReading =
  | { readonly kind: 'template'; readonly template: CsvTemplate }
  | { readonly kind: 'fault'; readonly fault: FieldFault };

const VARIABLE = /\$\{([^}]*)\}/g;

/** Reads a template as FreeSWITCH has it: text with `${variable}` in it. */
export function parseTemplate(text: string): TemplateReading {
  const names: string[] = [];
  const literals: string[] = [];
  let from = 0;
  for (const match of text.matchAll(VARIABLE)) {
    literals.push(text.slice(from, match.index));
    names.push(match[1] ?? '');
    from = match.index + match[0].length;
  }
  literals.push(text.slice(from));
  const expected = expectationUnmet(names, literals);
  return expected === undefined
    ? { kind: 'template', template: { names, literals } }
    : { kind: 'fault', fault: { field: '--template', value: text, expected } };
}

function expectationUnmet(names: readonly string[], literals: readonly string[]): string | undefined {
  if (literals.slice(1, -1).includes('')) return 'text between any two variables, to tell them apart';
  if (names.length !== new Set(names).size) return 'each variable once';
  if (!names.includes('uuid')) return '${uuid}, for nothing else names a leg';
  for (const moment of ['start', 'end']) {
    const forms = [`${moment}_uepoch`, `${moment}_epoch`, `${moment}_stamp`];
    if (!forms.some((form) => names.includes(form))) return `\${${forms[0]}}, or in seconds or as a stamp`;
  }
  if (!['answer_uepoch', 'answer_epoch', 'answer_stamp'].some((form) => names.includes(form))) {
    return '${answer_uepoch}, or in seconds or as a stamp';
  }
  if (!names.includes('billusec') && !names.includes('billsec') && !hasExactMoments(names)) {
    return '${billusec}, the duration that is charged';
  }
  return undefined;
}

function hasExactMoments(names: readonly string[]): boolean {
  return names.includes('answer_uepoch') && names.includes('end_uepoch');
}

export type LineReading =
  | { readonly kind: 'values'; readonly values: ReadonlyMap<string, string> }
  /** `unlike`: not a line of this template. `shifted`: a value has the text between two columns in it. */
  | { readonly kind: 'unlike' | 'shifted' };

/**
 * The values of one line. mod_cdr_csv writes them as they are, and some come from strangers, so a line may be read in
 * several ways: it is taken only if the columns placed as far left and as far right as they go are the same ones.
 */
export function readTemplateLine({ names, literals }: CsvTemplate, line: string): LineReading {
  const fromLeft = placeFromLeft(literals, line);
  const fromRight = placeFromRight(literals, line);
  if (fromLeft === undefined || fromRight === undefined) return { kind: 'unlike' };
  if (fromLeft.some((value, column) => value !== fromRight[column])) return { kind: 'shifted' };
  return {
    kind: 'values',
    values: new Map(names.map((name, column) => [name, fromLeft[column] ?? ''])),
  };
}

function placeFromLeft(literals: readonly string[], line: string): readonly string[] | undefined {
  const [first = '', ...separators] = literals;
  const last = separators.pop() ?? '';
  if (!line.startsWith(first) || !line.endsWith(last)) return undefined;
  const values: string[] = [];
  const until = line.length - last.length;
  let from = first.length;
  for (const separator of separators) {
    const at = line.indexOf(separator, from);
    if (at === -1 || at + separator.length > until) return undefined;
    values.push(line.slice(from, at));
    from = at + separator.length;
  }
  return from > until ? undefined : [...values, line.slice(from, until)];
}

function placeFromRight(literals: readonly string[], line: string): readonly string[] | undefined {
  const [first = '', ...separators] = literals;
  const last = separators.pop() ?? '';
  if (!line.startsWith(first) || !line.endsWith(last)) return undefined;
  const values: string[] = [];
  let until = line.length - last.length;
  for (const separator of separators.toReversed()) {
    const at =
      until - separator.length < first.length ? -1 : line.lastIndexOf(separator, until - separator.length);
    if (at < first.length) return undefined;
    values.unshift(line.slice(at + separator.length, until));
    until = at;
  }
  return until < first.length ? undefined : [line.slice(first.length, until), ...values];
}
