import { hostname } from 'node:os';
import convict from 'convict';
import { readConfigFile, readEnvironment, type ConfigProblem } from './config-sources.ts';
import { SETTING_LEAVES } from './config-table.ts';
import { addFormats, complaintAbout, isRecord } from './formats.ts';
import { SCHEMA } from './schema.ts';
import { DEFAULT_CAUSES, type Cause, type CauseKind, type NodeSettings, type Settings } from './settings.ts';

/** The settings made ready: every default filled in. `Defaults` is what the accounts room made of theirs. */
export type Config<Defaults> = Omit<Settings, 'freeswitch' | 'gates' | 'accounts'> & {
  readonly freeswitch: Omit<Settings['freeswitch'], 'host' | 'port' | 'password'>;
  readonly gates: Omit<Settings['gates'], 'causes'> & { readonly causes: Readonly<Record<CauseKind, Cause>> };
  readonly accounts: { readonly defaults: Defaults };
};

export type LoadedConfig<Defaults> =
  | { readonly kind: 'ok'; readonly config: Config<Defaults>; readonly shown: readonly ShownSetting[] }
  | { readonly kind: 'bad'; readonly problems: readonly ConfigProblem[] };

/** One setting as it may be printed: JSON, with secrets masked, and where it came from. */
export type ShownSetting = { readonly key: string; readonly value: string; readonly source: string };

/** Reads what may be set as a limit; the accounts room knows how. */
export type ParseDefaults<Defaults> = (document: unknown) =>
  | { readonly kind: 'ok'; readonly value: Defaults }
  | {
      readonly kind: 'bad';
      readonly problems: readonly {
        readonly field: string;
        readonly value: string;
        readonly expected: string;
      }[];
    };

const ONLY_NODE_ID = 'freeswitch';
const MASK = '***';

/** The environment holds over the file, the file over the defaults. All problems are reported at once. */
export function loadConfig<Defaults>(from: {
  readonly file: string | undefined;
  readonly environment: Readonly<NodeJS.ProcessEnv>;
  readonly parseDefaults: ParseDefaults<Defaults>;
}): LoadedConfig<Defaults> {
  addFormats();
  const problems: ConfigProblem[] = [];
  const written = from.file === undefined ? new Map<string, unknown>() : readConfigFile(from.file, problems);
  const environment = readEnvironment(from.environment, problems);
  const loaded = convict<Settings>(SCHEMA, { env: environment, args: [] });
  for (const { key, env } of SETTING_LEAVES) {
    if (written.has(key) && environment[env] === undefined) loaded.set(key, written.get(key));
  }
  const sourceOf: SourceOf = (leaf) => {
    if (environment[leaf.env] !== undefined) return leaf.env;
    return written.has(leaf.key) ? (from.file ?? 'file') : 'default';
  };

  const settings = loaded.getProperties();
  for (const leaf of SETTING_LEAVES) {
    const value = valueAt(settings, leaf.key);
    const expected = complaintAbout(value, leaf.format);
    if (expected === undefined) continue;
    const shown = leaf.sensitive ? '(not shown)' : JSON.stringify(value);
    problems.push({ key: leaf.key, value: shown, expected, source: sourceOf(leaf) });
  }
  refuseTwoWaysToNameNodes(
    settings,
    (key) => written.has(key) || environment[envOf(key)] !== undefined,
    problems,
  );
  const defaults = from.parseDefaults(settings.accounts.defaults);
  if (defaults.kind === 'bad')
    problems.push(...defaults.problems.map((problem) => ofDefaults(problem, sourceOf)));
  if (problems.length > 0 || defaults.kind === 'bad') return { kind: 'bad', problems };
  const shown = SETTING_LEAVES.map((leaf) => {
    const value = valueAt(settings, leaf.key);
    return {
      key: leaf.key,
      value: JSON.stringify(leaf.sensitive ? masked(leaf.key, value) : value),
      source: sourceOf(leaf),
    };
  });
  return { kind: 'ok', config: completed(settings, defaults.value), shown };
}

type SourceOf = (leaf: { readonly key: string; readonly env: string }) => string;

function ofDefaults(
  problem: { readonly field: string; readonly value: string; readonly expected: string },
  sourceOf: SourceOf,
): ConfigProblem {
  const key = 'accounts.defaults';
  const { value, expected } = problem;
  return { key: `${key}.${problem.field}`, value, expected, source: sourceOf({ key, env: envOf(key) }) };
}

/** A list of nodes and a single one beside it: one of them would be ignored. */
function refuseTwoWaysToNameNodes(
  settings: Settings,
  isSet: (key: string) => boolean,
  problems: ConfigProblem[],
): void {
  if (!Array.isArray(settings.freeswitch.nodes) || settings.freeswitch.nodes.length === 0) return;
  for (const key of ['freeswitch.host', 'freeswitch.port', 'freeswitch.password'].filter(isSet)) {
    const expected = 'nothing, because freeswitch.nodes lists the servers';
    problems.push({ key, value: '(not shown)', expected, source: 'file or environment' });
  }
}

function completed<Defaults>(settings: Settings, defaults: Defaults): Config<Defaults> {
  const { host, port, password, ...freeswitch } = settings.freeswitch;
  const onlyNode: NodeSettings = { id: ONLY_NODE_ID, host, port, password };
  const causeOf = (kind: CauseKind): Cause => ({ ...DEFAULT_CAUSES[kind], ...settings.gates.causes[kind] });
  return {
    ...settings,
    freeswitch: { ...freeswitch, nodes: freeswitch.nodes.length === 0 ? [onlyNode] : freeswitch.nodes },
    gates: {
      ...settings.gates,
      causes: {
        concurrency: causeOf('concurrency'),
        busy: causeOf('busy'),
        rate: causeOf('rate'),
        credit: causeOf('credit'),
        barred: causeOf('barred'),
        storeDown: causeOf('storeDown'),
      },
    },
    accounts: { defaults },
    controller: {
      ...settings.controller,
      id: settings.controller.id === '' ? `${hostname()}-${process.pid}` : settings.controller.id,
    },
  };
}

/** A password alone, that of a node, and the one within a URL. */
function masked(key: string, value: unknown): unknown {
  if (key.endsWith('.password')) return MASK;
  if (Array.isArray(value))
    return value.map((item: unknown) => (isRecord(item) ? { ...item, password: MASK } : item));
  if (typeof value !== 'string') return value;
  return value
    .replace(/(:\/\/[^:@/?]*:).*@/, `$1${MASK}@`)
    .replaceAll(/([?&][^=&]*password=)[^&]*/gi, `$1${MASK}`);
}

function valueAt(settings: unknown, key: string): unknown {
  let value = settings;
  for (const name of key.split('.')) value = isRecord(value) ? value[name] : undefined;
  return value;
}

function envOf(key: string): string {
  return SETTING_LEAVES.find((leaf) => leaf.key === key)?.env ?? '';
}
