import { loadConfig } from '../../src/config/config.ts';
import { parseOperatorLimits } from '../../src/accounts/limits-document.ts';
import { startService, type Service } from '../../src/main.ts';
import { createLog } from '../../src/wiring/parts.ts';

/** The service in a process of its own, so that its CPU time is its own. Told and asked by `service-child.ts`. */
export type ServiceOrder =
  | { readonly kind: 'start'; readonly environment: Readonly<Record<string, string>> }
  | { readonly kind: 'ask' | 'stop' };

export type ServiceWord =
  | { readonly kind: 'up'; readonly socketPort: number | undefined }
  | ({ readonly kind: 'figures' } & ServiceFigures)
  | { readonly kind: 'failed'; readonly reason: string };

export type ServiceFigures = {
  /** Of this process since its start. */
  readonly cpuMicros: number;
  /** Hang-up command sent minus funded instant, of every cut so far. */
  readonly latenessMs: readonly number[];
};

let service: Service | undefined;

process.on('message', (order: ServiceOrder) => {
  obey(order).catch((error: unknown) => {
    say({ kind: 'failed', reason: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  });
});

async function obey(order: ServiceOrder): Promise<void> {
  switch (order.kind) {
    case 'start': {
      const loaded = loadConfig({
        file: undefined,
        environment: order.environment,
        parseDefaults: parseOperatorLimits,
      });
      if (loaded.kind === 'bad') throw new Error(JSON.stringify(loaded.problems));
      service = await startService({ config: loaded.config, log: createLog(loaded.config.log.level) });
      return say({ kind: 'up', socketPort: service.socketPort });
    }
    case 'ask': {
      const { user, system } = process.cpuUsage();
      const latenessMs = service?.controller.cutoffs.latenessMs() ?? [];
      return say({ kind: 'figures', cpuMicros: user + system, latenessMs });
    }
    case 'stop':
      await service?.stop();
      process.disconnect();
  }
}

function say(word: ServiceWord): void {
  process.send?.(word);
}
