import { describe, expect, it } from 'vitest';
import { createFiles } from './cdr-files.ts';
import { createCli } from './cli-run.ts';

const YAML = `accounts:
  - account: acme
    # München
    operator: { calls: 5 }
`;
const JSON_TEXT = `{
  "accounts": [
    { "account": "acme", "operator": { "calls": 5 } }
  ]
}
`;
const MARK = '\u{FEFF}';

const BAD: readonly (readonly [string, string | Uint8Array, string])[] = [
  [
    'JSON that breaks off',
    JSON_TEXT.slice(0, 50),
    ':3: "    { \\"account\\": \\"acme\\", \\"operat": expected YAML or JSON: Missing',
  ],
  [
    'YAML that breaks off',
    YAML.slice(0, -3),
    ':4: "    operator: { calls: 5": expected YAML or JSON: Flow map',
  ],
  [
    'columns that moved',
    YAML.replace('    operator', ' operator'),
    ':4: " operator: { calls: 5 }": expected YAML or JSON: ',
  ],
  ['Latin-1', Buffer.from(YAML, 'latin1'), ':3: "    # M\u{FFFD}nchen": expected text in UTF-8'],
  ['UTF-16', Buffer.from(YAML, 'utf16le'), ':1: "'],
  [
    'UTF-16 with its mark',
    Buffer.from(`${MARK}${YAML}`, 'utf16le'),
    ': expected text in UTF-8; this looks like UTF-16',
  ],
  [
    'a field twice',
    `${YAML}    operator: {}\n`,
    ':5: "    operator: {}": expected YAML or JSON: Map keys must be unique',
  ],
  ['an account twice', `${YAML}  - account: acme\n`, ': accounts: "acme": expected each one once'],
  ['brackets without end', '['.repeat(100_000), ':1: "[[['],
  [
    'aliases that multiply',
    `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\naccounts: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`,
    ': expected YAML or JSON: Excessive alias count',
  ],
  ['nothing', '', ': document: null: expected fields and values'],
  [
    'another tariff from no day',
    YAML.replace('operator: { calls: 5 }', 'tariffs: [{ tariff: standard, from: 2026-02-30 }]'),
    ': accounts[0].tariffs[0]',
  ],
];

describe('a document', () => {
  it.each(BAD)(
    'with %s is refused with its file and line, and nothing of it is saved',
    async (_, content, told) => {
      const { ask, run, folder } = createCli({});
      const file = createFiles(folder).write('accounts.yaml', content);
      const refused = await run('account', 'apply', file, '--yes');
      expect(refused).toMatchObject({ code: 2, out: '' });
      expect(refused.err).toContain(file);
      expect(refused.err).toContain(told);
      expect(refused.err.trimEnd().split('\n')).toHaveLength(1);
      expect(await ask('account', 'list')).toEqual([]);
    },
  );

  it('may begin with a mark, and be YAML or JSON', async () => {
    const { run, folder } = createCli({});
    const { write } = createFiles(folder);
    for (const text of [YAML, JSON_TEXT]) {
      expect((await run('account', 'apply', write('a.yaml', `${MARK}${text}`), '--yes')).code).toBe(0);
    }
  });

  it('that is no file, or a folder, is named as it was given', async () => {
    const { run, folder } = createCli({});
    await run('account', 'set', 'acme');
    for (const [command, field] of [
      ['account apply', 'FILE'],
      ['account set --file', '--file'],
      ['route set --file', '--file'],
      ['shadow set acme', 'FILE'],
      ['account import-kazoo acme', 'FILE'],
      ['whatif --from 2026-07-01 --to 2026-07-02 --limits', '--limits'],
    ] as const) {
      for (const [file, reason] of [
        [`${folder}/none.yaml`, 'ENOENT'],
        [folder, 'EISDIR'],
      ] as const) {
        const refused = await run(...command.split(' '), file);
        expect(refused.code).toBe(2);
        expect(refused.err).toContain(`${field}: ${file}: expected a file that can be read: ${reason}`);
      }
    }
  });
});

describe('a limits document of Kazoo', () => {
  it.each([
    ['JSON that breaks off', '{\n  "pvt_calls": 5,\n  "pvt_', ': line 3: '],
    ['JSON that ends too early', '{\n  "pvt_calls": 5,\n', ': line 3: '],
    ['no JSON', '{\n  pvt_calls: 5\n}', ': line 2: '],
    ['Latin-1', Buffer.from('{\n  "pvt_description": "München"\n}', 'latin1'), ':2: '],
  ])('with %s is refused with its line', async (_, content, told) => {
    const { ask, run, folder } = createCli({});
    const file = createFiles(folder).write('limits.json', content);
    const refused = await run('account', 'import-kazoo', 'acme', file, '--yes');
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toContain(`${file}${told}`);
    expect(await ask('account', 'list')).toEqual([]);
  });
});
