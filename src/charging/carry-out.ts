import type { Movement } from '../records/record-store.ts';
import type { RerateRunId } from '../units/ids.ts';
import { addMs, type Clock } from '../units/time.ts';
import type { ClaimOutcome, RerateClaim, RerateWriter, StepCursor } from './rerate-store.ts';

/** So long after its last step a process that changes charges counts as dead; no step takes nearly as long. */
const LEASE_MS = 30_000;

export type CarriedOut =
  | {
      readonly kind: 'done';
      /** Charges that this call changed: the rest was done before. */
      readonly changed: number;
      readonly passed: number;
    }
  | Exclude<ClaimOutcome, { readonly kind: 'held' }>
  /** Another process took the lease over, and goes on where this one stopped. */
  | { readonly kind: 'lost' };

export type CarryOutParts = {
  readonly store: Pick<RerateWriter, 'claim' | 'step' | 'finish'>;
  /** What a process that died did not come to tell. */
  readonly untold: () => AsyncIterable<Movement>;
  /** Tells the live state, and forgets what was told: what did not reach it stays on record as untold. */
  readonly tell: (movements: readonly Movement[]) => Promise<void>;
  readonly clock: Clock;
  readonly onChanged: (changed: number) => void;
};

/**
 * Puts a run's versions in force, or takes them back: on record first, a few hundred charges of one payer in each
 * transaction, then the wallet that calls are admitted against, once (ruling 9). May end anywhere: called again, by
 * whichever process, it goes on with what is not done.
 */
export async function carryOut(
  request: { readonly run: RerateRunId; readonly wanted: RerateClaim['wanted']; readonly holder: string },
  { store, untold, tell, clock, onChanged }: CarryOutParts,
): Promise<CarriedOut> {
  const claim = (): RerateClaim => {
    const now = clock();
    return { ...request, now, until: addMs(now, LEASE_MS) };
  };
  const claimed = await store.claim(claim());
  if (claimed.kind !== 'held') return claimed;
  for await (const movement of untold()) await tell([movement]);
  let [changed, passed] = [0, 0];
  let cursor: StepCursor | undefined;
  for (;;) {
    const step = await store.step(claim(), cursor);
    if (step.kind === 'lost') return step;
    if (step.kind === 'over') break;
    await tell(step.movements);
    cursor = step.cursor;
    changed += step.changed;
    passed += step.passed;
    onChanged(changed);
  }
  await store.finish(claim());
  return { kind: 'done', changed, passed };
}
