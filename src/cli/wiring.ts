import type { ServiceConfig } from './command.ts';
import type { LiveState } from './live-state.ts';

/** A connected live state, and how to let go of it. */
export type ConnectedLiveState = { readonly live: LiveState; close(): Promise<void> };

/** Joins the command line to Redis and to the controllers that share it. */
export function connectLiveState(_config: ServiceConfig): Promise<ConnectedLiveState> {
  return Promise.reject(new Error('the live state is not wired yet'));
}

/** Runs the service until a signal stops it; the exit code. */
export function serve(_config: ServiceConfig): Promise<number> {
  return Promise.reject(new Error('the service is not wired yet'));
}
