import { trunkFor } from '../../src/accounts/trunks.ts';
import {
  COUNTERS,
  holderName,
  slotName,
  type Counter,
  type FundingOption,
  type HolderUse,
  type HoldTake,
  type Holder,
  type Slot,
  type SlotPlan,
  type TrunkTake,
} from '../../src/admission/plan.ts';
import { priceOf } from '../../src/rating/price.ts';
import { NaiveWallet } from '../credit/naive-wallet.ts';
import type { SampleLeg } from './samples.ts';

type Talk = { readonly billedSeconds: number; readonly talkMs: number };
type PlainLeg = {
  readonly sample: SampleLeg;
  /** What it holds of wallets, by whichever way each payer pays. */
  readonly holds: readonly HoldTake[];
  uuid: string | undefined;
  answeredAt: number | undefined;
};
type Member = { readonly plan: SlotPlan; readonly trunks: readonly TrunkTake[] };

/**
 * The live state as sets and lists in memory: what Redis and its scripts must come to. Counts are sums over the
 * memberships, made anew at each question; wallets are walked pulse by pulse.
 */
export class PlainStore {
  readonly live = new Map<string, PlainLeg>();
  readonly wallets = new Map<string, NaiveWallet>();
  readonly settlements: {
    readonly legKey: string;
    readonly billedSeconds: number;
    readonly prices: bigint[];
  }[] = [];
  readonly #members = new Map<string, Map<string, Member>>();
  readonly #ticks = new Map<string, Map<string, number>>();
  readonly #funded = new Set<string>();

  take(plan: SlotPlan, sample: SampleLeg, home: boolean, now: number): unknown {
    const known = home ? this.live.has(plan.legKey) : this.#membersOf(plan.slot).has(plan.legKey);
    if (known) return { kind: 'already' };
    const uses: HolderUse[] = [];
    const trunksBefore = plan.firstOf.map(({ payer }) =>
      this.#useOf(plan.slot, { kind: 'trunks', path: payer }),
    );
    for (const { holder, counts, perSecond } of plan.takes) {
      for (const { counter, bound } of counts) {
        const inUse = this.use(plan.slot, holder, counter);
        if (bound !== undefined && inUse >= bound)
          return refused({ kind: 'count', holder, counter, bound, inUse });
      }
      const ticks = this.#ticksOf(plan.slot, holder);
      for (const [leg, at] of ticks) if (perSecond !== undefined && at <= now - 1000) ticks.delete(leg);
      uses.push({
        ...this.#useOf(plan.slot, holder),
        recent: perSecond === undefined ? undefined : ticks.size,
      });
      if (typeof perSecond === 'number' && ticks.size >= perSecond)
        return refused({ kind: 'rate', holder, bound: perSecond, inUse: ticks.size });
    }
    const holds: HoldTake[] = [];
    const trunks: TrunkTake[] = [];
    const chosen: number[] = [];
    const all = plan.holds.map((hold): readonly FundingOption[] => [
      { take: { kind: 'holds', holds: [hold] }, part: undefined },
    ]);
    for (const options of [...all, ...plan.firstOf.map((payer) => payer.options)]) {
      let refusal: object | undefined;
      const option = options.findIndex(({ take }) => {
        refusal = this.#refusalOf(take, plan, now);
        return refusal === undefined;
      });
      const taken = options[option]?.take;
      if (option === -1) {
        for (const { wallet } of holds) this.#walletAt(wallet, now).legs.delete(plan.legKey);
        return refused(refusal ?? {});
      }
      if (taken?.kind === 'holds') holds.push(...taken.holds);
      if (taken?.kind === 'trunk') trunks.push(taken.trunk);
      chosen.push(option);
    }
    if (home) this.live.set(plan.legKey, { sample, holds, uuid: undefined, answeredAt: undefined });
    this.#membersOf(plan.slot).set(plan.legKey, { plan, trunks });
    for (const { holder, perSecond } of plan.takes)
      if (perSecond !== undefined) this.#ticksOf(plan.slot, holder).set(plan.legKey, now);
    const ways = chosen.slice(all.length);
    for (const [index, { options }] of plan.firstOf.entries()) {
      const asked = options.slice(0, (ways[index] ?? 0) + 1).some(({ take }) => take?.kind === 'trunk');
      const before = trunksBefore[index];
      if (asked && before !== undefined) uses.push(before);
    }
    return { kind: 'taken', chosen: ways, uses };
  }

  giveBack(plan: SlotPlan, home: boolean, why: 'refused' | 'unanswered', now: number): void {
    const holds = this.live.get(plan.legKey)?.holds ?? [];
    if (home && !this.live.delete(plan.legKey)) return;
    this.#membersOf(plan.slot).delete(plan.legKey);
    const refused = why === 'refused' ? plan.takes : [];
    for (const { holder } of refused) this.#ticksOf(plan.slot, holder).delete(plan.legKey);
    for (const { wallet } of home ? holds : []) this.#walletAt(wallet, now).charge(plan.legKey, 0);
  }

  bind(legKey: string, uuid: string): 'bound' | 'taken' | 'gone' {
    const leg = this.live.get(legKey);
    if (leg === undefined) return 'gone';
    leg.uuid ??= uuid;
    return leg.uuid === uuid ? 'bound' : 'taken';
  }

  unbind(legKey: string, uuid: string): void {
    const leg = this.live.get(legKey);
    if (leg?.uuid === uuid) leg.uuid = undefined;
  }

  answer(legKey: string, answeredAt: number, now: number): 'running' | 'already' | 'gone' {
    const leg = this.live.get(legKey);
    if (leg === undefined) return 'gone';
    if (leg.answeredAt !== undefined) return 'already';
    leg.answeredAt = answeredAt;
    for (const { wallet } of leg.holds) this.#walletAt(wallet, now).answer(legKey, answeredAt);
    return 'running';
  }

  release(sample: SampleLeg): void {
    for (const { slot, legKey } of [sample.plan, ...sample.others]) this.#membersOf(slot).delete(legKey);
  }

  settle({ plan, others, record }: SampleLeg, measured: Talk, now: number): unknown {
    const capSeconds = record.cap?.seconds ?? Infinity;
    const talk = {
      billedSeconds: Math.min(measured.billedSeconds, capSeconds),
      talkMs: Math.min(measured.talkMs, capSeconds * 1000),
    };
    for (const { slot, legKey } of others) this.#membersOf(slot).delete(legKey);
    const { legKey } = plan;
    const holds = this.live.get(legKey)?.holds ?? [];
    if (!this.live.delete(legKey)) return { kind: 'already' };
    this.#membersOf(plan.slot).delete(legKey);
    let { billedSeconds } = talk;
    for (const { wallet } of holds) {
      billedSeconds = this.#walletAt(wallet, now).payable(legKey, { billedSeconds, talkMs: talk.talkMs });
    }
    const charge = ({ wallet }: HoldTake): bigint =>
      this.#walletAt(wallet, now).charge(legKey, billedSeconds);
    const before = holds.slice(0, plan.holds.length).map(charge);
    const soft = record.payers
      .filter((payer) => payer.soft === true)
      .map(({ wallet, terms }) => {
        const price = priceOf(terms, billedSeconds);
        this.#walletAt(wallet, now).balance -= price;
        return price;
      });
    const prices = [...before, ...soft, ...holds.slice(plan.holds.length).map(charge)];
    this.settlements.push({ legKey, billedSeconds, prices });
    return { kind: 'settled', at: now, billedSeconds };
  }

  fund(wallet: string, id: string, amount: bigint, now: number): unknown {
    if (this.#funded.has(id)) return { kind: 'already' };
    this.#funded.add(id);
    this.#walletAt(wallet, now).balance += amount;
    return { kind: 'moved' };
  }

  configure(wallet: string, credit: bigint, policy: 'unpaid' | 'all', now: number): void {
    Object.assign(this.#walletAt(wallet, now), { credit, policy });
  }

  /** When each answered leg that may last only so long is over, the first first. */
  deadlines(): readonly (readonly [string, number])[] {
    const all = [...this.live].flatMap(([legKey, { sample, answeredAt }]) => {
      const { cap } = sample.record;
      return cap === undefined || answeredAt === undefined
        ? []
        : [[legKey, answeredAt + cap.seconds * 1000] as const];
    });
    return all.toSorted(([, one], [, other]) => one - other);
  }

  /** The sum over all members, from nothing. */
  use(slot: Slot, holder: Holder, counter: Counter): number {
    let sum = 0;
    for (const { plan, trunks } of this.#membersOf(slot).values()) {
      for (const trunk of trunks) {
        if (holder.kind === 'trunks' && trunk.account === holder.path && trunk.counter === counter) sum += 1;
      }
      for (const take of plan.takes) {
        if (holderName(take.holder) !== holderName(holder)) continue;
        sum += take.counts.filter((count) => count.counter === counter).length;
      }
    }
    return sum;
  }

  #useOf(slot: Slot, holder: Holder): HolderUse {
    const counts = COUNTERS.map((counter) => [counter, this.use(slot, holder, counter)] as const);
    return { holder, before: Object.fromEntries(counts) as Record<Counter, number>, recent: undefined };
  }

  /** Undefined: it could be taken, and a hold was. */
  #refusalOf(take: FundingOption['take'], plan: SlotPlan, now: number): object | undefined {
    if (take === undefined) return undefined;
    if (take.kind === 'holds') {
      for (const { wallet, terms } of take.holds) {
        const short = this.#walletAt(wallet, now).hold(plan.legKey, terms);
        if (short !== undefined) return { kind: 'credit', wallet, ...short };
      }
      return undefined;
    }
    const { trunk } = take;
    const bounds = {
      inbound: trunk.inbound ?? 'unlimited',
      outbound: trunk.outbound ?? 'unlimited',
      twoway: trunk.shared ?? 'unlimited',
      burst: 0,
    } as const;
    const holder = { kind: 'trunks', path: trunk.account } as const;
    const used = {
      inbound: this.use(plan.slot, holder, 'inboundCalls'),
      outbound: this.use(plan.slot, holder, 'outboundCalls'),
    };
    const verdict = trunkFor(bounds, used, trunk.counter === 'inboundCalls' ? 'inbound' : 'outbound');
    return verdict === 'full' ? { kind: 'trunk', trunk, ...used } : undefined;
  }

  #walletAt(name: string, now: number): NaiveWallet {
    const wallet = this.wallets.get(name);
    if (wallet === undefined) throw new Error(`the model has no wallet ${name}`);
    wallet.advance(now);
    return wallet;
  }

  #membersOf(slot: Slot): Map<string, Member> {
    const name = slotName(slot);
    const members = this.#members.get(name) ?? new Map<string, Member>();
    this.#members.set(name, members);
    return members;
  }

  #ticksOf(slot: Slot, holder: Holder): Map<string, number> {
    const name = `${slotName(slot)} ${holderName(holder)}`;
    const ticks = this.#ticks.get(name) ?? new Map<string, number>();
    this.#ticks.set(name, ticks);
    return ticks;
  }
}

function refused(refusal: object): object {
  return { kind: 'refused', refusal };
}
