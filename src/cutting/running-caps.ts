import type { AccountLookup, AccountNode } from '../accounts/account-tree.ts';
import { capByNow, capFrom } from '../admission/cap.ts';
import type { LegCap, LegRecord } from '../admission/leg-record.ts';
import type { ControllerContext } from '../state/context.ts';
import type { Leg, LegBook } from '../state/leg-book.ts';
import type { AccountPath } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';
import type { Deadman } from './deadman.ts';

/** How long running legs may last, where the limits have changed since they were admitted. */
export type RunningCaps = {
  /** Accounts may have changed: the legs of those that have are limited anew. */
  apply(): Promise<void>;
  /** For a leg that is being answered, or was by somebody else: what changed meanwhile holds for it. */
  beforeAnswer(leg: Leg, record: LegRecord): Promise<LegRecord>;
};

/** Legs of the nodes whose events this controller takes: each leg is limited by one controller. */
export function createRunningCaps(
  context: ControllerContext,
  { book, deadman }: { readonly book: LegBook; readonly deadman: Deadman },
): RunningCaps {
  const { store, directory, log } = context;
  let before: AccountLookup = directory.accounts();

  const limit = async (leg: Leg, record: LegRecord, cap: LegCap | undefined): Promise<void> => {
    try {
      if ((await store.limitLength(record, cap)) === undefined) return;
      if (leg.record?.legKey === record.legKey) book.attach(leg, { ...leg.record, cap });
      await deadman.lengthChanged(leg);
      const { account: accountId } = record;
      log.info({ callUuid: leg.uuid, accountId, seconds: cap?.seconds }, 'length of a running call changed');
    } catch (err) {
      log.error({ err, callUuid: leg.uuid }, 'length of a running call not changed');
    }
  };

  const talkedSeconds = (answeredAt: EpochMs): number =>
    Math.max(0, Math.ceil((store.now() - answeredAt) / 1000));

  return {
    async apply() {
      const [was, is] = [before, directory.accounts()];
      before = is;
      const changed = changedAccounts(was, is);
      if (changed.size === 0) return;
      const limited: Promise<void>[] = [];
      for (const leg of book.live()) {
        const { record, answeredAt } = leg;
        if (record === undefined || answeredAt === undefined || !isOf(record, changed)) continue;
        const now = capByNow(record, is);
        if (capByNow(record, was)?.seconds === now?.seconds) continue;
        const cap = capFrom(record.cap, now, talkedSeconds(answeredAt));
        if (cap?.seconds !== record.cap?.seconds) limited.push(limit(leg, record, cap));
      }
      await Promise.all(limited);
    },
    async beforeAnswer(leg, record) {
      const now = capByNow(record, directory.accounts());
      const cap = capFrom(record.cap, now, talkedSeconds(record.answeredAt ?? store.now()));
      if (cap?.seconds === record.cap?.seconds) return record;
      // The timer that came with the admission is for a limit that holds no longer.
      if (cap === undefined) await deadman.drop(leg);
      return (await store.limitLength(record, cap)) ?? record;
    },
  };
}

function changedAccounts(was: AccountLookup, is: AccountLookup): ReadonlySet<AccountPath> {
  if (was.revision === is.revision) return new Set();
  const changed = is.nodes.filter((node) => wordsOf(node) !== wordsOf(was.node(node.path)));
  const removed = was.nodes.filter((node) => is.node(node.path) === undefined);
  return new Set([...changed, ...removed].map(({ path }) => path));
}

/** All that the length of a call depends on. */
function wordsOf(node: AccountNode | undefined): string {
  if (node === undefined) return '';
  const { maxCallSeconds, maxCallCost, enabled, enforcement } = node.limits;
  return `${maxCallSeconds} ${maxCallCost} ${enabled} ${enforcement}`;
}

function isOf({ taken }: LegRecord, accounts: ReadonlySet<AccountPath>): boolean {
  return taken.some(({ counted }) =>
    counted.some(({ holder }) => holder.kind === 'account' && accounts.has(holder.path)),
  );
}
