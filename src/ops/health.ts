import { createServer } from 'node:http';

/** What `/healthz` answers: 200 when calls can be decided and recorded, else 503, and why. */
export type Health = {
  readonly ok: boolean;
  readonly parts: Readonly<Record<string, unknown>>;
};

export type HealthServer = { readonly port: number; close(): Promise<void> };

/** A page for probes and people. Nothing but GET /healthz is served. */
export async function startHealthServer(
  at: { readonly host: string; readonly port: number },
  health: () => Promise<Health>,
): Promise<HealthServer> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/healthz') {
      response.writeHead(404).end();
      return;
    }
    health().then(
      (state) => {
        response.writeHead(state.ok ? 200 : 503, { 'content-type': 'application/json' });
        response.end(`${JSON.stringify(state, undefined, 1)}\n`);
      },
      () => response.writeHead(503).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : at.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
