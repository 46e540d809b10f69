import type { Redis } from 'ioredis';

/** CPU seconds that Redis's one command thread has used so far, by its own count. */
export async function redisCpuSeconds(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  // Redis 6 and Valkey's oldest do not count the main thread apart.
  const user = numberIn(info, 'used_cpu_user_main_thread') ?? numberIn(info, 'used_cpu_user');
  const system = numberIn(info, 'used_cpu_sys_main_thread') ?? numberIn(info, 'used_cpu_sys');
  if (user === undefined || system === undefined) throw new Error('this Redis does not tell its CPU time');
  return user + system;
}

export async function redisBytes(redis: Redis): Promise<number> {
  const used = numberIn(await redis.info('memory'), 'used_memory');
  if (used === undefined) throw new Error('this Redis does not tell its memory');
  return used;
}

export async function redisCommands(redis: Redis): Promise<number> {
  const commands = numberIn(await redis.info('stats'), 'total_commands_processed');
  if (commands === undefined) throw new Error('this Redis does not count its commands');
  return commands;
}

export type Cost = {
  /** Of Redis's command thread and of this process, in µs of CPU. */
  readonly redisMicros: number;
  readonly nodeMicros: number;
  readonly seconds: number;
};

/** What some work costs Redis and this process, whatever else the machine does. */
export async function costOf(redis: Redis, work: () => Promise<unknown>): Promise<Cost> {
  const redisBefore = await redisCpuSeconds(redis);
  const nodeBefore = process.cpuUsage();
  const startedAt = performance.now();
  await work();
  const seconds = (performance.now() - startedAt) / 1000;
  const node = process.cpuUsage(nodeBefore);
  const redisMicros = ((await redisCpuSeconds(redis)) - redisBefore) * 1e6;
  return { redisMicros, nodeMicros: node.user + node.system, seconds };
}

function numberIn(info: string, name: string): number | undefined {
  const text = new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
  return text === undefined ? undefined : Number(text);
}
