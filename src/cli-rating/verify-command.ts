import type { Command, CommandContext, CommandLine, Result } from '../command-line/command.ts';
import type { LiveProof } from '../command-line/live-state.ts';
import { describeFinding } from '../records/finding.ts';
import { proveRecord } from '../records/proof.ts';

/** A wholly broken record must not fill the terminal or the memory. */
const FINDINGS_SHOWN_MAX = 1000;

export const VERIFY_COMMAND: Command = {
  name: 'verify',
  summary: 'proves that the record adds up and that Redis agrees with it; exit code 1 if not',
  operands: [],
  flags: {
    fix: { doc: 'supply to Redis what is on record and missing there' },
    'record-only': { doc: 'leave Redis out' },
  },
  run: verify,
};

async function verify(line: CommandLine, context: CommandContext): Promise<Result> {
  const { evidence, records } = await context.stores();
  const findings: string[] = [];
  let more = 0;
  for await (const finding of proveRecord(evidence)) {
    if (findings.length < FINDINGS_SHOWN_MAX) findings.push(describeFinding(finding));
    else more += 1;
  }
  const counts = await records.counts();
  const live = line.flags.has('record-only')
    ? undefined
    : await (await context.live()).proveLive({ fix: line.flags.has('fix') });
  const all = [...findings, ...(live?.findings ?? [])];
  const checked = `${many(counts.transfers, 'transfer')}, ${many(counts.charges, 'charge')}, ${many(counts.cdrs, 'call')}${inLive(live)}`;
  return {
    done: all.length === 0,
    json: { ok: all.length === 0, checked: counts, live, findings: all, more },
    lines: [
      ...all,
      ...(more === 0 ? [] : [`and ${more} more`]),
      ...(live?.fixed ?? []),
      all.length === 0 ? `all adds up: ${checked}` : `${many(all.length + more, 'finding')} in ${checked}`,
    ],
  };
}

function many(count: number, noun: string, several = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : several}`;
}

function inLive(live: LiveProof | undefined): string {
  if (live === undefined) return ' (Redis not looked at)';
  const pools =
    live.poolsChecked === 0
      ? ''
      : `, ${many(live.poolsChecked, 'allotment or spend window', 'allotments and spend windows')}`;
  return `, ${many(live.walletsChecked, 'wallet')}${pools} and ${many(live.legsChecked, 'live leg')} in Redis`;
}
