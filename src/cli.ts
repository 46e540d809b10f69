#!/bin/sh
//bin/true; self="$(readlink -f "$0")"; node="$(dirname "$self")/../node_modules/.bin/node"
//bin/true; [ -x "$node" ] || node=node
//bin/true; memory=''; [ "$1" = serve ] || memory='--max-semi-space-size=16 --heap-growing-percent=50'
//bin/true; "$node" -e 'process.exit(+(parseInt(process.version.slice(1)) < 24))' && exec "$node" $memory "$self" "$@"
//bin/true; echo "tollgate needs Node 24 or newer; this machine's node is $(node --version)" >&2; exit 1

// The lines above are what a shell sees when this file is run by its name: an older Node could not even read
// TypeScript to say so, and npm may have installed a newer one beside us. `node src/cli.ts` skips them. A command
// may walk over millions of rows: with less room for what is young, and a collection whenever half as much again as
// is in use has gathered, it stays small. Else it would be five times as much, and now and then 500 MB. The service keeps
// Node's own measure.

import { connectLiveState, serve } from './cli/wiring.ts';
import { runCli } from './cli/program.ts';
import { toEpochMs } from './units/time.ts';

// A reader that has seen enough (`| head`) closes the pipe: that is no failure. What is printed while the record is
// being put right must not keep that from its end: then nobody is told the rest.
const onlyReads = !process.argv.includes('--fix');
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  if (onlyReads) process.exit();
});

process.exitCode = await runCli(process.argv.slice(2), {
  environment: process.env,
  now: () => toEpochMs(Date.now()),
  print: (text) => process.stdout.write(text),
  say: (line) => process.stderr.write(`${line}\n`),
  drawProgress: process.stderr.isTTY ? (text) => process.stderr.write(text) : undefined,
  connectLiveState,
  serve,
});
