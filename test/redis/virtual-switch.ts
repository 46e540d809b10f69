import type { LiveStore } from '../../src/admission/live-store.ts';
import { committedAt } from '../../src/credit/wallet.ts';
import { priceOf, pulsesPaid, type PriceTerms } from '../../src/rating/price.ts';
import { toEpochMs, type EpochMs } from '../../src/units/time.ts';
import { naiveCommitment } from '../credit/naive-wallet.ts';
import { ACME, sampleLeg, START, type SampleLeg } from './samples.ts';

export type VirtualCall = {
  readonly arrivesMs: number;
  readonly ringsMs: number;
  /** When the parties hang up by themselves, after the answer. */
  readonly talksMs: number;
  /** How late the hang-up of a cut lands. */
  readonly lateMs: number;
  readonly terms: PriceTerms;
};

export type CallEnd =
  | { readonly kind: 'refused' }
  | { readonly kind: 'over' | 'cut'; readonly billedSeconds: number; readonly price: bigint };

export type Report = {
  readonly ends: readonly (CallEnd | undefined)[];
  /** What broke: an overdrawn instant, a leg cut while its pulse was affordable, a leg past its paid pulse. */
  readonly broken: readonly string[];
};

type Live = SampleLeg & {
  readonly call: VirtualCall;
  readonly n: number;
  answeredAt: number;
  cut: { readonly at: number; readonly paidSeconds: number } | undefined;
};

/**
 * Plays calls in virtual time against one wallet, by the store's word alone: cutoffs are looked at when it names
 * them, and each event goes to the next of the stores, as if every controller took its turn.
 */
export async function playCalls(
  stores: readonly LiveStore[],
  clock: { now: EpochMs },
  calls: readonly VirtualCall[],
): Promise<Report> {
  const ends: (CallEnd | undefined)[] = calls.map(() => undefined);
  const broken: string[] = [];
  const agenda: { readonly at: number; readonly run: () => Promise<void> }[] = [];
  const live = new Map<string, Live>();
  let turn = 0;
  const nextStore = (): LiveStore => stores[turn++ % stores.length] as LiveStore;
  const schedule = (at: number, run: () => Promise<void>): void => void agenda.push({ at, run });

  const look = async (): Promise<void> => {
    const { ended, next } = await nextStore().evaluate(ACME);
    const nextCutoffAt = next[0]?.endsAt;
    for (const { legKey, endsAt } of ended) {
      const leg = live.get(legKey);
      if (leg === undefined || leg.cut !== undefined) continue;
      await noteCut(leg, legKey, endsAt);
      schedule(Math.max(clock.now, endsAt) + leg.call.lateMs, () => settle(leg, 'cut'));
    }
    if (nextCutoffAt !== undefined) schedule(nextCutoffAt, look);
  };
  const noteCut = async (leg: Live, legKey: string, at: number): Promise<void> => {
    const view = await nextStore().readWallet(ACME);
    const part = view?.legs.find((candidate) => candidate.legKey === legKey);
    if (view === undefined || part?.state.kind !== 'ended') return void broken.push(`${legKey} is not ended`);
    const { paidSeconds } = part.state;
    leg.cut = { at, paidSeconds };
    if (at !== clock.now) return;
    const step =
      naiveCommitment(leg.call.terms, pulsesPaid(leg.call.terms, paidSeconds) + 1) -
      committedAt(part, view.at);
    const available = view.balance + view.credit - view.committed;
    if (view.policy === 'unpaid' && step <= available)
      broken.push(`${legKey} was cut for ${step} with ${available} left`);
  };
  const settle = async (leg: Live, kind: 'over' | 'cut'): Promise<void> => {
    if (ends[leg.n] !== undefined) return;
    const talkMs = clock.now - leg.answeredAt;
    const talk = { billedSeconds: Math.ceil(talkMs / 1000), talkMs };
    // Both controllers hear of the end; what counts is the price of the one that settles it.
    const settleOnce = async () => {
      let price = 0n;
      const outcome = await nextStore().settle(leg.record, talk, ({ billedSeconds }) => {
        price = priceOf(leg.call.terms, billedSeconds);
        return `${price}`;
      });
      return { ...outcome, price };
    };
    const [first, second] = await Promise.all([settleOnce(), settleOnce()]);
    const settled = [first, second].filter((outcome) => outcome.kind === 'settled');
    if (settled.length !== 1) broken.push(`${leg.record.legKey} settled ${settled.length} times`);
    const [{ billedSeconds, price } = { billedSeconds: 0, price: 0n }] = settled;
    if (billedSeconds > (leg.cut?.paidSeconds ?? Infinity))
      broken.push(`${leg.record.legKey} was billed ${billedSeconds} s, more than it had paid`);
    live.delete(leg.record.legKey);
    ends[leg.n] = { kind: leg.cut === undefined ? 'over' : kind, billedSeconds, price };
    await look();
  };

  for (const [n, call] of calls.entries()) {
    const leg = sampleLeg(n, { holds: [{ wallet: ACME, terms: call.terms }] });
    schedule(START + call.arrivesMs, async () => {
      const outcome = await nextStore().take(leg.plan, leg.record);
      if (outcome.kind !== 'taken') return void (ends[n] = { kind: 'refused' });
      schedule(clock.now + call.ringsMs, async () => {
        const answered = { ...leg, call, n, answeredAt: clock.now, cut: undefined };
        live.set(leg.record.legKey, answered);
        await nextStore().answer(leg.record, clock.now);
        schedule(clock.now + call.talksMs, () => settle(answered, 'over'));
        await look();
      });
    });
  }
  for (;;) {
    agenda.sort((a, b) => a.at - b.at);
    const next = agenda.shift();
    if (next === undefined) return { ends, broken };
    clock.now = toEpochMs(Math.max(clock.now, next.at));
    await next.run();
    const view = await nextStore().readWallet(ACME);
    if (view !== undefined && view.balance + view.credit < view.committed)
      broken.push(`overdrawn at ${clock.now - START} ms`);
  }
}
