import { writeSync } from 'node:fs';

/** Preloaded into a process that is measured: at its end it writes what it has used to its file descriptor 3. */
const REPORT_DESCRIPTOR = 3;

export type Usage = { readonly cpuSeconds: number; readonly rssBytesMax: number };

process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const usage: Usage = { cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, rssBytesMax: maxRSS * 1024 };
  writeSync(REPORT_DESCRIPTOR, JSON.stringify(usage));
});
