import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseOperatorLimits } from '../accounts/limits-document.ts';
import { connectLiveState } from '../cli/wiring.ts';
import type { LiveState } from '../command-line/live-state.ts';
import { loadConfig } from '../config/config.ts';
import { openDatabase, type Database } from '../database/database.ts';
import { freePort } from '../servers/free-port.ts';
import { startRedis, type StartedRedis } from '../servers/redis-server.ts';
import { createSimulator, type Simulator } from '../simulator/simulator.ts';
import { assert } from '../units/assert.ts';
import { useDialplan } from './carrier.ts';
import { startServiceProcess, type ServiceProcess } from './service-process.ts';
import type { Teardown } from './teardown.ts';
import { openAccounts } from './tenants.ts';
import { until } from './waiting.ts';

/** Everything that runs, and where it can be reached. */
export type Stage = {
  readonly redis: StartedRedis;
  readonly sim: Simulator;
  readonly service: ServiceProcess;
  /** The live state in Redis and the record in SQL, as the command line sees them. */
  readonly live: LiveState;
  readonly database: Database;
  readonly configFile: string;
  readonly logFile: string;
  readonly healthUrl: string;
};

export type StageOptions = {
  readonly folder: string;
  readonly teardown: Teardown;
  readonly say: (line: string) => void;
};

export function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'tollgate-demo-'));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

export async function startStage({ folder, teardown, say }: StageOptions): Promise<Stage> {
  const redis = await startRedis({ ownServer: true, appendonly: true, say });
  teardown.add(() => redis.stop());
  say(`Redis       ${describeRedis(redis)}`);

  const sim = await createSimulator();
  teardown.add(() => sim.close());
  say(`FreeSWITCH  a simulated one, Event Socket on port ${sim.port}`);

  const configFile = join(folder, 'tollgate.yaml');
  const databaseFile = join(folder, 'tollgate.sqlite');
  const httpPort = await freePort();
  writeFileSync(configFile, configText({ sim, redisUrl: redis.url, databaseFile, httpPort }));
  say(`SQL         SQLite, ${databaseFile}`);

  const database = await openDatabase({ url: databaseFile });
  teardown.add(() => database.close());
  await openAccounts(configFile, folder);

  const logFile = join(folder, 'service.log');
  const onSpawn = (stop: () => Promise<void>): void => teardown.add(stop);
  const service = await startServiceProcess({ configFile, logFile, onSpawn });
  // Whoever waits for something else is told by the race of the whole; here it must only not go unheard.
  service.died.catch(() => undefined);
  useDialplan(sim, service.socketPort);
  const healthUrl = `http://127.0.0.1:${httpPort}/healthz`;
  await Promise.race([until('the service is healthy', () => isHealthy(healthUrl), Boolean), service.died]);
  say(`Tollgate    process ${service.pid}, log in ${logFile}`);

  const live = await connectLive(configFile, teardown);
  return { redis, sim, service, live, database, configFile, logFile, healthUrl };
}

function describeRedis({ kind, version, url }: StartedRedis): string {
  const port = new URL(url).port;
  return kind === 'embedded'
    ? `${version}, embedded, on port ${port}; hang-ups may come later than with a real one`
    : `${version}, a server of its own on port ${port}`;
}

async function connectLive(configFile: string, teardown: Teardown): Promise<LiveState> {
  const loaded = loadConfig({ file: configFile, environment: {}, parseDefaults: parseOperatorLimits });
  assert(loaded.kind === 'ok', 'the configuration was good enough for the service');
  const connected = await connectLiveState(loaded.config);
  teardown.add(() => connected.close());
  return connected.live;
}

/** JSON is YAML too. */
function configText(of: {
  readonly sim: Simulator;
  readonly redisUrl: string;
  readonly databaseFile: string;
  readonly httpPort: number;
}): string {
  const config = {
    freeswitch: { host: '127.0.0.1', port: of.sim.port, password: of.sim.password },
    gates: { socket: { port: 0 } },
    redis: { url: of.redisUrl },
    database: { url: of.databaseFile },
    http: { port: of.httpPort },
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

/** Up, and in charge of the only FreeSWITCH: only then are parked calls answered. */
async function isHealthy(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    const health = (await response.json()) as { readonly parts?: { readonly owned?: readonly string[] } };
    return response.ok && health.parts?.owned?.length === 1;
  } catch {
    // Not listening yet.
    return false;
  }
}
