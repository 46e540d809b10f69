import { done, BadInputError, type Command, type InputProblem } from '../command-line/command.ts';
import { columns } from '../command-line/help.ts';

export const CONFIG_COMMANDS: readonly Command[] = [
  {
    name: 'config show',
    summary: 'every setting, its value and where it comes from; secrets masked',
    operands: [],
    flags: {},
    run: (_line, context) => {
      const loaded = context.loadConfig();
      if (loaded.kind === 'bad')
        return Promise.reject(new BadInputError(loaded.problems.map(toInputProblem)));
      const json = Object.fromEntries(
        loaded.shown.map(({ key, value, source }): [string, unknown] => [
          key,
          { value: JSON.parse(value), source },
        ]),
      );
      const rows = loaded.shown.map(({ key, value, source }) => [
        key,
        value,
        source === 'default' ? '' : source,
      ]);
      return Promise.resolve(done(json, columns(rows)));
    },
  },
  {
    name: 'config check',
    summary: 'tells all that is wrong with the configuration, or that nothing is',
    operands: [],
    flags: {},
    run: (_line, context) => {
      context.config();
      return Promise.resolve(done({ ok: true }, ['the configuration is right']));
    },
  },
];

export function toInputProblem(problem: {
  readonly key: string;
  readonly value: string;
  readonly expected: string;
  readonly source: string;
}): InputProblem {
  const { key, value, expected, source } = problem;
  return { field: source === key ? key : `${key} (${source})`, value, expected };
}
