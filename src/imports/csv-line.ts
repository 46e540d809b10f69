/** One line of CSV, without its end. What reads it may trim bare fields, so blanks at the ends are quoted too. */
export function csvLine(fields: readonly string[]): string {
  return fields.map(quoted).join(',');
}

function quoted(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
