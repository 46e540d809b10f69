import type { LiveStore } from '../admission/live-store.ts';
import type { CallControl } from '../calls/switch.ts';
import type { Decision, Settlement } from '../records/records.ts';
import type { AccountPath, NodeId } from '../units/ids.ts';
import type { Log } from '../units/log.ts';
import type { Directory } from './directory.ts';
import type { ControllerPolicy } from './policy.ts';

/** What every part of the controller is given. */
export type ControllerContext = {
  readonly store: LiveStore;
  readonly directory: Directory;
  readonly policy: ControllerPolicy;
  /** The verbs towards a node; undefined for a node that this controller does not know. */
  readonly controlOf: (node: NodeId) => CallControl | undefined;
  /** Puts a decision on its way into SQL; never throws, a failure is logged. */
  readonly record: (decision: Decision) => void;
  /** Tells whoever drains that a root has something. */
  readonly announce: (root: AccountPath) => void;
  /** The stream's entry for a settlement. */
  readonly formatSettlement: (settlement: Settlement) => string;
  readonly log: Log;
};
