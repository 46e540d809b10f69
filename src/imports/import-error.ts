/** One thing wrong with a file somebody handed in, so told that it can be mended without a second try. */
export type ImportError = {
  readonly file: string;
  /** From 1, as an editor counts. */
  readonly line: number;
  /** The column's name, or `header`, `columns` or `line` where the fault is not in one field. */
  readonly field: string;
  /** What stood there, cut short. */
  readonly value: string;
  readonly expected: string;
};

/** What is wrong with a file: the first thousand faults and how many more there were. */
export type ImportErrors = { readonly errors: readonly ImportError[]; readonly more: number };

export type ErrorList = {
  add(error: Omit<ImportError, 'file'>): void;
  isEmpty(): boolean;
  all(): ImportErrors;
};

/** Nobody reads further, and a wholly wrong file must not fill the memory. */
const ERRORS_MAX = 1_000;
const VALUE_CHARS_MAX = 60;

export function createErrorList(file: string): ErrorList {
  const errors: ImportError[] = [];
  let more = 0;
  return {
    add(error) {
      if (errors.length < ERRORS_MAX) errors.push({ file, ...error, value: cutShort(error.value) });
      else more += 1;
    },
    isEmpty: () => errors.length === 0,
    // A part of the file is read in several passes; people mend it from top to bottom.
    all: () => ({ errors: errors.toSorted((a, b) => a.line - b.line), more }),
  };
}

function cutShort(value: string): string {
  return value.length <= VALUE_CHARS_MAX ? value : `${value.slice(0, VALUE_CHARS_MAX)}…`;
}
