import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  floatViolations,
  importViolations,
  keyViolations,
  lengthViolations,
  type Sources,
} from './support/house-rules.ts';

const project = fileURLToPath(new URL('..', import.meta.url));
const sources = readSources();

describe('the house', () => {
  it('has only rooms of the table, which import only what the table lets them', () => {
    expect(importViolations(sources)).toEqual([]);
  });

  it('has no file too long to be read at once', () => {
    expect(lengthViolations(sources)).toEqual([]);
  });

  it('keeps money away from floats', () => {
    expect(floatViolations(sources)).toEqual([]);
  });

  it('spells Redis keys in one file', () => {
    expect(keyViolations(sources)).toEqual([]);
  });
});

// A guard that cannot fail guards nothing: each rule is shown a source that breaks it.
describe('the rules of the house can fail', () => {
  it.each([
    ['a package in a pure room', 'src/rating/x.ts', `import { z } from 'zod';`, 'may not import zod'],
    ['Node in a pure room', 'src/credit/x.ts', `import fs from 'node:fs';`, 'may not import node:fs'],
    ['Node in the controller', 'src/controller/x.ts', `import 'node:net';`, 'may not import node:net'],
    ['an arrow against the table', 'src/units/x.ts', `import { a } from '../rating/a.ts';`, '../rating/a.ts'],
    ['a type-only import', 'src/calls/x.ts', `import type { A } from '../credit/a.ts';`, '../credit/a.ts'],
    ['a re-export', 'src/calls/x.ts', `export * from '../credit/a.ts';`, '../credit/a.ts'],
    ['a typeof import', 'src/calls/x.ts', `type A = typeof import('../credit/a.ts');`, '../credit/a.ts'],
    ['a dynamic import', 'src/calls/x.ts', `await import('../credit/a.ts');`, '../credit/a.ts'],
    [
      'an import over many lines',
      'src/calls/x.ts',
      `import {\n  A,\n} from '../credit/a.ts';`,
      '../credit/a.ts',
    ],
    ['edge to edge', 'src/redis/x.ts', `import { a } from '../queue/a.ts';`, 'may not import ../queue/a.ts'],
    ["another edge's package", 'src/ops/x.ts', `import { Redis } from 'ioredis';`, 'may not import ioredis'],
    ['a room that imports the wiring', 'src/ops/x.ts', `import { a } from '../main.ts';`, '../main.ts'],
    [
      'a source that imports a test',
      'src/ops/x.ts',
      `import { a } from '../../test/a.ts';`,
      '../../test/a.ts',
    ],
    ['a room missing from the table', 'src/misc/x.ts', '', 'room "misc" is not in the table'],
    ['a stray file at the top', 'src/stray.ts', '', 'room "stray.ts" is not in the table'],
  ])('refuses %s, naming file and import', (_, file, source, said) => {
    const violations = importViolations(planted(file, source));
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(file);
    expect(violations[0]).toContain(said);
  });

  it('lets an edge import its package, a subpath of it, Node and the pure rooms', () => {
    const source = `import 'ioredis';\nimport 'ioredis/x';\nimport 'node:fs';\nimport '../credit/a.ts';\nimport './b.ts';`;
    expect(importViolations(planted('src/redis/x.ts', source))).toEqual([]);
  });

  it('refuses the 301st line', () => {
    expect(lengthViolations(planted('src/a/x.ts', 'x\n'.repeat(301)))).toEqual([
      'src/a/x.ts: 301 lines, at most 300',
    ]);
    expect(lengthViolations(planted('src/a/x.ts', 'x\n'.repeat(300)))).toEqual([]);
  });

  it.each(['parseFloat(text)', 'amount.toFixed(2)', 'Number(micros)', 'Number(price / 60n)'])(
    'refuses %s near money',
    (code) => {
      expect(floatViolations(planted('src/credit/x.ts', `\nconst a = ${code};`))).toEqual([
        `src/credit/x.ts:2: const a = ${code};`,
      ]);
      expect(floatViolations(planted('src/ops/x.ts', code))).toEqual([]);
    },
  );

  it('lets a count be made a number when its name says that it is one', () => {
    const source = 'Number(furtherPulses) + Number(ppm) + Number(paidSeconds) + Number.MAX_SAFE_INTEGER';
    expect(floatViolations(planted('src/credit/x.ts', source))).toEqual([]);
  });

  it.each(["'tollgate:calls'", '`tollgate:{${root}}:wallet`'])(
    'refuses the key %s outside keys.ts',
    (key) => {
      expect(keyViolations(planted('src/controller/x.ts', `const key = ${key};`))).toHaveLength(1);
      expect(keyViolations(planted('src/redis/keys.ts', `const key = ${key};`))).toEqual([]);
    },
  );
});

function planted(file: string, source: string): Sources {
  return new Map([[file, source]]);
}

function readSources(): Sources {
  const files = readdirSync(join(project, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(?:ts|lua)$/.test(file))
    .map((file) => join('src', file));
  return new Map(files.map((file) => [file, readFileSync(join(project, file), 'utf8')]));
}
