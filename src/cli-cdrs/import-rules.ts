import { loadRatingBooks } from '../cli-rating/rating-books.ts';
import type { CommandContext, Stores } from '../command-line/command.ts';
import { findParties } from '../gate/parties.ts';
import type { ImportRules } from '../reconcile/import-verdict.ts';
import type { SwitchCdr } from '../reconcile/switch-cdr.ts';
import { assert } from '../units/assert.ts';
import { parseNodeId, type AccountPath, type NodeId } from '../units/ids.ts';
import { policyOf } from '../wiring/parts.ts';

/** By what FreeSWITCH's own CDRs are judged: accounts, tariffs and settings as they are now. */
export async function loadImportRules(
  context: Pick<CommandContext, 'config' | 'now'>,
  stores: Pick<Stores, 'accounts' | 'tariffs'>,
  account: AccountPath | undefined,
): Promise<ImportRules> {
  const config = context.config();
  const books = await loadRatingBooks(config, stores);
  const { emergencyNumbers, seconds, ungated } = policyOf(config);
  const [first, ...others] = config.freeswitch.nodes;
  return {
    now: context.now(),
    books,
    seconds,
    ungated,
    account,
    findParties: (claims) => findParties(claims, books.accounts, emergencyNumbers),
    nodeOf: (leg) => nodeOf(leg, others.length === 0 ? first?.id : undefined),
  };
}

/** The only server of the configuration; of several, the one that is called as FreeSWITCH calls itself. */
function nodeOf({ switchName }: SwitchCdr, only: string | undefined): NodeId {
  const named = (switchName ?? '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9_.-]/g, '-')
    .slice(0, NAME_CHARS_MAX);
  const node = parseNodeId(only ?? named) ?? parseNodeId(UNKNOWN_NODE);
  assert(node !== undefined, 'the name of an unknown node is one');
  return node;
}

const UNKNOWN_NODE = 'unknown';
const NAME_CHARS_MAX = 64;
