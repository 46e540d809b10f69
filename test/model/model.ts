import { NaiveWallet, naivePrice } from '../credit/naive-wallet.ts';
import { verdictOn, type Verdict } from './asking.ts';
import { boundOfNumber, COUNTED, type CountedLimit, type House } from './house.ts';
import { lengthOf, walletOf, type Payment } from './paying.ts';
import {
  askedFor,
  boundOn,
  holderOf,
  isBoundBy,
  isCountedBy,
  isCountedByRoute,
  type Connection,
  type Tick,
} from './rules.ts';

/** A connection that was let through and is not yet settled. */
export type Live = Connection & {
  readonly verdict: Extract<Verdict, { kind: 'admitted' }>;
  /** Accounts with a rule for the called number when it came: a rule counts the calls that come after it. */
  readonly countedByNumber: readonly string[];
  answeredAt: number | undefined;
  /** Its channel has gone: it is counted no more, and its money waits for FreeSWITCH's word on how long it talked. */
  goneAt: number | undefined;
  /** The seconds that it may last, by the limits as they are now. */
  longest: number | undefined;
};

export type Settled = {
  readonly billedSeconds: number;
  /** `account way price`, in micros, of everybody who paid in any way. */
  readonly charges: readonly string[];
};

/** A telephone company that obeys the rules: the list of its connections, its wallets walked pulse by pulse. */
export class Model {
  readonly live = new Map<string, Live>();
  readonly wallets = new Map<string, NaiveWallet>();
  house: House;
  readonly #clock: () => number;
  #ticks: Tick[] = [];

  constructor(house: House, balances: ReadonlyMap<string, bigint>, clock: () => number) {
    this.house = house;
    this.#clock = clock;
    for (const [account, balance] of balances) {
      this.wallets.set(account, new NaiveWallet({ balance, ...walletOf(house, account), now: clock() }));
    }
  }

  /** Lets it through and takes what it needs, or names who refuses and takes nothing. */
  admit(connection: Connection): Verdict {
    const verdict = verdictOn(connection, {
      house: this.house,
      now: this.#clock(),
      ticks: this.#ticks,
      up: this.#up(),
      wallet: (account) => this.#wallet(account),
    });
    if (verdict.kind === 'admitted') this.#take(connection, verdict);
    return verdict;
  }

  #take(connection: Connection, verdict: Live['verdict']): void {
    const { key } = connection;
    for (const payment of verdict.payments) {
      if (payment.way === 'per_minute') this.#walletFor(payment)?.hold(key, payment.terms);
    }
    const softened = verdict.softened.map(({ holder }) => holder);
    const asked = askedFor(connection, this.house).flat();
    const numbers = asked.flatMap((each) => (each.kind === 'number' ? [each] : []));
    this.live.set(key, {
      ...connection,
      verdict,
      countedByNumber: numbers.flatMap(({ account, number }) =>
        boundOfNumber(this.house, account, number) === 'unlimited' ? [] : [account],
      ),
      answeredAt: undefined,
      goneAt: undefined,
      longest: verdict.longest,
    });
    for (const each of asked) {
      if (each.kind === 'number' || !isBoundBy(each, connection, softened, this.house)) continue;
      // Only who is bound leaves a mark, and it stays even where nobody answers.
      if (boundOn(each, 'callsPerSecond', this.house) !== 'unlimited') {
        this.#ticks.push({ holder: holderOf(each), at: this.#clock() });
      }
    }
  }

  answer(key: string): void {
    const live = this.live.get(key);
    if (live === undefined || live.answeredAt !== undefined) return;
    live.answeredAt = this.#clock();
    live.longest = this.#lengthOf(live, this.house);
    for (const payment of live.verdict.payments) this.#walletFor(payment)?.answer(key, this.#clock());
  }

  /** Its channel goes: its places are free at once. */
  goes(key: string): void {
    const live = this.live.get(key);
    if (live !== undefined) live.goneAt = this.#clock();
  }

  /** What it talked is charged, to each payer by its own price and for the same seconds. */
  settle(key: string): Settled | undefined {
    const live = this.live.get(key);
    if (live === undefined) return undefined;
    this.live.delete(key);
    const { verdict, answeredAt, goneAt = this.#clock(), longest = Infinity } = live;
    const measuredMs = answeredAt === undefined ? 0 : goneAt - answeredAt;
    const talkMs = Math.min(measuredMs, longest * 1000);
    let billedSeconds = Math.min(Math.ceil(measuredMs / 1000), longest);
    for (const payment of verdict.payments) {
      billedSeconds = this.#walletFor(payment)?.payable(key, { billedSeconds, talkMs }) ?? billedSeconds;
    }
    const charges = verdict.payments
      .filter(({ way }) => way !== 'nothing')
      .map((payment) => `${payment.account} ${payment.way} ${this.#charge(payment, key, billedSeconds)}`);
    return answeredAt === undefined ? undefined : { billedSeconds, charges: charges.toSorted() };
  }

  /** Nobody answered it and nobody will: as if it had never been asked for. */
  giveBack(key: string): void {
    const live = this.live.get(key);
    if (live === undefined || live.answeredAt !== undefined) return;
    this.live.delete(key);
    for (const payment of live.verdict.payments) this.#walletFor(payment)?.legs.delete(key);
  }

  /** Connections that can pay no further, or have lasted as long as they may; and since when. */
  over(): readonly { readonly key: string; readonly endsAt: number }[] {
    const wallets = [...this.wallets.keys()].map((account) => this.#wallet(account));
    return this.#up().flatMap(({ key, answeredAt, longest = Infinity }) => {
      if (answeredAt === undefined) return [];
      const ends = wallets.flatMap((wallet) => wallet?.legs.get(key)?.endsAt ?? []);
      const endsAt = Math.min(answeredAt + longest * 1000, ...ends);
      return endsAt <= this.#clock() ? [{ key, endsAt }] : [];
    });
  }

  pay(account: string, amount: bigint): void {
    const wallet = this.#wallet(account);
    if (wallet !== undefined) wallet.balance += amount;
  }

  /** New limits hold for new calls; how long calls last and what wallets may spend, for running ones too. */
  change(house: House): void {
    for (const live of this.live.values()) {
      const [was, is] = [this.house, house].map((each) => this.#lengthOf(live, each));
      if (live.answeredAt === undefined || live.goneAt !== undefined || was === is) continue;
      // What was spoken stays spoken: a limit below it ends the call with the second it is in.
      const spoken = Math.ceil((this.#clock() - live.answeredAt) / 1000);
      if (is === undefined || is >= spoken) live.longest = is;
      else if (live.longest === undefined || live.longest > spoken) live.longest = spoken;
    }
    this.house = house;
    for (const account of this.wallets.keys()) {
      Object.assign(this.#wallet(account) ?? {}, walletOf(house, account));
    }
  }

  /** How often an account or a route is counted now, zeros left out. */
  use(holder: string): Readonly<Partial<Record<CountedLimit, number>>> {
    const route = holder.startsWith('route ') ? holder.slice('route '.length) : undefined;
    const counts = COUNTED.map((limit) => {
      const counted = this.#up().filter((each) =>
        route === undefined ? isCountedBy(each, holder, limit) : isCountedByRoute(each, route, limit),
      );
      return [limit, counted.length] as const;
    });
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }

  /** How many were admitted in the last second, where it is limited. */
  recent(): ReadonlyMap<string, number> {
    this.#ticks = this.#ticks.filter(({ at }) => at > this.#clock() - 1000);
    const counts = new Map<string, number>();
    for (const { holder } of this.#ticks) counts.set(holder, (counts.get(holder) ?? 0) + 1);
    return counts;
  }

  #up(): readonly Live[] {
    return [...this.live.values()].filter(({ goneAt }) => goneAt === undefined);
  }

  #lengthOf(live: Live, house: House): number | undefined {
    const softened = live.verdict.softened.map(({ holder }) => holder);
    return lengthOf(live, softened, live.verdict.payments, house);
  }

  #wallet(account: string): NaiveWallet | undefined {
    const wallet = this.wallets.get(account);
    wallet?.advance(this.#clock());
    return wallet;
  }

  /** The wallet that a payment holds money of: none for a trunk, a price of nothing, or a soft leg. */
  #walletFor(payment: Payment): NaiveWallet | undefined {
    if (payment.way !== 'per_minute' || payment.isSoft) return undefined;
    return naivePrice(payment.terms, 3600) > 0n ? this.#wallet(payment.account) : undefined;
  }

  /** A soft leg is charged when it ends, even below the floor. */
  #charge(payment: Payment, key: string, billedSeconds: number): bigint {
    if (payment.way !== 'per_minute') return 0n;
    const held = this.#walletFor(payment);
    if (held !== undefined) return held.charge(key, billedSeconds);
    const purse = new NaiveWallet({ balance: 0n, credit: 0n, policy: 'unpaid', now: this.#clock() });
    const leg = { key, terms: payment.terms, answeredAt: 0, paidPulses: 1, endsAt: undefined };
    purse.legs.set(key, leg);
    const price = purse.charge(key, billedSeconds);
    this.pay(payment.account, -price);
    return price;
  }
}
