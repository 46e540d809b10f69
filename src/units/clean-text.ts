/**
 * Strangers choose names and numbers. Control characters, and those that turn the direction of text, become
 * spaces; what is too long ends in `…`, which no identifier may contain.
 */
export function cleanText(value: string, charactersMax: number): string {
  const clean = value
    .toWellFormed()
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, ' ');
  return clean.length <= charactersMax ? clean : `${clean.slice(0, charactersMax - 1).toWellFormed()}…`;
}
