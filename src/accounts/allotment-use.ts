import { addMs, type EpochMs } from '../units/time.ts';
import { splitByCycle, type CycleSpan } from './cycles.ts';
import type { Allotment, Allotments } from './limits.ts';

/** How calls use an allotment up. */
export type AllotmentPulses = Pick<Allotment, 'minimum' | 'increment' | 'grace'>;

export type NamedAllotment = { readonly name: string; readonly allotment: Allotment };

/** Seconds of one call that count in one cycle. */
export type CycleUse = { readonly span: CycleSpan; readonly seconds: number };

const SECOND_MS = 1000;

/** The allotment of a call: that of its direction before that of its classification. */
export function allotmentFor(
  allotments: Allotments,
  call: { readonly direction: 'inbound' | 'outbound'; readonly classification: string },
): NamedAllotment | undefined {
  for (const name of [`${call.direction}_${call.classification}`, call.classification]) {
    const allotment = Object.hasOwn(allotments, name) ? allotments[name] : undefined;
    if (allotment !== undefined) return { name, allotment };
  }
  return undefined;
}

/**
 * The names of all allotments that a call of this one uses up: itself, and those that count it among their groups.
 * Groups do not pass it on: an allotment counts whom it names.
 */
export function usedUpBy(allotments: Allotments, name: string): readonly string[] {
  const counting = Object.entries(allotments).filter(([, { groups }]) => groups.includes(name));
  return [name, ...counting.map(([each]) => each)];
}

/** The seconds a call uses: none within the grace, else the minimum and then whole increments. */
export function secondsUsed(pulses: AllotmentPulses, billedSeconds: number): number {
  const { minimum, increment, grace } = pulses;
  if (billedSeconds <= 0 || billedSeconds <= grace) return 0;
  return minimum + Math.ceil(Math.max(0, billedSeconds - minimum) / increment) * increment;
}

/** Whether a call may begin (ruling 22): its first pulse must be there, and where that is shorter an increment. */
export function hasRoom(allotment: Allotment, usedSeconds: number): boolean {
  return secondsLeft(allotment, usedSeconds) >= secondsHeld(allotment);
}

/** What a call holds from admission to answer. */
export function secondsHeld({ minimum, increment }: AllotmentPulses): number {
  return Math.max(minimum, increment);
}

export function secondsLeft(allotment: Allotment, usedSeconds: number): number {
  return Math.max(0, allotment.seconds - usedSeconds);
}

/** What a running call has used with the pulse that its given second is in: a pulse is used when it starts. */
export function secondsCommitted(pulses: AllotmentPulses, elapsedSeconds: number): number {
  return secondsUsed({ ...pulses, grace: 0 }, Math.floor(elapsedSeconds) + 1);
}

/** How long a call can go on by so many seconds of an allotment. */
export function secondsFunded({ minimum, increment }: AllotmentPulses, seconds: number): number {
  if (minimum > seconds) return 0;
  return minimum + Math.floor((seconds - minimum) / increment) * increment;
}

/**
 * The seconds of a call in the cycles in which they were spoken (ruling 22). A second belongs to the cycle it begins
 * in; what rounding adds belongs to the last.
 */
export function useByCycle(
  allotment: Allotment,
  zone: string,
  call: { readonly answeredAt: EpochMs; readonly billedSeconds: number },
): readonly CycleUse[] {
  const { answeredAt, billedSeconds } = call;
  const total = secondsUsed(allotment, billedSeconds);
  if (total === 0) return [];
  const endsAt = addMs(answeredAt, billedSeconds * SECOND_MS);
  const uses: CycleUse[] = [];
  let counted = 0;
  for (const { span, to } of splitByCycle(allotment.cycle, zone, answeredAt, endsAt)) {
    const begun = Math.min(billedSeconds, Math.ceil((to - answeredAt) / SECOND_MS));
    // A cycle that ends within the same second has none that begins in it.
    if (begun > counted) uses.push({ span, seconds: begun - counted });
    counted = begun;
  }
  const rounding = total - billedSeconds;
  return uses.map((use, index) =>
    index === uses.length - 1 ? { ...use, seconds: use.seconds + rounding } : use,
  );
}
