import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../src/cli/commands.ts';
import { configTable } from '../src/config/config-table.ts';
import { VARIABLES_READ, VARIABLES_WRITTEN } from '../src/calls/channel-variables.ts';
import * as keys from '../src/redis/keys.ts';
import { parseAccountPath, parseRouteName } from '../src/units/ids.ts';
import { FIGURES } from './bench/all-figures.ts';

const project = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(project, 'README.md'), 'utf8');

/** The rows of the tables under a heading, up to the next one, without their heads. */
function rowsUnder(heading: string): readonly string[] {
  const start = readme.indexOf(`\n${heading}\n`);
  const depth = heading.indexOf(' ');
  const rest = readme.slice(start + heading.length + 2);
  const end = rest.search(new RegExp(`^#{1,${depth}} `, 'm'));
  return (end < 0 ? rest : rest.slice(0, end))
    .split('\n')
    .filter((line, at, lines) => /^\|(?!-)/.test(line) && !lines[at + 1]?.startsWith('|-'));
}

function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
}

const code = (text: string): string => `\`${text}\``;

/** Between the first back-ticks of a row. */
const nameIn = (line: string): string => /`([^`]+)`/.exec(line)?.[1] ?? '';

describe('README', () => {
  it('has the table of settings', () => {
    expect(rowsUnder('## Configuration')).toEqual(
      configTable().map(({ key, env, default: value, doc }) => row(code(key), code(env), code(value), doc)),
    );
  });

  it('has the tables of channel variables', () => {
    const variables = [...Object.values(VARIABLES_READ), ...Object.values(VARIABLES_WRITTEN)];
    expect(rowsUnder('## Channel variables')).toEqual(variables.map(({ name, doc }) => row(code(name), doc)));
  });

  it('has the table of commands', () => {
    const commands = COMMANDS.map(({ name, operands, summary }) =>
      row(code([name, ...operands].join(' ')), summary),
    );
    const rows = rowsUnder('## Operating').filter((line) => commands.includes(line));
    expect(rows).toEqual(commands);
  });

  it('has every Redis key, and no other', () => {
    const account = parseAccountPath('acme/retail');
    const root = parseAccountPath('acme');
    const route = parseRouteName('carrier');
    const customer = parseAccountPath('acme/adhoc.john');
    if (account === undefined || root === undefined || route === undefined || customer === undefined)
      throw new Error('bad examples');
    const tenant = { kind: 'root', root } as const;
    const ofAccount = { kind: 'account', path: account } as const;
    const rows = rowsUnder('### Redis keys').map(nameIn);
    const expected = [
      keys.LAYOUT_KEY,
      ...Object.values(keys.slotKeys(tenant)),
      keys.lostClosedKey(customer),
      keys.useKey(tenant, ofAccount),
      keys.useKey({ kind: 'route', route }, { kind: 'route', route }),
      keys.ticksKey(tenant, ofAccount),
      keys.walletKey(account),
      keys.walletPartsKey(account),
      keys.shadowSlotKeys(tenant).legs,
      keys.DECISIONS_KEY,
      keys.leaseKey('node:fs1'),
      keys.leaseKey('drain'),
      keys.leaseKey('record'),
      ...rows.filter((name) => /^tollgate:bucket:\d+$/.test(name) && keys.bucketKey(bucketOf(name)) === name),
    ];
    expect(rows).toEqual(expected);
    expect(rows.filter((name) => name.startsWith('tollgate:bucket:'))).toHaveLength(1);
    // What the list above would not notice: a new function or name in the file of keys.
    expect(Object.keys(keys).toSorted()).toEqual(KEY_EXPORTS);
  });

  it('says the version of the key layout, in the changelog too', () => {
    const changelog = readFileSync(join(project, 'CHANGELOG.md'), 'utf8');
    expect(readme).toContain(`Layout version ${keys.KEY_LAYOUT_VERSION}.`);
    expect(changelog).toContain(`version ${keys.KEY_LAYOUT_VERSION}`);
    for (const name of [keys.QUEUE_PREFIX, keys.SETTLED_CHANNEL, keys.CHANGED_CHANNEL])
      expect(readme).toContain(name);
  });

  it('has every room', () => {
    const rooms = readdirSync(join(project, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(rowsUnder('## Rooms').map(nameIn).toSorted()).toEqual(rooms.toSorted());
  });

  it.each(['README.md', 'CHANGELOG.md', 'freeswitch-conf/README.md', 'docker/README.md'])(
    'names only files that exist: %s',
    (file) => {
      const text = readFileSync(join(project, file), 'utf8');
      const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)\)/g)].map(([, to = '']) =>
        join(dirname(file), to),
      );
      const paths = [...text.matchAll(/`((?:src|test|docker|freeswitch-conf)\/[\w./-]+)`/g)].map(
        ([, path = '']) => path,
      );
      expect([...links, ...paths].filter((path) => !existsSync(join(project, path)))).toEqual([]);
    },
  );

  it('has every figure of the bench', () => {
    const rows = FIGURES.map(({ name, title }) => row(code(name), title));
    expect(rowsUnder('## Testing').slice(-rows.length)).toEqual(rows);
    const named = [...readme.matchAll(/--only ([\w,-]+)/g)].flatMap(([, names = '']) => names.split(','));
    expect(named.filter((name) => !FIGURES.some((figure) => figure.name === name))).toEqual([]);
  });

  it('speaks of npm scripts that exist', () => {
    const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
      readonly scripts: Readonly<Record<string, string>>;
    };
    const scripts = [...readme.matchAll(/npm run (?:-s )?([a-z:]+)/g)].map(([, name = '']) => name);
    expect(scripts.filter((name) => !(name in manifest.scripts))).toEqual([]);
  });
});

/** Every name that the file of keys gives; each is in the table, or beside it. */
const KEY_EXPORTS = [
  'CHANGED_CHANNEL',
  'DECISIONS_KEY',
  'KEY_LAYOUT_VERSION',
  'LAYOUT_KEY',
  'QUEUE_PREFIX',
  'SETTLED_CHANNEL',
  'SHADOW_POOL_KEYS',
  'USE_KEYS',
  'bucketKey',
  'holderOfUseKey',
  'leaseKey',
  'lostClosedKey',
  'poolOfWalletKey',
  'rootSlot',
  'shadowSlotKeys',
  'slotKeys',
  'ticksKey',
  'useKey',
  'walletKey',
  'walletPartsKey',
];

function bucketOf(name: string): number {
  return Number(name.slice(name.lastIndexOf(':') + 1));
}
