import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { startRedis } from '../../src/servers/redis-server.ts';
import { FIGURES } from './all-figures.ts';
import type { Figure } from './figure.ts';
import type { Row } from './row.ts';
import { formatRows } from './table.ts';

const HELP = `npm run bench -- [--full] [--json] [--out FILE] [--only NAME,…] [--calls N] [--profile FOLDER]

Measures Tollgate against baselines of the same run, in turn, and prints medians with [least-most].
A missed target is reported and is no failure; exit code 1 means that something could not be measured.

  --full            more and longer rounds
  --json            the report as JSON on stdout
  --out FILE        the report as JSON in a file
  --only NAME,…     ${FIGURES.map(({ name }) => name).join(', ')}
  --calls N         calls in the large record of record-pages and rerate: 1000000 in SQLite, a fifth of it in PostgreSQL
  --profile FOLDER  CPU profiles of the service there, and its hottest functions
`;

type Section = { readonly name: string; readonly title: string } & (
  | { readonly kind: 'measured'; readonly rows: readonly Row[] }
  | { readonly kind: 'left out' | 'failed'; readonly reason: string }
);

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    out: { type: 'string' },
    only: { type: 'string' },
    calls: { type: 'string' },
    profile: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const wanted = values.only?.split(',') ?? FIGURES.map(({ name }) => name);
const unknown = wanted.filter((name) => !FIGURES.some((figure) => figure.name === name));
if (values.help) process.stdout.write(HELP);
else if (unknown.length > 0) {
  process.stderr.write(
    `--only: ${unknown.join(', ')}: expected names of ${FIGURES.map(({ name }) => name).join(', ')}\n`,
  );
  process.exitCode = 2;
} else process.exitCode = await run();

async function run(): Promise<number> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const figures = FIGURES.filter(({ name }) => wanted.includes(name));
  if (values.profile !== undefined) mkdirSync(values.profile, { recursive: true });
  const startedAt = performance.now();
  const redis = await startRedis({ ownServer: true, say });
  const sections: Section[] = [];
  try {
    for (const figure of figures) {
      say(`measuring: ${figure.title}`);
      const section = await measure(figure);
      sections.push(section);
      if (!values.json) process.stdout.write(`\n${titled(section)}\n`);
    }
  } finally {
    await redis.stop();
  }
  const report = {
    node: process.version,
    redis: `${redis.kind} ${redis.version}`,
    machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    full: values.full,
    seconds: Math.round((performance.now() - startedAt) / 1000),
    sections,
  };
  const text = `${JSON.stringify(report, undefined, 2)}\n`;
  if (values.json) process.stdout.write(text);
  if (values.out !== undefined) writeFileSync(values.out, text);
  const rows = sections.flatMap((section) => (section.kind === 'measured' ? section.rows : []));
  const aimed = rows.filter(({ reached }) => reached !== undefined);
  const reached = aimed.filter((row) => row.reached).length;
  say(
    `\n${reached} of ${aimed.length} targets reached, in ${report.seconds} s; Redis: ${report.redis}, Node ${report.node}`,
  );
  return sections.some(({ kind }) => kind === 'failed') ? 1 : 0;

  async function measure(figure: Figure): Promise<Section> {
    const { name, title } = figure;
    if (figure.needsRealRedis && redis.kind === 'embedded') {
      return { name, title, kind: 'left out', reason: 'only the embedded Redis can be had here' };
    }
    try {
      const calls = values.calls === undefined ? undefined : Math.trunc(+values.calls);
      const bench = { redis, calls, full: values.full, profileFolder: values.profile, say };
      return { name, title, kind: 'measured', rows: await figure.measure(bench) };
    } catch (error) {
      return {
        name,
        title,
        kind: 'failed',
        reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
      };
    }
  }
}

function titled(section: Section): string {
  const head = section.title.toUpperCase();
  return section.kind === 'measured'
    ? `${head}\n${formatRows(section.rows)}`
    : `${head}\n${section.kind}: ${section.reason}`;
}
