import type { LegRecord } from '../admission/leg-record.ts';
import type { LegUuid } from '../units/ids.ts';
import type { LiveParts } from './live-store-state.ts';

const CONNECT_WAIT_MS = 3_000;
const CONNECT_POLL_MS = 20;

type Nodes = Pick<LiveParts, 'switches'>;
type Node = LiveParts['switches'][number];
type Channels = readonly { readonly uuid: LegUuid }[];

/** Legs held for a FreeSWITCH that says it has no such call. A FreeSWITCH that cannot be asked proves nothing. */
export async function channelFindings(
  { switches }: Nodes,
  legs: readonly LegRecord[],
  readAgain: () => Promise<readonly LegRecord[]>,
): Promise<string[]> {
  const suspects = new Map(legs.map((record) => [record.legKey, record]));
  if (suspects.size === 0) return [];
  const live = new Set<LegUuid>();
  const asked = new Set<string>();
  for (const node of switches) {
    if (!legs.some((record) => record.node === node.node)) continue;
    const channels = await channelsOf(node);
    // One that cannot be asked: its legs are neither proved nor doubted.
    if (channels === undefined) continue;
    for (const { uuid } of channels) live.add(uuid);
    asked.add(node.node);
  }
  const still = new Set((await readAgain()).map((record) => record.legKey));
  return [...suspects.values()]
    .filter(({ legKey, node }) => still.has(legKey) && asked.has(node))
    .filter(({ uuid, aLeg }) => !live.has(uuid ?? aLeg) && !live.has(aLeg))
    .map(({ legKey, account, node }) => `${legKey} of ${account} is held, and ${node} has no such call`);
}

/** Whether every channel of every FreeSWITCH belongs to one of these legs, as far as all of them can be asked. */
export async function areAllKnown(
  { switches }: Nodes,
  readLegs: () => Promise<readonly LegRecord[]>,
): Promise<boolean> {
  const channels = await Promise.all(switches.map(channelsOf));
  const legs = await readLegs();
  const known = new Set(legs.flatMap(({ uuid, aLeg }) => [uuid, aLeg]));
  return channels.every((each) => each?.every(({ uuid }) => known.has(uuid)) === true);
}

async function channelsOf(node: Node): Promise<Channels | undefined> {
  node.start();
  const until = performance.now() + CONNECT_WAIT_MS;
  while (!node.health().up && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, CONNECT_POLL_MS));
  }
  return await node.control.channels().catch(() => undefined);
}
