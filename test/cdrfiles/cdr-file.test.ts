import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCdrFile, UNREAD, type FileProgress } from '../../src/cdrfiles/cdr-file.ts';
import { cdrFilesAt, type CdrFile } from '../../src/cdrfiles/cdr-folder.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { EXACT_TEMPLATE, jsonOf, READING, templateOf, VARIABLES } from './samples.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-cdrs-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const OLD_SECONDS = 1_795_400_000;
const NOW = toEpochMs((OLD_SECONDS + 3_600) * 1000);
const reading = { ...READING, now: NOW, template: templateOf(EXACT_TEMPLATE) };

/** Written an hour ago, or just now. */
function write(name: string, content: string | Uint8Array, age: 'old' | 'young' = 'old'): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  touch(path, age);
  return path;
}

function touch(path: string, age: 'old' | 'young'): void {
  const at = age === 'old' ? OLD_SECONDS : NOW / 1000 - 5;
  utimesSync(path, at, at);
}

async function found(path = folder, format?: CdrFile['format']): Promise<readonly CdrFile[]> {
  return (await Array.fromAsync(cdrFilesAt(path, format))).toSorted((a, b) => a.path.localeCompare(b.path));
}

/** What a file has, and how far it was read. */
async function readAll(path: string, from: FileProgress = UNREAD) {
  const [file] = await found(path);
  if (file === undefined) throw new Error('no file');
  const said: string[] = [];
  let progress = from;
  for await (const part of readCdrFile(file, reading, from)) {
    if (part.kind === 'later') said.push(`later: ${part.why}`);
    else {
      ({ progress } = part);
      for (const leg of part.legs) {
        said.push(
          leg.kind === 'cdr'
            ? `${leg.line}: ${leg.cdr.uuid}`
            : `${leg.line}: ${leg.fault.field}: ${leg.fault.expected}`,
        );
      }
    }
  }
  return { said, progress };
}

function lineOf(uuid: string): string {
  const values: Readonly<Record<string, string>> = { ...VARIABLES, uuid };
  return EXACT_TEMPLATE.replaceAll(/\$\{([^}]*)\}/g, (_, name: string) => values[name] ?? '');
}

describe('the CDR files of a folder', () => {
  it('are those with the endings of the three modules, in all folders below, and nothing behind a link', async () => {
    for (const name of [
      'a.cdr.json',
      'a_1.json',
      'Master.csv',
      'Master.csv.2026-11-22-07-11-47',
      'x.cdr.xml',
      'notes.txt',
      'a.json.swp',
    ])
      write(name, '');
    mkdirSync(join(folder, 'below'));
    write('below/b.JSON', '');
    symlinkSync(folder, join(folder, 'below', 'round'));
    const names = (await found()).map(({ path, format }) => `${format} ${path.slice(folder.length + 1)}`);
    expect(names.toSorted()).toEqual([
      'csv Master.csv',
      'csv Master.csv.2026-11-22-07-11-47',
      'json a.cdr.json',
      'json a_1.json',
      'json below/b.JSON',
      'xml x.cdr.xml',
    ]);
    expect((await found(folder, 'xml')).map(({ format }) => format)).toEqual(['xml']);
  });

  it('may be one file, of whatever name where its format is told', async () => {
    const path = write('cdr.log', '');
    expect(await found(path)).toEqual([]);
    expect(await found(path, 'csv')).toMatchObject([{ path, format: 'csv' }]);
    await expect(found(join(folder, 'none'))).rejects.toThrow('ENOENT');
  });
});

describe('a file of one leg', () => {
  it('is left for later while it is young and unfinished, and is a fault when it is old', async () => {
    const half = jsonOf().slice(0, 300);
    expect((await readAll(write('a.json', half, 'young'))).said).toEqual(['later: it is not finished']);
    expect((await readAll(write('a.xml', '<cdr><variables>', 'young'))).said).toEqual([
      'later: it is not finished',
    ]);
    expect((await readAll(write('a.json', half))).said).toEqual([
      '1: file: JSON as mod_json_cdr writes it, to its end',
    ]);
    expect((await readAll(write('a.xml', '<cdr>'))).said).toEqual([
      '1: file: XML as mod_xml_cdr writes it, to its end',
    ]);
    expect((await readAll(write('a.json', '', 'young'))).said).toEqual(['later: it is not finished']);
    // What is finished and wrong does not get better.
    expect((await readAll(write('a.json', '{}', 'young'))).said).toEqual([
      '1: variables: the channel variables of a leg',
    ]);
  });

  it('of a gigabyte is refused without being read', async () => {
    for (const name of ['a.json', 'a.xml']) {
      const path = write(name, '{');
      truncateSync(path, 2 ** 30);
      touch(path, 'old');
      const before = process.memoryUsage().rss;
      expect((await readAll(path)).said).toEqual(['1: file: at most 4194304 bytes']);
      expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
    }
  });
});

describe('a file of lines', () => {
  it('is read on from where it was left, and its unfinished line when that is finished', async () => {
    const path = write(
      'Master.csv',
      `${lineOf('aa-1')}\n\n${lineOf('aa-2')}\n${lineOf('aa-3').slice(0, 40)}`,
      'young',
    );
    const first = await readAll(path);
    expect(first.said).toEqual(['1: aa-1', '3: aa-2']);
    expect(first.progress.lines).toBe(3);
    appendFileSync(path, `${lineOf('aa-3').slice(40)}\r\n${lineOf('aa-4')}`);
    touch(path, 'young');
    const second = await readAll(path, first.progress);
    expect(second.said).toEqual(['4: aa-3']);
    touch(path, 'old');
    const third = await readAll(path, second.progress);
    expect(third.said).toEqual(['5: aa-4']);
    expect(third.progress.bytes).toBe(statSync(path).size);
    expect((await readAll(path, third.progress)).said).toEqual([]);
  });

  it('is read from its start where another one has taken its name', async () => {
    const path = write('Master.csv', `${lineOf('aa-1')}\n`);
    const { progress } = await readAll(path);
    const lines = ['bb-1', 'bb-2', 'bb-3'].map((uuid) => `${lineOf(uuid)}\n`);
    write('Master.csv', lines.join(''));
    expect((await readAll(path, progress)).said).toEqual(['1: bb-1', '2: bb-2', '3: bb-3']);
    write('Master.csv', '');
    expect((await readAll(path, progress)).said).toEqual([]);
  });

  it('is the same in whatever encoding of its line ends, with a mark at its start', async () => {
    const path = write('Master.csv', `\u{FEFF}${lineOf('aa-1')}\r\n${lineOf('aa-2')}`);
    expect((await readAll(path)).said).toEqual(['1: aa-1', '2: aa-2']);
  });
});
