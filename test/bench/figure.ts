import type { StartedRedis } from '../../src/servers/redis-server.ts';
import type { Row } from './row.ts';

/** What every figure is given. */
export type Bench = {
  readonly redis: StartedRedis;
  /** Calls in the large record; undefined: as many as fit in a short time. */
  readonly calls: number | undefined;
  /** More rounds and longer ones. */
  readonly full: boolean;
  /** Where CPU profiles of the service are written; undefined: none are taken. */
  readonly profileFolder: string | undefined;
  readonly say: (line: string) => void;
};

export type Figure = {
  readonly name: string;
  readonly title: string;
  /** An embedded Redis in JavaScript has other costs altogether: what is measured on it would mislead. */
  readonly needsRealRedis: boolean;
  measure(bench: Bench): Promise<readonly Row[]>;
};
