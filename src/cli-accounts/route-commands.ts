import { parseRoute, parseRoutes, toRouteDocument } from '../accounts/account-document.ts';
import type { Route } from '../accounts/account.ts';
import { announce } from '../command-line/announcement.ts';
import {
  BadInputError,
  done,
  type Command,
  type CommandContext,
  type CommandLine,
  type Flag,
  type Result,
} from '../command-line/command.ts';
import { readDocumentFile } from '../command-line/document-file.ts';
import { readFlags, routeOperand, wholeNumber } from '../command-line/flag-values.ts';
import { columns } from '../command-line/help.ts';
import { refusalOf, removal } from './account-commands.ts';

const COUNT_MAX = 1_000_000_000;
const UNSET = 'unset';

const FIELD_OF_FLAG: Readonly<Record<string, string>> = {
  calls: 'calls',
  'inbound-calls': 'inboundCalls',
  'outbound-calls': 'outboundCalls',
  'calls-per-second': 'callsPerSecond',
};

const ROUTE_FLAGS: Readonly<Record<string, Flag>> = {
  calls: { value: 'N|unlimited', doc: 'calls over it at once' },
  'inbound-calls': { value: 'N|unlimited', doc: 'calls from it at once' },
  'outbound-calls': { value: 'N|unlimited', doc: 'calls to it at once' },
  'calls-per-second': { value: 'N|unlimited', doc: 'admissions a second' },
};

export const ROUTE_COMMANDS: readonly Command[] = [
  {
    name: 'route set',
    summary: 'creates a route, or changes what the flags name',
    operands: ['ROUTE'],
    optionalOperands: 1,
    flags: {
      ...ROUTE_FLAGS,
      file: {
        value: 'FILE',
        doc: 'instead of ROUTE and flags: one route or many, as YAML or JSON; - is standard input',
      },
    },
    notes: [
      'A flag with the value "unset" takes back what was set.',
      'tollgate route set trunk-1 --calls 30',
    ],
    run: setRoutes,
  },
  {
    name: 'route list',
    summary: 'all routes with their limits',
    operands: [],
    flags: {},
    run: async (_line, context) => {
      const { routes } = await (await context.stores()).accounts.loadAll();
      return done(
        routes.map(toRouteDocument),
        columns(routes.map(({ name, limits }) => [name, ...limitCells(limits)])),
      );
    },
  },
  {
    name: 'route remove',
    summary: 'removes a route',
    operands: ['ROUTE'],
    flags: {},
    run: async (line, context) => {
      const name = routeOperand(line);
      const verdict = await (await context.stores()).accounts.removeRoute(name);
      if (verdict.kind === 'removed') await announce(context, (live) => live.announceAccounts([]));
      return removal(`route ${name}`, verdict);
    },
  },
];

async function setRoutes(line: CommandLine, context: CommandContext): Promise<Result> {
  const { accounts } = await context.stores();
  const routes = line.flags.has('file')
    ? await routesOfFile(line)
    : [routeByFlags(line, (await accounts.loadAll()).routes)];
  const results = [];
  for (const route of routes) results.push({ route, verdict: await accounts.saveRoute(route) });
  if (results.some(({ verdict }) => verdict.kind === 'saved')) {
    await announce(context, (live) => live.announceAccounts([]));
  }
  return {
    done: results.every(({ verdict }) => verdict.kind !== 'refused'),
    json: results.map(({ route, verdict }) => ({ route: route.name, result: verdict.kind })),
    lines: results.map(({ route, verdict }) =>
      verdict.kind === 'refused' ? refusalOf(route.name, verdict) : `${route.name}: ${verdict.kind}`,
    ),
  };
}

async function routesOfFile(line: CommandLine): Promise<readonly Route[]> {
  const file = readFlags(line).text('file') ?? '-';
  const others = [...line.operands, ...Object.keys(ROUTE_FLAGS).filter((name) => line.flags.has(name))];
  if (others.length > 0) {
    throw new BadInputError([
      { field: '--file', value: file, expected: `nothing beside it, and not ${others.join(', ')}` },
    ]);
  }
  const parsed = parseRoutes(await readDocumentFile(file));
  if (parsed.kind === 'ok') return parsed.value;
  throw new BadInputError(
    parsed.problems.map((problem) => ({ ...problem, field: `${file}: ${problem.field}` })),
  );
}

function routeByFlags(line: CommandLine, routes: readonly Route[]): Route {
  const name = routeOperand(line);
  const before = routes.find((route) => route.name === name);
  const document = new Map(Object.entries(before === undefined ? { route: name } : toRouteDocument(before)));
  for (const [flag, field] of Object.entries(FIELD_OF_FLAG)) {
    const text = line.flags.get(flag);
    if (text === UNSET) document.delete(field);
    else if (typeof text === 'string') document.set(field, wholeNumber(text, COUNT_MAX) ?? text);
  }
  const parsed = parseRoute(Object.fromEntries(document));
  if (parsed.kind === 'ok') return parsed.value;
  throw new BadInputError(
    parsed.problems.map((problem) => ({ ...problem, field: flagOfField(problem.field) })),
  );
}

function flagOfField(field: string): string {
  const flag = Object.entries(FIELD_OF_FLAG).find(([, each]) => each === field)?.[0];
  return flag === undefined ? field : `--${flag}`;
}

function limitCells(limits: Route['limits']): readonly string[] {
  const set = Object.entries(limits).filter(([, value]) => value !== undefined);
  return set.length === 0 ? ['no limits'] : set.map(([name, value]) => `${name} ${value}`);
}
