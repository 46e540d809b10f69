import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { SETTING_LEAVES } from '../../src/config/config-table.ts';
import { VARIABLES_READ, VARIABLES_WRITTEN } from '../../src/calls/channel-variables.ts';
import { attribute, elementsOf, parseXml } from './xml.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(join(project, file), 'utf8');
const filesOf = (folder: string): readonly string[] =>
  readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.xml'))
    .map((name) => `${folder}/${name}`);
const ours = filesOf('freeswitch-conf');
const all = [...ours, ...filesOf('docker')];
const withoutComments = (text: string): string => text.replace(/<!--[\s\S]*?-->/g, '');
const defaultOf = (key: string): unknown => SETTING_LEAVES.find((leaf) => leaf.key === key)?.default;

describe('the XML checker can fail', () => {
  it.each([
    ['an element left open', '<a><b></a>', '</a> closes <b>'],
    ['a file that stops', '<a><b/>', '<a> is not closed'],
    ['a second root', '<a/><b/>', 'a second root'],
    ['two hyphens in a comment', '<a><!-- x -- y --></a>', 'a comment holds'],
    ['an attribute twice', '<a x="1" x="2"/>', 'x is given twice'],
    ['an attribute without quotes', '<a x=1/>', 'neither a tag nor a comment'],
    ['a bare ampersand', '<a x="b & c"/>', '& c'],
    ['a less-than sign in a value', '<a x="b < c"/>', 'neither a tag nor a comment'],
    ['text between elements', '<a>x</a>', 'neither a tag nor a comment'],
    ['nothing', '  ', 'no element'],
  ])('%s', (_, text, message) => {
    expect(() => parseXml(text)).toThrow(message);
  });
});

describe.each(all)('%s', (file) => {
  it('is well-formed', () => {
    expect(() => parseXml(read(file))).not.toThrow();
  });

  it('has no directive in a comment, where FreeSWITCH would carry it out all the same', () => {
    const comments = read(file).match(/<!--[\s\S]*?-->/g) ?? [];
    expect(comments.filter((comment) => /X-PRE-PROCESS/.test(comment))).toEqual([]);
  });

  it('includes files that exist', () => {
    const includes = [...elementsOf(parseXml(read(file)))].filter(
      (element) => element.name === 'X-PRE-PROCESS' && attribute(element, 'cmd') === 'include',
    );
    const missing = includes
      .map((include) => attribute(include, 'data'))
      // Where the container sees freeswitch-conf.
      .map((data) =>
        data.startsWith('/etc/tollgate/')
          ? data.replace('/etc/tollgate/', 'freeswitch-conf/')
          : normalize(join(file, '..', data)),
      )
      .filter((path) => !existsSync(join(project, path)));
    expect(missing).toEqual([]);
  });
});

describe('the configuration for FreeSWITCH', () => {
  const documented: ReadonlySet<string> = new Set(
    [...Object.values(VARIABLES_READ), ...Object.values(VARIABLES_WRITTEN)].map(({ name }) => name),
  );
  const text = ours.map((file) => withoutComments(read(file)).replace(/\$\$\{\w+\}/g, '')).join('\n');
  const dialplans = ours
    .filter((file) => file.includes('/dialplan/'))
    .map((file) => withoutComments(read(file)).replace(/\$\$\{\w+\}/g, ''))
    .join('\n');

  it('uses no channel variable of Tollgate that is not documented', () => {
    const used = [
      ...dialplans.matchAll(/\$\{(tollgate_\w+)\}/g),
      ...dialplans.matchAll(/data="(tollgate_\w+)(?:=[^"]*)?"/g),
    ].map(([, name]) => name ?? '');
    expect(used.length).toBeGreaterThan(0);
    expect([...new Set(used)].filter((name) => !documented.has(name))).toEqual([]);
  });

  it.each(['tollgate_socket.xml', 'tollgate_park.xml'])('%s forgets every answer before it asks', (name) => {
    const gate = [...elementsOf(parseXml(read(`freeswitch-conf/dialplan/${name}`)))].find(
      (element) => attribute(element, 'name') === 'tollgate_gate',
    );
    const unset = [...elementsOf(gate ?? { name: '', attributes: new Map(), children: [] })]
      .filter((element) => attribute(element, 'application') === 'unset')
      .map((element) => attribute(element, 'data'));
    // The gate itself reads these to give back what the last pass holds.
    const kept = new Set(['tollgate_admission', 'tollgate_branches', 'tollgate_home', 'tollgate_metered']);
    const answers = Object.values(VARIABLES_WRITTEN).map(({ name: answer }): string => answer);
    expect(unset).toEqual(expect.arrayContaining(answers.filter((answer) => !kept.has(answer))));
  });

  it('knows the emergency numbers of the default configuration', () => {
    for (const name of ['tollgate_socket.xml', 'tollgate_park.xml']) {
      const [emergency] = parseXml(read(`freeswitch-conf/dialplan/${name}`)).children;
      const expression = attribute(emergency?.children[0] ?? emergency!, 'expression');
      const numbers = defaultOf('admission.emergencyNumbers');
      expect(expression).toBe(`^(?:${Array.isArray(numbers) ? numbers.join('|') : ''})$`);
    }
  });

  it('waits longer at a gate than Tollgate takes to give up', () => {
    const waits = [...text.matchAll(/park_timeout=(\d+):NORMAL_TEMPORARY_FAILURE/g)].map(([, seconds]) =>
      Number(seconds),
    );
    expect(waits).toHaveLength(2);
    for (const seconds of waits)
      expect(seconds * 1000).toBeGreaterThan(Number(defaultOf('gates.decisionTimeoutMs')));
  });

  it('defines every global variable that it uses, under a name that is no channel variable', () => {
    const vars = [...elementsOf(parseXml(read('freeswitch-conf/vars_tollgate.xml')))].map(
      (element) => attribute(element, 'data').split('=')[0] ?? '',
    );
    const used = ours.flatMap((file) =>
      [...withoutComments(read(file)).matchAll(/\$\$\{(tollgate_\w+)\}/g)].map(([, name]) => name ?? ''),
    );
    expect(used.length).toBeGreaterThan(0);
    for (const name of used) expect(vars).toContain(name);
    for (const name of vars) expect(documented).not.toContain(name);
  });

  it('carries no password', () => {
    expect(text).not.toMatch(/ClueCon/);
    expect(text).toContain(
      'value="$${tollgate_event_socket_password}"'.replace('$${tollgate_event_socket_password}', ''),
    );
  });
});

describe('docker/compose.yaml', () => {
  type Service = {
    readonly image?: string;
    readonly profiles?: readonly string[];
    readonly ports?: readonly string[];
    readonly volumes?: readonly string[];
    readonly env_file?: unknown;
    readonly environment?: Readonly<Record<string, unknown>>;
  };
  const compose = parse(read('docker/compose.yaml')) as {
    readonly services: Readonly<Record<string, Service>>;
    readonly volumes: Readonly<Record<string, unknown>>;
  };
  const services = Object.entries(compose.services);

  it('has the three services, and PostgreSQL for whom wants it', () => {
    const always = services.filter(([, { profiles }]) => profiles === undefined).map(([name]) => name);
    expect(always.toSorted()).toEqual(['freeswitch', 'redis', 'tollgate']);
    expect(compose.services['postgres']?.profiles).toEqual(['postgres']);
  });

  it('mounts files and volumes that exist', () => {
    const sources = services.flatMap(([, { volumes }]) =>
      (volumes ?? []).map((volume) => volume.split(':')[0] ?? ''),
    );
    const named = new Set(Object.keys(compose.volumes));
    expect(sources.length).toBeGreaterThan(0);
    expect(
      sources.filter(
        (from) => !(from.startsWith('.') ? existsSync(join(project, 'docker', from)) : named.has(from)),
      ),
    ).toEqual([]);
  });

  it('opens ports on the loopback address only', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? []);
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  it('sets only what is a setting', () => {
    const names = Object.keys(compose.services['tollgate']?.environment ?? {});
    const known = new Set(SETTING_LEAVES.map(({ env }) => env));
    expect(names.filter((name) => name.startsWith('TOLLGATE_') && !known.has(name))).toEqual([]);
  });

  it('leaves no secret in the repository', () => {
    expect(read('docker/secrets.env.sample')).toMatch(/^TOLLGATE_FREESWITCH_PASSWORD=$/m);
    expect(read('.gitignore')).not.toMatch(/secrets\.env\.sample/);
  });
});
