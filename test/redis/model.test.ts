import * as fc from 'fast-check';
import type { Redis } from 'ioredis';
import { beforeAll, describe, expect, it } from 'vitest';
import { chosenParts, withFunded } from '../../src/admission/funded.ts';
import type { LegRecord } from '../../src/admission/leg-record.ts';
import type { LiveStore, CountOutcome, TakeOutcome } from '../../src/admission/live-store.ts';
import { COUNTERS, holderName } from '../../src/admission/plan.ts';
import { slotKeys } from '../../src/redis/keys.ts';
import { createLiveStore } from '../../src/live-store/live-store.ts';
import { priceOf } from '../../src/rating/price.ts';
import type { LegUuid } from '../../src/units/ids.ts';
import { toMicros, type Micros } from '../../src/units/money.ts';
import { toEpochMs, type EpochMs } from '../../src/units/time.ts';
import { NaiveWallet } from '../credit/naive-wallet.ts';
import { connectTestRedis, hasRealRedis } from '../support/redis.ts';
import {
  commandsArbitrary,
  HOLDERS,
  legOf,
  questionsArbitrary,
  ROUTE_SLOT,
  WALLETS,
  type Command,
} from './model-commands.ts';
import { PlainStore } from './plain-store.ts';
import { ACME, readBound, ROOT_SLOT, START, type SampleLeg } from './samples.ts';

/** Some wallets are near their end from the start, of some the bound can decide. */
const openingArbitrary = fc.constantFrom(1_500_000n, 6_000_000n, 100_000_000n).map(toMicros);
/** How far the plain walk looks for a cutoff. */
const HORIZON_MS = 150_000;
/** The embedded Redis runs scripts some thirty times slower. */
const NUM_RUNS = { real: 150, embedded: 20 };

let redis: Redis;
beforeAll(() => {
  redis = connectTestRedis();
});

describe('the live store and a plain model of it', () => {
  it('agree after every command, repeated and out of order as they come', async () => {
    await fc.assert(
      fc.asyncProperty(
        openingArbitrary,
        questionsArbitrary,
        commandsArbitrary,
        async (opening, questions, commands) => {
          await redis.flushdb();
          const run = await createRun(redis, opening, questions.map(legOf));
          for (const command of commands) {
            const [said, plain] = await run.play(command);
            expect({ command, reply: said }).toEqual({ command, reply: plain });
            expect({ command, state: await run.read() }).toEqual({ command, state: run.expected() });
            expect(await run.unsafe()).toEqual([]);
          }
        },
      ),
      { numRuns: hasRealRedis() ? NUM_RUNS.real : NUM_RUNS.embedded },
    );
  }, 60_000);
});

type Run = {
  /** The store's reply and the model's. */
  play(command: Command): Promise<readonly [unknown, unknown]>;
  read(): Promise<unknown>;
  expected(): unknown;
  /** Wallets whose bound is below their commitments, or that no timer would find before they run dry. */
  unsafe(): Promise<readonly string[]>;
};

async function createRun(redis: Redis, opening: Micros, legs: readonly SampleLeg[]): Promise<Run> {
  let now = START;
  const store = createLiveStore(redis, {
    clock: () => now,
    clockRules: true,
    lostPools: async () => [],
    onDue: () => undefined,
    loadWallet: async () => undefined,
  });
  const plain = new PlainStore();
  const records = new Map<string, LegRecord>();
  for (const wallet of WALLETS) {
    await store.openWallet(wallet, { balance: opening, credit: toMicros(0n), policy: 'unpaid' });
    plain.wallets.set(wallet, new NaiveWallet({ balance: opening, credit: 0n, policy: 'unpaid', now }));
  }
  return {
    play: async (command) => {
      if (command.kind === 'pass') {
        now = toEpochMs(now + command.ms);
        return [undefined, undefined];
      }
      return await playOn({ store, plain, legs, records }, command, now);
    },
    read: () => readState(redis, store),
    expected: () => expectedState(plain, now),
    unsafe: async () => {
      const due = await store.dueWallets(ACME, toEpochMs(now + HORIZON_MS));
      const unsafe: string[] = [];
      for (const [name, wallet] of plain.wallets) {
        wallet.advance(now);
        const bound = await readBound(redis, name as typeof ACME, now);
        if (bound === undefined || bound < wallet.committed) unsafe.push(`${name} is bound by ${bound}`);
        const cutoff = wallet.nextToEnd(now + HORIZON_MS)[0]?.[1];
        const dueAt = due.find(({ account }) => account === name)?.dueAt ?? Infinity;
        if (cutoff !== undefined && dueAt > cutoff)
          unsafe.push(`${name} fails at ${cutoff}, due at ${dueAt}`);
      }
      return unsafe;
    },
  };
}

async function playOn(
  {
    store,
    plain,
    legs,
    records,
  }: {
    readonly store: LiveStore;
    readonly plain: PlainStore;
    readonly legs: readonly SampleLeg[];
    /** As they are once it is known how each payer pays. */
    readonly records: Map<string, LegRecord>;
  },
  command: Exclude<Command, { kind: 'pass' }>,
  now: EpochMs,
): Promise<readonly [unknown, unknown]> {
  if ('wallet' in command) return await playOnWallet(store, plain, command, now);
  const sample = legs[command.leg];
  if (sample === undefined) throw new Error(`no leg ${command.leg}`);
  const { plan, others } = sample;
  const record = records.get(plan.legKey) ?? sample.record;
  const route = others[0];
  switch (command.kind) {
    case 'take': {
      const outcome = await store.take(plan, sample.record);
      if (outcome.kind === 'taken') {
        records.set(plan.legKey, withFunded(sample.record, chosenParts(plan, outcome.chosen ?? [])));
      }
      return [saidOf(outcome), plain.take(plan, sample, true, now)];
    }
    case 'take route': {
      if (route === undefined) return [undefined, undefined];
      const outcome = await store.count(route);
      return [saidOf(outcome), plain.take(route, sample, false, now)];
    }
    case 'answer': {
      const answeredAt = toEpochMs(now - command.lateMs);
      const { kind } = await store.answer(record, answeredAt);
      return [kind, plain.answer(record.legKey, answeredAt, now)];
    }
    case 'settle': {
      const answeredAt = plain.live.get(record.legKey)?.answeredAt;
      const talkMs =
        answeredAt === undefined ? command.lostMs : Math.max(0, now - answeredAt + command.driftMs);
      const talk = { billedSeconds: Math.ceil(talkMs / 1000), talkMs };
      const said = await store.settle(record, talk, ({ billedSeconds }) =>
        JSON.stringify({
          legKey: record.legKey,
          billedSeconds,
          prices: record.payers.map(({ terms }) => `${priceOf(terms, billedSeconds)}`),
        }),
      );
      return [said, plain.settle(sample, talk, now)];
    }
    case 'release':
      return [await store.release(record), plain.release(sample)];
    case 'give back': {
      const { why } = command;
      const plainly = plain.giveBack(plan, true, why, now);
      return [await store.giveBack(plan.slot, record.legKey, record, why), plainly];
    }
    case 'give back route': {
      if (route === undefined) return [undefined, undefined];
      const { why } = command;
      const plainly = plain.giveBack(route, false, why, now);
      return [await store.giveBack(ROUTE_SLOT, record.legKey, record, why), plainly];
    }
    case 'bind':
      return [await store.bind(record, command.uuid), plain.bind(record.legKey, command.uuid)];
    case 'unbind':
      return [await store.unbind(record, command.uuid), plain.unbind(record.legKey, command.uuid)];
  }
}

function saidOf(outcome: TakeOutcome | CountOutcome): unknown {
  switch (outcome.kind) {
    case 'counted':
      return { kind: 'taken', chosen: [], uses: outcome.uses };
    case 'taken':
      return { kind: 'taken', chosen: outcome.chosen, uses: outcome.uses };
    case 'already':
      return { kind: 'already' };
    case 'refused':
      return { kind: 'refused', refusal: outcome.refusal };
  }
}

async function playOnWallet(
  store: LiveStore,
  plain: PlainStore,
  command: Extract<Command, { wallet: unknown }>,
  now: EpochMs,
): Promise<readonly [unknown, unknown]> {
  const { wallet } = command;
  switch (command.kind) {
    case 'fund': {
      const id = `transfer-${command.id}`;
      return [await store.fund(wallet, id, command.amount), plain.fund(wallet, id, command.amount, now)];
    }
    case 'configure': {
      const { credit, policy } = command;
      return [
        await store.configureWallet(wallet, { credit, policy }),
        plain.configure(wallet, credit, policy, now),
      ];
    }
    case 'evaluate': {
      const { at, ended, next } = await store.evaluate(wallet);
      const naive = plain.wallets.get(wallet);
      naive?.advance(now);
      const seenUntil = now + HORIZON_MS;
      const rowsOf = (legs: typeof next) => legs.map((leg) => [leg.legKey, leg.endsAt]).toSorted(byFirst);
      const plainEnded = (naive?.ended ?? []).map((leg) => [leg.key, leg.endsAt]);
      return [
        [at, rowsOf(ended), rowsOf(next.filter(({ endsAt }) => endsAt <= seenUntil))],
        [now, plainEnded.toSorted(byFirst), naive?.nextToEnd(seenUntil)],
      ];
    }
  }
}

async function readState(redis: Redis, store: LiveStore): Promise<unknown> {
  const [usages, views, live, deadlines, stream] = await Promise.all([
    Promise.all(HOLDERS.map(async (holder) => [holderName(holder), await store.usage(holder)])),
    Promise.all(WALLETS.map((wallet) => store.readWallet(wallet))),
    store.liveLegs(ACME),
    store.dueDeadlines(ACME, toEpochMs(Number.MAX_SAFE_INTEGER)),
    redis.xrange(slotKeys(ROOT_SLOT).settlements, '-', '+'),
  ]);
  return {
    usages,
    wallets: views.map((view) => [
      view?.balance,
      view?.credit,
      view?.policy,
      view?.committed,
      (view?.legs ?? [])
        .flatMap(({ legKey, state }) => (state.kind === 'ended' ? [[legKey, state.endsAt]] : []))
        .toSorted(byFirst),
    ]),
    deadlines: deadlines.map(({ legKey, endsAt }) => [legKey, endsAt]).toSorted(byFirst),
    live: live.map(({ legKey, uuid, answeredAt }) => [legKey, uuid, answeredAt]).toSorted(byFirst),
    stream: stream.map(([, [, entry = '']]) => JSON.parse(entry) as unknown),
  };
}

function expectedState(plain: PlainStore, now: EpochMs): unknown {
  const wallets = WALLETS.map((name) => {
    const wallet = plain.wallets.get(name);
    wallet?.advance(now);
    const ended = (wallet?.ended ?? []).map((leg) => [leg.key, leg.endsAt]);
    return [wallet?.balance, wallet?.credit, wallet?.policy, wallet?.committed, ended.toSorted(byFirst)];
  });
  return {
    usages: HOLDERS.map((holder) => {
      const slot = holder.kind === 'route' ? ROUTE_SLOT : ROOT_SLOT;
      const counts = COUNTERS.map((counter) => [counter, plain.use(slot, holder, counter)]);
      return [holderName(holder), Object.fromEntries(counts)];
    }),
    wallets,
    deadlines: plain.deadlines().toSorted(byFirst),
    live: [...plain.live]
      .map(([legKey, { uuid, answeredAt }]) => [legKey, uuid as LegUuid, answeredAt])
      .toSorted(byFirst),
    stream: plain.settlements.map(({ prices, ...settlement }) => ({
      ...settlement,
      prices: prices.map(String),
    })),
  };
}

function byFirst([a]: readonly unknown[], [b]: readonly unknown[]): number {
  return String(a) < String(b) ? -1 : 1;
}
