import { verdictOn, type Live, type Verdict } from './asking.ts';
import { cycleStart } from './calendar.ts';
import {
  boundOfNumber,
  COUNTED,
  mostSpent,
  isInDryRun,
  operatorsWord,
  SPEND_WINDOWS,
  type CountedLimit,
  type House,
} from './house.ts';
import { allotmentPurse, allotmentsOf, lengthOf, walletOf, windowPurse, type Payment } from './paying.ts';
import { micros } from './prices.ts';
import { Purse, SECOND, type Draw } from './purse.ts';
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
import { settleLeg, type Settled } from './settling.ts';

/** A telephone company that obeys the rules: the list of its connections, its purses walked pulse by pulse. */
export class Model {
  readonly live = new Map<string, Live>();
  readonly purses = new Map<string, Purse>();
  /** Accounts with money of their own. */
  readonly wallets: readonly string[];
  house: House;
  readonly #clock: () => number;
  #ticks: Tick[] = [];

  constructor(house: House, balances: ReadonlyMap<string, bigint>, clock: () => number) {
    this.house = house;
    this.#clock = clock;
    this.wallets = [...balances.keys()];
    for (const [account, balance] of balances) {
      const { credit, policy } = walletOf(house, account);
      const wallet = new Purse(balance + credit, 'money');
      wallet.policy = policy;
      this.purses.set(account, wallet);
    }
    for (const account of house.accounts.keys()) this.#openPools(account);
  }

  /** Allotments and spend windows are given anew by the calendar of their account's zone. */
  #openPools(account: string): void {
    const { house } = this;
    const zone = operatorsWord(house, account, 'timeZone') ?? 'UTC';
    for (const [name, { seconds, cycle }] of allotmentsOf(house, account)) {
      const pool = new Purse(BigInt(seconds) * SECOND, 'seconds', (at) => cycleStart(cycle, zone, at));
      this.purses.set(allotmentPurse(account, name), pool);
    }
    for (const window of SPEND_WINDOWS) {
      const most = mostSpent(house, account, window);
      const cycle = ({ hour: 'hourly', day: 'daily', month: 'monthly' } as const)[window];
      const pool = new Purse(micros(most ?? '0'), 'pulses', (at) => cycleStart(cycle, zone, at));
      if (most !== undefined) this.purses.set(windowPurse(account, window), pool);
    }
  }

  /** Lets it through and takes what it needs, or names who refuses and takes nothing. */
  admit(connection: Connection): Verdict {
    this.#walk();
    const verdict = verdictOn(connection, {
      house: this.house,
      now: this.#clock(),
      ticks: this.#ticks,
      up: this.#up(),
      purse: (name) => this.#purse(name),
    });
    if (verdict.kind === 'admitted') this.#take(connection, verdict);
    return verdict;
  }

  #take(connection: Connection, verdict: Live['verdict']): void {
    const { key } = connection;
    for (const payment of verdict.payments) {
      if (payment.way === 'per_minute') this.#hold(key, payment);
      if (payment.way !== 'allotment') continue;
      const { purse, alsoCounted, terms, atLeast } = payment;
      this.#purse(purse).hold(key, terms, { atLeast });
      for (const other of alsoCounted) this.#purse(other).hold(key, terms, { isForced: true });
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
      ranDry: new Map(),
    });
    for (const each of asked) {
      if (each.kind === 'number') continue;
      // Who is bound leaves a mark, and who is to be told what would have been refused; it stays even where nobody answers.
      const isTried = each.kind === 'account' && isInDryRun(this.house, each.account);
      if (!isTried && !isBoundBy(each, connection, softened, this.house)) continue;
      if (boundOn(each, 'callsPerSecond', this.house) !== 'unlimited') {
        this.#ticks.push({ holder: holderOf(each), at: this.#clock() });
      }
    }
  }

  answer(key: string): void {
    this.#walk();
    const live = this.live.get(key);
    if (live === undefined || live.answeredAt !== undefined) return;
    live.answeredAt = this.#clock();
    live.longest = this.#lengthOf(live, this.house);
    for (const draw of this.#drawsOf(key)) draw.answeredAt = this.#clock();
  }

  /** Its channel goes: its places are free at once. */
  goes(key: string): void {
    const live = this.live.get(key);
    if (live !== undefined) live.goneAt = this.#clock();
  }

  /** What it talked is charged. Undefined: nobody had answered it. */
  settle(key: string): Settled | undefined {
    this.#walk();
    const live = this.live.get(key);
    if (live === undefined) return undefined;
    this.live.delete(key);
    const settled = settleLeg(live, (name) => this.#purse(name), this.#clock());
    return live.answeredAt === undefined ? undefined : settled;
  }

  /** Nobody answered it and nobody will: as if it had never been asked for. */
  giveBack(key: string): void {
    const live = this.live.get(key);
    if (live === undefined || live.answeredAt !== undefined) return;
    this.live.delete(key);
    for (const purse of this.purses.values()) purse.draws.delete(key);
  }

  /** Connections that can pay no further, or have lasted as long as they may; and since when. */
  over(): readonly { readonly key: string; readonly endsAt: number }[] {
    this.#walk();
    return this.#up().flatMap((live) => {
      const { key, answeredAt, verdict, longest = Infinity, ranDry } = live;
      if (answeredAt === undefined) return [];
      const ends = verdict.payments.flatMap((payment) => {
        const dryAt = ranDry.get(payment.account);
        const tooDearAt =
          dryAt !== undefined && payment.way === 'allotment'
            ? [dryAt + (payment.goesOn?.longest ?? Infinity) * 1000]
            : [];
        const purses = paidFrom(payment, dryAt).map((name) => this.#purse(name));
        return [...purses.flatMap(({ draws }) => draws.get(key)?.endedAt ?? []), ...tooDearAt];
      });
      const endsAt = Math.min(answeredAt + longest * 1000, ...ends);
      return endsAt <= this.#clock() ? [{ key, endsAt }] : [];
    });
  }

  pay(account: string, amount: bigint): void {
    this.#walk();
    this.#purse(account).amount += amount;
  }

  /** New limits hold for new calls; how long calls last and what wallets may spend, for running ones too. */
  change(house: House): void {
    this.#walk();
    for (const live of this.live.values()) {
      const [was, is] = [this.house, house].map((each) => this.#lengthOf(live, each));
      if (live.answeredAt === undefined || live.goneAt !== undefined || was === is) continue;
      // What was spoken stays spoken: a limit below it ends the call with the second it is in.
      const spoken = Math.ceil((this.#clock() - live.answeredAt) / 1000);
      if (is === undefined || is >= spoken) live.longest = is;
      else if (live.longest === undefined || live.longest > spoken) live.longest = spoken;
    }
    for (const account of this.wallets) {
      const [was, is] = [walletOf(this.house, account), walletOf(house, account)];
      const wallet = this.#purse(account);
      wallet.amount += is.credit - was.credit;
      wallet.policy = is.policy;
    }
    this.house = house;
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

  /** Lets every pulse be paid that has begun by now, whoever's it is, in the order in which they begin. */
  #walk(): void {
    for (;;) {
      let first: { purse: Purse; name: string; draw: Draw; at: number } | undefined;
      for (const [name, purse] of this.purses) {
        const next = purse.next();
        if (next !== undefined && next.at < (first?.at ?? Infinity)) first = { purse, name, ...next };
      }
      if (first === undefined || first.at > this.#clock()) return;
      const { purse, name, draw, at } = first;
      purse.pay(draw, at);
      const live = this.live.get(draw.key);
      if (draw.endedAt !== undefined && live !== undefined) this.#goOn(live, name, at);
    }
  }

  /** An allotment that runs dry hands the call over to money, if there is any for the next pulse (DESIGN 6). */
  #goOn(live: Live, dry: string, at: number): void {
    if (live.goneAt !== undefined) return;
    for (const payment of live.verdict.payments) {
      if (payment.way !== 'allotment' || payment.purse !== dry || payment.goesOn === undefined) continue;
      const { purses, terms } = payment.goesOn;
      if (!purses.every((name) => this.#purse(name).hasFor(terms, 0n, at))) continue;
      this.#hold(live.key, payment.goesOn);
      for (const name of purses) {
        const draw = this.#purse(name).draws.get(live.key);
        if (draw !== undefined) draw.answeredAt = at;
      }
      live.ranDry.set(payment.account, at);
    }
  }

  #hold(key: string, { purses, terms }: Extract<Payment, { way: 'per_minute' }>): void {
    for (const name of purses) this.#purse(name).hold(key, terms);
  }

  #drawsOf(key: string): readonly Draw[] {
    return [...this.purses.values()].flatMap(({ draws }) => draws.get(key) ?? []);
  }

  #up(): readonly Live[] {
    return [...this.live.values()].filter(({ goneAt }) => goneAt === undefined);
  }

  #lengthOf(live: Live, house: House): number | undefined {
    const softened = live.verdict.softened.map(({ holder }) => holder);
    return lengthOf(live, softened, live.verdict.payments, house);
  }

  #purse(name: string): Purse {
    const purse = this.purses.get(name);
    if (purse === undefined) throw new Error(`the model has no purse "${name}"`);
    return purse;
  }
}

/** The purses whose end is the call's. */
function paidFrom(payment: Payment, dryAt: number | undefined): readonly string[] {
  if (payment.way === 'per_minute') return payment.purses;
  if (payment.way !== 'allotment') return [];
  return dryAt === undefined ? [payment.purse] : (payment.goesOn?.purses ?? []);
}
