import type { RouteNode, AccountNode } from '../accounts/account-tree.ts';
import type { AccountPath, AdmissionId, LegKey, LegUuid, NodeId } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';

/** One leg that asks to be admitted, its parties known (DESIGN 1). */
export type Question = {
  readonly legKey: LegKey;
  readonly admission: AdmissionId;
  readonly aLeg: LegUuid;
  readonly node: NodeId;
  readonly coreUuid: string;
  /** The calling side, or the account that forwards (ruling 13), where it is one of ours. */
  readonly caller: AccountNode | undefined;
  readonly callee: AccountNode | undefined;
  readonly routes: readonly NamedRoute[];
  /** What it asks of its rate. */
  readonly options: readonly string[];
  /** A branch of a call that came by a route and was forwarded: it counts already as the one resource-consuming call (ruling 2). */
  readonly forwarded: boolean;
  readonly callerNumber: string;
  readonly dialled: string;
  /** In E.164 digits; the dialled form where that is no number and nobody rates it. */
  readonly destination: string;
  readonly emergency: boolean;
  /** What the numbers of the account's tree call this one. */
  readonly classification: string;
  /** Its numbers call it toll-free, and it goes out: nobody pays for it, and the counts of calls hold (Kazoo). */
  readonly tollFree: boolean;
  /** All branches of the dial, this one's included, as the record keeps them. */
  readonly siblings: readonly string[];
  readonly at: EpochMs;
  /** Accounts that have refused the leg and let it go on all the same (`softLimit…`): their bounds are dropped. */
  readonly soft?: ReadonlySet<AccountPath>;
};

/** What its funding depends on, also where the call is long over. */
export type FundingQuestion = Pick<
  Question,
  | 'caller'
  | 'callee'
  | 'routes'
  | 'options'
  | 'destination'
  | 'emergency'
  | 'classification'
  | 'tollFree'
  | 'at'
  | 'soft'
>;

/** What its plan depends on: its funding, and who is counted. */
export type PlannedQuestion = FundingQuestion & Pick<Question, 'legKey' | 'forwarded'>;

/** A route by the dialplan's name, and what is configured for it, if anything is. */
export type NamedRoute = { readonly name: string; readonly node: RouteNode | undefined };

/** `internal`: between two accounts of ours without a route; else the side that is ours says it. */
export type LegDirection = 'inbound' | 'outbound' | 'internal';

export function directionOf(question: Pick<Question, 'caller' | 'callee' | 'routes'>): LegDirection {
  if (question.caller === undefined) return 'inbound';
  return question.callee !== undefined && question.routes.length === 0 ? 'internal' : 'outbound';
}

/** The destination in E.164 digits; undefined for what is no number, such as a name. */
export function e164Of({ destination }: Pick<Question, 'destination'>): string | undefined {
  return /^\d+$/.test(destination) ? destination : undefined;
}

/** Whether an account stands on the side that is called alone: its limit is then a busy callee's. */
export function calledSideOf({
  caller,
  callee,
}: Pick<Question, 'caller' | 'callee'>): (holder: string) => boolean {
  const called = new Set<string>(callee?.chain.map((node) => node.path));
  for (const node of caller?.chain ?? []) called.delete(node.path);
  return (holder) => called.has(holder);
}

/** The account that refused, if it lets such legs go on all the same. */
export function softAccount(
  { caller, callee }: Pick<Question, 'caller' | 'callee'>,
  holder: string,
): AccountPath | undefined {
  const isSoft = (side: AccountNode | undefined, flag: 'softLimitOutbound' | 'softLimitInbound'): boolean =>
    side?.chain.some(({ path, limits }) => path === holder && limits[flag]) === true;
  const soft = isSoft(caller, 'softLimitOutbound') || isSoft(callee, 'softLimitInbound');
  return soft ? (holder as AccountPath) : undefined;
}
