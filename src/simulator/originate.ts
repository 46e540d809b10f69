import { dialStatusOf } from './causes.ts';
import type { Core } from './core.ts';
import type { DialPlan } from './dial-string.ts';
import type { HeaderValue } from './event.ts';
import type { Leg } from './leg.ts';
import { placeBranch } from './placement.ts';
import { hangUp, markAnswered, markEarlyMedia, markRinging } from './signals.ts';
import type { Script } from './thread.ts';

export type OriginateResult =
  | { readonly kind: 'connected'; readonly leg: Leg }
  | { readonly kind: 'failed'; readonly cause: string };

/** One branch: its leg, or why there is none; the cause stays undefined while it may still answer. */
type Attempt = { readonly leg: Leg | undefined; readonly uuid: string; cause: string | undefined };

/** Rings the groups of a dial string in turn, until one branch answers (or, if allowed, sends early media). */
export function* originate(
  core: Core,
  plan: DialPlan,
  caller: Leg | undefined,
  timeoutMs?: number,
): Script<OriginateResult> {
  const limitMs = timeoutMs ?? secondsOf(plan.variables.get('originate_timeout')) ?? core.originateTimeoutMs;
  const call = new Originate(core, caller, core.nowTrueMs() + limitMs);
  let cause = 'NORMAL_TEMPORARY_FAILURE';
  for (const group of plan.groups) {
    const result = yield* call.ring(
      group.map((branch) => ({ branch, placed: placeBranch(core, branch, caller) })),
    );
    if (result.kind === 'connected') return result;
    cause = result.cause;
    if (caller?.isUp === false || call.isOver()) break;
  }
  call.noteFailure(cause);
  return { kind: 'failed', cause };
}

type Ringing = {
  readonly branch: DialPlan['groups'][number][number];
  readonly placed: ReturnType<typeof placeBranch>;
};

/** The state of one call being placed. It runs on the thread of the caller, or of whoever asked for it. */
class Originate {
  readonly #core: Core;
  readonly #caller: Leg | undefined;
  readonly #deadlineMs: number;
  readonly #assignment: Leg['assignment'] | undefined;
  readonly #earlierCauses: readonly string[];
  readonly #placed: string[];

  constructor(core: Core, caller: Leg | undefined, deadlineMs: number) {
    this.#core = core;
    this.#caller = caller;
    this.#deadlineMs = deadlineMs;
    this.#assignment = caller?.assignment;
    // Both lists grow over all that the caller ever places (07d).
    this.#earlierCauses = listOf(caller?.variables.get('originate_causes'));
    this.#placed = listOf(caller?.variables.get('originated_legs'));
    // The recordings show these two on the caller while it still rings (02).
    caller?.variables.set('originate_disposition', 'failure');
    caller?.variables.set('DIALSTATUS', 'INVALIDARGS');
  }

  isOver(): boolean {
    return this.#core.nowTrueMs() >= this.#deadlineMs;
  }

  *ring(branches: readonly Ringing[]): Script<OriginateResult> {
    const thread = this.#core.kernel.current;
    const attempts = branches.map(({ placed }): Attempt => {
      if ('cause' in placed) return { leg: undefined, uuid: '', cause: placed.cause };
      if (thread !== undefined) placed.leg.watchers.add(thread);
      return { leg: placed.leg, uuid: placed.leg.uuid, cause: undefined };
    });
    const legs = attempts.flatMap(({ leg }) => leg ?? []);
    this.#introduce(legs);
    const result = yield* this.#watch(attempts, branches);
    if (thread !== undefined) for (const leg of legs) leg.watchers.delete(thread);
    return result;
  }

  *#watch(attempts: readonly Attempt[], branches: readonly Ringing[]): Script<OriginateResult> {
    const startedMs = this.#core.nowTrueMs();
    for (;;) {
      this.#collectCauses(attempts);
      if (this.#hasLostCaller()) return this.#giveUp(attempts, 'ORIGINATOR_CANCEL');
      const winner = attempts.find(({ leg }) => leg !== undefined && this.#isGoodEnough(leg))?.leg;
      if (winner !== undefined) return this.#connect(winner, attempts);
      if (attempts.every(({ leg }) => leg?.isUp !== true)) {
        return { kind: 'failed', cause: attempts.at(-1)?.cause ?? 'NORMAL_TEMPORARY_FAILURE' };
      }
      if (this.isOver()) return this.#giveUp(attempts, 'NO_ANSWER');
      const nextMs = this.#endLateBranches(attempts, branches, startedMs);
      if (nextMs === undefined) continue;
      this.#passRingingOn(attempts);
      yield { forMs: Math.max(1, Math.ceil(nextMs - this.#core.nowTrueMs())) };
    }
  }

  /** `leg_timeout` is a branch's own. Answers when to look again, or undefined when one has just been ended. */
  #endLateBranches(
    attempts: readonly Attempt[],
    branches: readonly Ringing[],
    startedMs: number,
  ): number | undefined {
    let nextMs = this.#deadlineMs;
    for (const [index, { leg }] of attempts.entries()) {
      const limitMs = secondsOf(branches[index]?.branch.variables.get('leg_timeout'));
      if (limitMs === undefined || leg?.isUp !== true) continue;
      const endsAtMs = startedMs + limitMs;
      if (this.#core.nowTrueMs() < endsAtMs) nextMs = Math.min(nextMs, endsAtMs);
      else if (hangUp(this.#core, leg, 'NO_ANSWER', 'originate')) return undefined;
    }
    return nextMs;
  }

  /** The losers go before the caller is answered (06). */
  #connect(winner: Leg, attempts: readonly Attempt[]): OriginateResult {
    for (const { leg } of attempts) {
      if (leg !== undefined && leg !== winner && leg.isUp) hangUp(this.#core, leg, 'LOSE_RACE', 'originate');
    }
    this.#collectCauses(attempts);
    const caller = this.#caller;
    if (caller === undefined) return { kind: 'connected', leg: winner };
    const { calleeName, calleeNumber } = winner.profile;
    caller.profile = { ...caller.profile, calleeName, calleeNumber };
    if (winner.isAnswered) markAnswered(this.#core, caller);
    else markEarlyMedia(this.#core, caller);
    caller.variables.set('originate_disposition', 'SUCCESS');
    caller.variables.set('DIALSTATUS', 'SUCCESS');
    this.#noteCauses(attempts);
    return { kind: 'connected', leg: winner };
  }

  #giveUp(attempts: readonly Attempt[], cause: string): OriginateResult {
    for (const { leg } of attempts) {
      if (leg?.isUp !== true) continue;
      if (this.#caller?.isUp === false)
        leg.variables.set('last_bridge_hangup_cause', this.#caller.cause ?? cause);
      hangUp(this.#core, leg, cause, 'originate');
    }
    this.#collectCauses(attempts);
    this.#noteCauses(attempts);
    return { kind: 'failed', cause };
  }

  /** What the dialplan may look at after a bridge that failed. */
  noteFailure(cause: string): void {
    const caller = this.#caller;
    if (caller === undefined) return;
    caller.variables.set('originate_disposition', cause);
    caller.variables.set('DIALSTATUS', dialStatusOf(cause));
    caller.variables.set('originate_failed_cause', cause);
  }

  /** The cause of a branch that fails stays on the caller, even when another branch then answers (06, 06c). */
  #collectCauses(attempts: readonly Attempt[]): void {
    for (const attempt of attempts) {
      const cause = attempt.leg?.cause ?? attempt.cause;
      if (cause === undefined || (attempt.leg !== undefined && attempt.cause !== undefined)) continue;
      attempt.cause = cause;
      if (this.#caller?.isUp !== true) continue;
      this.#caller.variables.set('last_bridge_hangup_cause', cause);
      const proto = attempt.leg?.variable('proto_specific_hangup_cause');
      if (proto !== undefined) this.#caller.variables.set('last_bridge_proto_specific_hangup_cause', proto);
    }
    if (attempts.every(({ cause }) => cause !== undefined)) this.#noteCauses(attempts);
  }

  #noteCauses(attempts: readonly Attempt[]): void {
    const causes = [...this.#earlierCauses];
    for (const { uuid, leg, cause } of attempts) {
      if (leg !== undefined) causes.push(`${uuid};${leg.cause ?? cause ?? 'NONE'}`);
    }
    if (causes.length > 0) this.#caller?.variables.set('originate_causes', oneOrMany(causes));
  }

  #introduce(legs: readonly Leg[]): void {
    const caller = this.#caller;
    if (caller === undefined || legs.length === 0) return;
    this.#placed.push(
      ...legs.map(({ uuid, profile }) => `${uuid};${profile.calleeName};${profile.calleeNumber}`),
    );
    caller.variables.set('originated_legs', oneOrMany(this.#placed));
    const [only] = legs;
    if (only === undefined || legs.length > 1) return;
    const { calleeName, calleeNumber } = only.profile;
    caller.profile = { ...caller.profile, calleeName, calleeNumber };
  }

  /** A loopback's ringing is noted on the caller, but no event tells of it (06b). */
  #passRingingOn(attempts: readonly Attempt[]): void {
    const caller = this.#caller;
    const ringing = attempts.filter(({ leg }) => (leg?.stamps.progress ?? 0) > 0);
    if (caller === undefined || ringing.length === 0) return;
    if (ringing.some(({ leg }) => leg?.twin === undefined)) markRinging(this.#core, caller);
    caller.stamps.progress ||= this.#core.nowMicros();
  }

  /** Gone, or given something else to do. */
  #hasLostCaller(): boolean {
    const caller = this.#caller;
    return caller !== undefined && (!caller.isUp || caller.assignment !== this.#assignment);
  }

  /** The first to send media wins like one that answers, unless early media is to be ignored. */
  #isGoodEnough(leg: Leg): boolean {
    if (!leg.isUp) return false;
    const ignoresMedia =
      leg.isTrue('ignore_early_media') || this.#caller?.isTrue('ignore_early_media') === true;
    return leg.isAnswered || (leg.stamps.progressMedia > 0 && !ignoresMedia);
  }
}

function oneOrMany(values: readonly string[]): HeaderValue {
  return values.length === 1 ? (values[0] ?? '') : [...values];
}

function listOf(value: HeaderValue | undefined): string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : [...value];
}

export function secondsOf(text: string | undefined): number | undefined {
  const seconds = Number.parseFloat(text ?? '');
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}
