import { builtinModules } from 'node:module';
import { posix } from 'node:path';

/** Sources by their path from the project's root, such as `src/rating/price.ts`. */
export type Sources = ReadonlyMap<string, string>;

type Room = { readonly rooms: readonly string[]; readonly packages: readonly string[] };

const PURE_ROOMS: Readonly<Record<string, readonly string[]>> = {
  units: [],
  rating: ['units'],
  accounts: ['units', 'rating'],
  calls: ['units'],
  credit: ['units', 'rating', 'calls', 'accounts'],
  admission: ['units', 'rating', 'accounts', 'credit', 'calls', 'records'],
  records: ['units', 'rating', 'accounts', 'calls'],
  charging: ['units', 'rating', 'accounts', 'admission', 'records'],
  replay: ['units', 'rating', 'accounts', 'credit', 'admission', 'records', 'charging'],
  whatif: ['units', 'rating', 'accounts', 'credit', 'admission', 'records', 'charging', 'replay'],
  reconcile: ['units', 'rating', 'accounts', 'calls', 'admission', 'records', 'charging'],
};
const PURE = Object.keys(PURE_ROOMS);
const BUILTINS = builtinModules.map((name) => (name.startsWith('node:') ? name : `node:${name}`));

/** What each room may import besides itself (DESIGN 12). A pure room imports no package and no part of Node. */
const ROOMS: Readonly<Record<string, Room>> = {
  ...Object.fromEntries(PURE.map((room) => [room, { rooms: PURE_ROOMS[room] ?? [], packages: [] }])),
  state: { rooms: PURE, packages: [] },
  gate: { rooms: [...PURE, 'state'], packages: [] },
  rehearsal: { rooms: [...PURE, 'state', 'gate'], packages: [] },
  cutting: { rooms: [...PURE, 'state', 'gate'], packages: [] },
  upkeep: { rooms: [...PURE, 'state'], packages: [] },
  controller: { rooms: [...PURE, 'state', 'gate', 'rehearsal', 'cutting'], packages: [] },
  freeswitch: { rooms: PURE, packages: ['modesl', ...BUILTINS] },
  'live-text': { rooms: PURE, packages: [] },
  redis: { rooms: PURE, packages: ['ioredis', ...BUILTINS] },
  'live-store': { rooms: [...PURE, 'live-text', 'redis'], packages: ['ioredis', ...BUILTINS] },
  queue: { rooms: PURE, packages: ['bullmq', 'ioredis', ...BUILTINS] },
  sql: { rooms: PURE, packages: ['kysely', 'pg', ...BUILTINS] },
  'sql-records': { rooms: [...PURE, 'sql'], packages: ['kysely', ...BUILTINS] },
  'sql-books': { rooms: [...PURE, 'sql', 'sql-records'], packages: ['kysely', ...BUILTINS] },
  'sql-rerate': { rooms: [...PURE, 'sql', 'sql-records'], packages: ['kysely', ...BUILTINS] },
  'sql-cdrs': { rooms: [...PURE, 'sql', 'sql-records'], packages: ['kysely', ...BUILTINS] },
  database: {
    rooms: [...PURE, 'sql', 'sql-records', 'sql-books', 'sql-rerate', 'sql-cdrs'],
    packages: ['kysely', ...BUILTINS],
  },
  imports: { rooms: PURE, packages: ['csv-parse', 'yaml', ...BUILTINS] },
  cdrfiles: { rooms: PURE, packages: ['sax', ...BUILTINS] },
  config: { rooms: ['units'], packages: ['convict', 'yaml', ...BUILTINS] },
  ops: { rooms: PURE, packages: BUILTINS },
  servers: { rooms: ['units'], packages: ['js-redis-server', 'pg', ...BUILTINS] },
  simulator: { rooms: ['units'], packages: BUILTINS },
};

/** The places that wire everything together and may import anything. */
const WIRING = /^src\/(?:main\.ts|cli\.ts|cli(?:-[a-z]+)?\/|command-line\/|demo\/|wiring\/)/;

const FILE_LINES_MAX = 300;
const MONEY_ROOMS = /^src\/(?:units|rating|accounts|admission|credit|records|charging|replay|whatif)\//;
/** `Number(…)` passes only of a name whose unit says that it is no money, such as `Number(furtherPulses)`. */
const FLOAT = /\bparseFloat\b|\.toFixed\b|\bNumber\((?!\w*(?:[Pp]ulses|[Ss]econds|[Cc]ount|[Pp]pm|Ms)\))/;

/** Each violation as one line that names the file and what it did. */
export function importViolations(sources: Sources): readonly string[] {
  const violations: string[] = [];
  for (const [file, source] of sources) {
    if (!file.endsWith('.ts') || WIRING.test(file)) continue;
    const name = roomOf(file);
    const room = ROOMS[name];
    if (room === undefined) {
      violations.push(`${file}: room "${name}" is not in the table of rooms`);
      continue;
    }
    for (const specifier of importsOf(source)) {
      if (!mayImport({ file, name, room }, specifier))
        violations.push(`${file}: may not import ${specifier}`);
    }
  }
  return violations;
}

export function lengthViolations(sources: Sources): readonly string[] {
  return [...sources]
    .map(([file, source]) => ({ file, lines: source.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > FILE_LINES_MAX)
    .map(({ file, lines }) => `${file}: ${lines} lines, at most ${FILE_LINES_MAX}`);
}

/** Money never passes through a float. */
export function floatViolations(sources: Sources): readonly string[] {
  return linesWhere(sources, (file, line) => MONEY_ROOMS.test(file) && FLOAT.test(line));
}

/** Redis keys are spelled in one file. All of them begin alike; the hash tag stands inside. */
export function keyViolations(sources: Sources): readonly string[] {
  return linesWhere(sources, (file, line) => file !== 'src/redis/keys.ts' && /['"`]tollgate:/.test(line));
}

type Importer = { readonly file: string; readonly name: string; readonly room: Room };

function mayImport({ file, name, room }: Importer, specifier: string): boolean {
  if (!specifier.startsWith('.')) {
    return room.packages.some((allowed) => specifier === allowed || specifier.startsWith(`${allowed}/`));
  }
  const target = posix.join(posix.dirname(file), specifier);
  // A relative import that leaves src, or names a file of its top level, reaches the wiring or the tests.
  if (!/^src\/[^/]+\/[^/]+$/.test(target)) return false;
  return roomOf(target) === name || room.rooms.includes(roomOf(target));
}

function roomOf(file: string): string {
  return file.split('/')[1] ?? '';
}

/** Every module named by an import of any form: types, re-exports, side effects, dynamic, `typeof import()`. */
function importsOf(source: string): readonly string[] {
  const named = withoutComments(source).matchAll(
    /\b(?:from\s+|import\s+|(?<!\.)(?:import|require)\s*\(\s*)['"`]([^'"`\n]+)['"`]/g,
  );
  return [...named].map((match) => match[1] ?? '');
}

function linesWhere(sources: Sources, breaks: (file: string, line: string) => boolean): readonly string[] {
  return [...sources].flatMap(([file, source]) =>
    withoutBlockComments(source)
      .split('\n')
      .map((line, index) => ({ line, place: `${file}:${index + 1}` }))
      .filter(({ line }) => !/^\s*(?:\/\/|--)/.test(line) && breaks(file, line))
      .map(({ line, place }) => `${place}: ${line.trim()}`),
  );
}

function withoutComments(source: string): string {
  return withoutBlockComments(source).replaceAll(/^\s*\/\/.*$/gm, '');
}

/** Keeps the line breaks, so that line numbers stay true. */
function withoutBlockComments(source: string): string {
  return source.replaceAll(/^\s*\/\*[\s\S]*?\*\//gm, (comment) => comment.replaceAll(/[^\n]/g, ''));
}
