import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ServiceFigures, ServiceOrder, ServiceWord } from './service-process.ts';

export type ServiceChild = {
  readonly socketPort: number | undefined;
  figures(): Promise<ServiceFigures>;
  stop(): Promise<void>;
};

const PROGRAM = fileURLToPath(new URL('./service-process.ts', import.meta.url));

/** Starts the service with these settings, its log level as installed and its log thrown away. */
export async function startServiceChild(
  environment: Readonly<Record<string, string>>,
  profileFolder: string | undefined,
): Promise<ServiceChild> {
  const profiling = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
  const child = fork(PROGRAM, [], {
    execArgv: profiling,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);

  const ask = async (order: ServiceOrder): Promise<ServiceWord> => {
    const { promise, resolve, reject } = Promise.withResolvers<ServiceWord>();
    const onExit = (): void => reject(new Error('the service ended by itself'));
    child.once('message', resolve);
    child.once('exit', onExit);
    child.send(order);
    const word = await promise.finally(() => child.off('exit', onExit));
    if (word.kind === 'failed') throw new Error(`the service failed: ${word.reason}`);
    return word;
  };

  const up = await ask({ kind: 'start', environment }).catch((error: unknown) => {
    kill();
    throw error;
  });
  if (up.kind !== 'up') throw new Error(`the service answered ${up.kind} to its start`);
  return {
    socketPort: up.socketPort,
    async figures() {
      const word = await ask({ kind: 'ask' });
      if (word.kind !== 'figures') throw new Error(`the service answered ${word.kind}`);
      return word;
    },
    async stop() {
      process.off('exit', kill);
      if (!child.connected) return kill();
      const ended = once(child, 'exit');
      child.send({ kind: 'stop' } satisfies ServiceOrder);
      await ended;
    },
  };
}
