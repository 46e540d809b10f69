import { parseArgs } from 'node:util';

export const USAGE = [
  'npm run demo             plays five scenes in about a minute; exit code 0 if all they claim holds',
  'npm run demo -- --keep   afterwards leaves everything running, with calls, to play with',
].join('\n');

export type DemoArguments =
  | { readonly kind: 'play'; readonly keep: boolean }
  | { readonly kind: 'help' }
  | { readonly kind: 'bad'; readonly problem: string };

export function parseDemoArguments(args: readonly string[]): DemoArguments {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { keep: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
    });
    return values.help ? { kind: 'help' } : { kind: 'play', keep: values.keep };
  } catch (error) {
    return { kind: 'bad', problem: error instanceof Error ? error.message : String(error) };
  }
}
