import type { Log } from '../../../src/units/log.ts';

type Line = { readonly level: string; readonly message: string; readonly fields: object };

/** A log that can be read back. */
export type MemoryLog = Log & { readonly lines: Line[] };

export function createMemoryLog(lines: Line[] = []): MemoryLog {
  const at =
    (level: string) =>
    (fields: object, message: string): void =>
      void lines.push({ level, message, fields });
  return {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => createMemoryLog(lines),
  };
}
