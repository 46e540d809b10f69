import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { nearestName } from '../units/nearest-name.ts';
import { SETTING_LEAVES } from './config-table.ts';
import { isRecord } from './formats.ts';

/** One thing wrong with the configuration, and where it was said. Secrets are not shown. */
export type ConfigProblem = {
  readonly key: string;
  readonly value: string;
  readonly expected: string;
  readonly source: string;
};

const ENV_PREFIX = 'TOLLGATE_';
/** Names the file rather than being a setting. */
const ENV_FILE = 'TOLLGATE_CONFIG';
/** What Kubernetes gives to containers beside a service called tollgate. */
const ENV_OF_ORCHESTRATORS = /^TOLLGATE_(?:SERVICE_(?:HOST|PORT)|PORT)(?:_|$)/;

/** The settings that a file makes, by key. JSON is YAML too. */
export function readConfigFile(file: string, problems: ConfigProblem[]): ReadonlyMap<string, unknown> {
  const complain = (value: string, expected: string) => {
    problems.push({ key: '(file)', value, expected, source: file });
    return new Map<string, unknown>();
  };
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return complain('unreadable', `a file that can be read: ${messageOf(error)}`);
  }
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    return complain('unreadable', `YAML or JSON: ${messageOf(error).split('\n')[0]}`);
  }
  // An empty file sets nothing.
  if (document === null) return new Map();
  if (!isRecord(document)) return complain(typeof document, 'groups of settings such as redis: {url: …}');
  const settings = new Map<string, unknown>();
  collect(document, { prefix: '', file, settings, problems });
  return settings;
}

type Collection = {
  readonly prefix: string;
  readonly file: string;
  readonly settings: Map<string, unknown>;
  readonly problems: ConfigProblem[];
};

function collect(group: Readonly<Record<string, unknown>>, into: Collection): void {
  for (const [name, value] of Object.entries(group)) {
    const key = `${into.prefix}${name}`;
    if (SETTING_LEAVES.some((leaf) => leaf.key === key)) into.settings.set(key, value);
    else if (isGroup(key) && isRecord(value)) collect(value, { ...into, prefix: `${key}.` });
    else if (isGroup(key) && value === null) continue;
    else into.problems.push(strange(key, into.file));
  }
}

function isGroup(key: string): boolean {
  return SETTING_LEAVES.some((leaf) => leaf.key.startsWith(`${key}.`));
}

function strange(key: string, file: string): ConfigProblem {
  const keys = SETTING_LEAVES.map((leaf) => leaf.key);
  const groups = keys.map((each) => each.slice(0, Math.max(0, each.indexOf('.'))));
  const near = nearestName(key, [...keys, ...groups]);
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  // Its value may be a secret under a misspelled name.
  const expected = isGroup(key) ? 'settings, one to a name' : `no such setting${hint}`;
  return { key, value: '(not shown)', expected, source: file };
}

/** The environment without what is empty or no setting; a name of ours that is none is a problem. */
export function readEnvironment(
  environment: Readonly<NodeJS.ProcessEnv>,
  problems: ConfigProblem[],
): Readonly<Record<string, string>> {
  const names = SETTING_LEAVES.map((leaf) => leaf.env);
  const settings: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    // Compose files pass an unset variable on as an empty one.
    if (value === undefined || value === '') continue;
    if (names.includes(name)) settings[name] = value;
    else if (name.startsWith(ENV_PREFIX) && name !== ENV_FILE && !ENV_OF_ORCHESTRATORS.test(name)) {
      const near = nearestName(name, names);
      const hint = near === undefined ? '' : `; did you mean ${near}?`;
      problems.push({
        key: name,
        value: '(not shown)',
        expected: `no such setting${hint}`,
        source: 'environment',
      });
    }
  }
  return settings;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
