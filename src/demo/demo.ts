import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BOOKS } from './books.ts';
import { isProven, verdictOf, type Claim } from './claims.ts';
import { parseDemoArguments, USAGE } from './demo-arguments.ts';
import { FUNDED_SECOND } from './funded-second.ts';
import { leaveRunning } from './playground.ts';
import { RESELLER_LIMIT } from './reseller-limit.ts';
import { RUNNING_TOPUP } from './running-topup.ts';
import { createScreen, type Screen } from './screen.ts';
import { makeFolder, removeFolder, startStage, type Stage } from './stage.ts';
import { createTeardown } from './teardown.ts';
import { THIRTY_CALLERS } from './thirty-callers.ts';
import { pause } from './waiting.ts';

// `npm run demo`: real calls over the wire on a machine with nothing but Node, and every claim checked.

const SCENES = [THIRTY_CALLERS, FUNDED_SECOND, RUNNING_TOPUP, RESELLER_LIMIT, BOOKS];
/** Time to read what a scene is about. A pipe does not read. */
const READING_MS = 3_000;
const DONE = 0;
const FAILED = 1;
const BAD_INPUT = 2;
const INTERRUPTED = 130;

const wanted = parseDemoArguments(process.argv.slice(2));
switch (wanted.kind) {
  case 'help':
    process.stdout.write(`${USAGE}\n`);
    break;
  case 'bad':
    process.stderr.write(`${wanted.problem}\n${USAGE}\n`);
    process.exitCode = BAD_INPUT;
    break;
  case 'play':
    // Scenes that were interrupted may still hold timers: nothing of them is waited for.
    process.exit(await run(wanted.keep));
}

async function run(keep: boolean): Promise<number> {
  const startedAt = performance.now();
  const interrupted = interruption();
  const screen = createScreen(process.stdout, {
    terminal: process.env['TERM'] ?? '',
    now: () => performance.now(),
  });
  const teardown = createTeardown();
  const folder = makeFolder();
  let code = INTERRUPTED;

  const play = async (): Promise<void> => {
    screen.title('Tollgate admits, meters, cuts and charges FreeSWITCH calls');
    const stage = await startStage({ folder, teardown, say: (line) => screen.print([line]) });
    const playing = playAll(stage, screen, startedAt);
    code = await Promise.race([playing, stage.service.died]);
    if (keep) await Promise.race([leaveRunning(stage, screen), stage.service.died]);
  };
  try {
    await Promise.race([play(), interrupted]);
  } catch (error) {
    code = FAILED;
    screen.title('The demonstration failed');
    const [message, stack] = error instanceof Error ? [error.message, error.stack] : [String(error)];
    writeFileSync(join(folder, 'failure.txt'), `${stack ?? message}\n`);
    screen.print(message.split('\n'));
  }
  screen.title('Ending what was started');
  const keepFolder = code === FAILED;
  if (keepFolder) screen.print([`what is left to look at is in ${folder}`]);
  // Whatever a broken scene still wants to show is of no interest any more.
  screen.mute();
  await teardown.end((line) => process.stderr.write(`${line}\n`));
  if (!keepFolder) removeFolder(folder);
  return code;
}

/** Ctrl-C, a closed terminal, or a pipe whose reader has gone. */
function interruption(): Promise<void> {
  return new Promise((resolve) => {
    // They stay set: npm passes a Ctrl-C on, so that it may come twice, and the ending must not be cut short.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
    process.stdout.on('error', () => resolve());
  });
}

async function playAll(stage: Stage, screen: Screen, startedAt: number): Promise<number> {
  const claims: Claim[] = [];
  for (const [index, scene] of SCENES.entries()) {
    screen.title(`${index + 1}. ${scene.title}`);
    screen.tell(scene.tells);
    screen.print(['']);
    if (screen.isLive) await pause(READING_MS);
    const seen = await scene.play(stage, screen);
    screen.print(['']);
    for (const claim of seen) screen.claim(claim);
    claims.push(...seen);
  }
  const verdict = verdictOf(claims);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  if (isProven(verdict)) {
    screen.title(`All ${verdict.checked} claims were checked and hold. (${seconds} s)`);
    return DONE;
  }
  screen.title(`${verdict.failed.length} of ${verdict.checked} claims do not hold:`);
  for (const claim of verdict.failed) screen.claim(claim);
  return FAILED;
}
