import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseOperatorLimits } from '../../src/accounts/limits-document.ts';
import { configTable } from '../../src/config/config-table.ts';
import { loadConfig } from '../../src/config/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'tollgate-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function load(yaml: string | undefined, environment: NodeJS.ProcessEnv = {}) {
  const file = yaml === undefined ? undefined : join(folder, 'tollgate.yaml');
  if (file !== undefined && yaml !== undefined) writeFileSync(file, yaml);
  return loadConfig({ file, environment, parseDefaults: parseOperatorLimits });
}

function configOf(yaml: string | undefined, environment: NodeJS.ProcessEnv = {}) {
  const loaded = load(yaml, environment);
  if (loaded.kind === 'bad') throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

/** Each problem as `key: value → expected`. */
function problemsOf(yaml: string | undefined, environment: NodeJS.ProcessEnv = {}): readonly string[] {
  const loaded = load(yaml, environment);
  return loaded.kind === 'ok'
    ? []
    : loaded.problems.map((each) => `${each.key}: ${each.value} → ${each.expected}`);
}

describe('the configuration', () => {
  it('works on one machine with nothing set', () => {
    const config = configOf(undefined);
    expect(config.freeswitch.nodes).toEqual([
      { id: 'freeswitch', host: '127.0.0.1', port: 8021, password: 'ClueCon' },
    ]);
    expect(config.gates.causes.credit).toEqual({
      sipCode: 402,
      reason: 'Payment Required',
      cause: 'CALL_REJECTED',
    });
    expect(config.admission.emergencyNumbers).toEqual(['112', '911']);
    expect(config.controller.id).toContain(`${process.pid}`);
    expect(config.accounts.defaults).toEqual({});
  });

  it('comes from a file, YAML or JSON, and the environment holds over it', () => {
    const yaml = 'redis:\n  url: redis://db:6379\n  commandTimeoutMs: 100\ngates:\n  socket: {port: 9000}\n';
    expect(configOf(yaml, { TOLLGATE_REDIS_URL: 'redis://other:1' })).toMatchObject({
      redis: { url: 'redis://other:1', commandTimeoutMs: 100 },
      gates: { socket: { port: 9000, enabled: true } },
    });
    expect(configOf('{"cutoff": {"earlyMs": 5}}').cutoff.earlyMs).toBe(5);
    expect(configOf('').cutoff.earlyMs).toBe(1000);
  });

  it('knows both ways to rate a call that goes on into another time of day', () => {
    expect(configOf('').rating.periods).toBe('start');
    expect(configOf('rating: { periods: split }').rating.periods).toBe('split');
    expect(problemsOf('rating: { periods: both }')).toHaveLength(1);
  });

  it('reads lists, numbers and documents from the environment', () => {
    const config = configOf(undefined, {
      TOLLGATE_ADMISSION_EMERGENCY_NUMBERS: '110, 112',
      TOLLGATE_GATES_PARK_ENABLED: 'false',
      TOLLGATE_HTTP_PORT: '9464',
      TOLLGATE_ACCOUNTS_DEFAULTS: '{"calls": 4}',
      TOLLGATE_FREESWITCH_NODES: '[{"id":"a","host":"10.0.0.1","port":8021,"password":"x"}]',
      TOLLGATE_REDIS_URL: '',
    });
    expect(config.admission.emergencyNumbers).toEqual(['110', '112']);
    expect(config.gates.park.enabled).toBe(false);
    expect(config.http.port).toBe(9464);
    expect(config.accounts.defaults.calls).toBe(4);
    expect(config.freeswitch.nodes[0]?.id).toBe('a');
    expect(config.redis.url).toBe('redis://127.0.0.1:6379');
  });

  it('changes what it is told to of a cause and keeps the rest', () => {
    expect(configOf('gates: {causes: {credit: {sipCode: 480}}}').gates.causes).toMatchObject({
      credit: { sipCode: 480, reason: 'Payment Required' },
      busy: { sipCode: 486 },
    });
  });

  it('tells all problems at once, with value, expectation and nearest name', () => {
    const yaml = `
gates:
  socket: {port: 99999, host: "a b", prot: 1}
  refusal: stop
redis: {url: "http://x"}
lgo: {level: info}
controller: {leaseMs: soon}
accounts: {defaults: {calls: -1, allotments: 2, cals: 1}}
admission: {emergencyNumbers: [112]}
`;
    expect(problemsOf(yaml, { TOLLGATE_GATES_UNGATED: 'maybe', TOLLGATE_REDIS_ULR: 'x' })).toEqual([
      'gates.socket.prot: (not shown) → no such setting; did you mean "gates.socket.port"?',
      'lgo: (not shown) → no such setting; did you mean "log"?',
      'TOLLGATE_REDIS_ULR: (not shown) → no such setting; did you mean TOLLGATE_REDIS_URL?',
      'gates.socket.host: "a b" → a host name or an address',
      'gates.socket.port: 99999 → a port from 1 to 65535, or 0 for any free one',
      'gates.refusal: "stop" → one of end, continue',
      'gates.ungated: "maybe" → one of admit, kill, ignore',
      expect.stringContaining('admission.emergencyNumbers: [112] → a list of dialled numbers, in quotes'),
      expect.stringContaining('redis.url: (not shown) → redis://host:port'),
      'controller.leaseMs: "soon" → whole milliseconds from 1 to 86400000',
      expect.stringContaining('accounts.defaults.calls: -1 →'),
      expect.stringContaining('accounts.defaults.allotments: 2 → fields and values'),
      expect.stringContaining('accounts.defaults.cals: 1 → no such field; did you mean "calls"?'),
    ]);
  });

  it.each([
    'a: [',
    'just text',
    '- list',
    'gates: 5',
    'gates: {socket: 5}',
    'freeswitch: {nodes: {a: {b: {c: 1}}}}',
  ])('refuses the file %j without falling over', (yaml) => {
    expect(problemsOf(yaml)).toHaveLength(1);
  });

  it('names a file that is not there', () => {
    const loaded = loadConfig({ file: '/nowhere.yaml', environment: {}, parseDefaults: parseOperatorLimits });
    expect(loaded).toMatchObject({ problems: [{ source: '/nowhere.yaml' }] });
  });

  it('refuses nodes beside a single node, one of which would be ignored', () => {
    const nodes = 'freeswitch: {nodes: [{id: a, host: h, port: 1, password: p}]}';
    expect(problemsOf(nodes, { TOLLGATE_FREESWITCH_HOST: 'x' })).toEqual([
      expect.stringContaining('freeswitch.host: (not shown) → nothing'),
    ]);
  });

  it('takes no offence at what orchestrators put into the environment', () => {
    expect(
      problemsOf(undefined, { TOLLGATE_PORT: 'tcp://10.0.0.1:80', TOLLGATE_SERVICE_HOST: '10.0.0.1' }),
    ).toEqual([]);
  });

  it.each([
    ['record.sqlite', true],
    ['sqlite:///var/lib/tollgate/record.sqlite', true],
    ['postgres://tollgate@db/record', true],
    ['postgresql://tollgate@db/record', true],
    ['mysql://tollgate@db/record', false],
    ['postgres:record', false],
    ['sqlite::memory:', false],
  ])('knows whether %j is the address of a record', (url, known) => {
    const problems = problemsOf(undefined, { TOLLGATE_DATABASE_URL: url });
    const told = 'database.url: (not shown) → the path of an SQLite file, or postgres://';
    expect(problems.map((problem) => problem.slice(0, told.length))).toEqual(known ? [] : [told]);
  });

  it('never shows a secret', () => {
    const secret = 'hunter2secret';
    const yaml = `
freeswitch: {nodes: [{id: a, host: h, port: 1, password: ${secret}}]}
redis: {url: "redis://user:${secret}@db:6379/1"}
`;
    const loaded = load(yaml);
    expect(loaded.kind === 'ok' && loaded.shown.find((each) => each.key === 'redis.url')?.value).toBe(
      '"redis://user:***@db:6379/1"',
    );
    expect(JSON.stringify(loaded.kind === 'ok' ? loaded.shown : 'bad')).not.toContain(secret);
    for (const [url, shown] of [
      [`postgres://tollgate:${secret}@db:5432/record`, 'postgres://tollgate:***@db:5432/record'],
      [
        `postgresql://db/record?user=tollgate&password=${secret}&sslmode=verify-full`,
        'postgresql://db/record?user=tollgate&password=***&sslmode=verify-full',
      ],
    ]) {
      const postgres = load(undefined, { TOLLGATE_DATABASE_URL: url });
      const value =
        postgres.kind === 'ok' && postgres.shown.find((each) => each.key === 'database.url')?.value;
      expect(value).toBe(JSON.stringify(shown));
    }
    expect(
      JSON.stringify(load(undefined, { TOLLGATE_FREESWITCH_PASSWORD: secret })).match(/hunter2/g),
    ).toHaveLength(1);
    const wrong = `freeswitch: {password: [${secret}], pasword: ${secret}}\nredis: {url: "http://${secret}"}`;
    expect(problemsOf(wrong)).toHaveLength(3);
    expect(problemsOf(wrong).join()).not.toContain(secret);
  });
});

describe('the table of settings', () => {
  it('gives every key its variable by one rule', () => {
    for (const { key, env } of configTable()) {
      expect(env).toBe(
        `TOLLGATE_${key
          .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
          .replaceAll('.', '_')
          .toUpperCase()}`,
      );
    }
  });

  it('documents every key in a sentence and names each once', () => {
    const rows = configTable();
    expect(new Set(rows.map((row) => row.key)).size).toBe(rows.length);
    for (const { doc } of rows) expect(doc).toMatch(/^[A-Z].*\.$/);
  });
});
