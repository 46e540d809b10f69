import { describe, expect, it } from 'vitest';
import { parseAccounts, parseRoutes } from '../../src/accounts/account-document.ts';
import { createAccountLookup, type AccountLookup } from '../../src/accounts/account-tree.ts';
import { COUNTERS, type Counter, type Holder, type Slot } from '../../src/admission/plan.ts';
import { loadConfig } from '../../src/config/config.ts';
import { admitLeg } from '../../src/gate/admit-leg.ts';
import { findParties, type Claims } from '../../src/gate/parties.ts';
import { EMPTY_TARIFF_BOOK } from '../../src/rating/tariff-book.ts';
import { useKey } from '../../src/redis/keys.ts';
import { createLiveStore } from '../../src/live-store/live-store.ts';
import type { ControllerContext } from '../../src/state/context.ts';
import {
  admissionIdOf,
  legKeyOf,
  type AccountPath,
  type LegKey,
  type LegUuid,
  type NodeId,
  type RouteName,
} from '../../src/units/ids.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { createLog, policyOf } from '../../src/wiring/parts.ts';
import { connectTestRedis, freshRedis } from '../support/redis.ts';

/**
 * Limits at four levels and on a route at once, every level within reach of the storm. Nobody is enough: each is
 * tighter than what those below it may have together.
 */
const ACCOUNTS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  acme: { calls: 14, publicCalls: 11, internalCalls: 5, inboundCalls: 9 },
  'acme/east': { calls: 10, resourceConsumingCalls: 8 },
  'acme/east/shop': { calls: 8, outboundCalls: 5 },
  'acme/east/shop/alice': { calls: 4 },
  'acme/east/shop/bob': { inboundCalls: 3, publicCalls: 4 },
  'acme/east/home': { inboundCalls: 3, outboundCalls: 3 },
  'acme/east/home/dave': { calls: 4 },
  'acme/west': { outboundCalls: 4, inboundCalls: 4 },
  'acme/west/desk': { internalCalls: 3, publicCalls: 4 },
  'acme/west/desk/carol': { calls: 5 },
};
const ROUTES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  carrier: { calls: 7, outboundCalls: 5, inboundCalls: 4 },
};
const PHONES = ['acme/east/shop/alice', 'acme/east/shop/bob', 'acme/east/home/dave', 'acme/west/desk/carol'];

const ADMISSIONS = 20_000;
const WORKERS = 40;
/** How many round trips a call stays up. */
const TURNS_MAX = 8;
/** Who was refused waits, or the highest level would be all that the storm ever meets. */
const TURNS_AFTER_REFUSAL = 3;
/** Two connections, as two controllers would have. */
const STORES = 2;

const loaded = loadConfig({
  file: undefined,
  environment: { TOLLGATE_ADMISSION_UNFUNDED: 'allow' },
  parseDefaults: () => ({ kind: 'ok', value: {} }),
});
if (loaded.kind === 'bad') throw new Error('the default configuration is good');
const policy = policyOf(loaded.config);

describe('a storm over four levels and a route', () => {
  it('never has a level above its limit, meets every limit, and leaves nothing behind', async () => {
    const redis = await freshRedis();
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = seededRandom(seed);
    const accounts = lookupOf();
    const contexts = Array.from({ length: STORES }, () => contextOf(accounts));
    const most = new Map<string, number>();
    const refusals = new Map<string, number>();
    let asked = 0;
    let admitted = 0;
    const storm = { over: false };

    const caller = async (worker: number): Promise<void> => {
      const context = contexts[worker % STORES] as ControllerContext;
      while (asked < ADMISSIONS) {
        asked += 1;
        const claims = randomClaims(random);
        const answer = await admitLeg(context, questionOf(claims, accounts, asked));
        if (answer.kind === 'refused') {
          const name = `${answer.refusal.limit} of ${answer.refusal.holder}`;
          refusals.set(name, (refusals.get(name) ?? 0) + 1);
          await passTurns(context, TURNS_AFTER_REFUSAL);
          continue;
        }
        admitted += 1;
        await passTurns(context, Math.floor(random() * TURNS_MAX));
        // Every way out, at times twice: an end that is told again frees nothing more.
        for (let repeat = random() < 0.2 ? 2 : 1; repeat > 0; repeat -= 1) {
          await context.store.release(answer.record);
          await context.store.settle(answer.record, { billedSeconds: 0, talkMs: 0 }, () => '{}');
        }
      }
    };
    // An auditor who knows nothing of the scripts: all counters of an instant, all the while.
    const audit = async (): Promise<void> => {
      const keys = HOLDERS.map(({ slot, holder }) => useKey(slot, holder));
      while (!storm.over) {
        const texts = await redis.mget(...keys);
        for (const [index, text] of texts.entries()) {
          for (const [place, count] of (text ?? '').split(' ').map(Number).entries()) {
            const name = `${COUNTERS[place]} of ${HOLDERS[index]?.name}`;
            most.set(name, Math.max(most.get(name) ?? 0, count));
          }
        }
      }
    };
    const auditing = audit();
    await Promise.all(Array.from({ length: WORKERS }, (_, worker) => caller(worker)));
    storm.over = true;
    await auditing;

    const bounds = HOLDERS.flatMap(({ name, limits }) =>
      Object.entries(limits).map(([limit, bound]) => [`${limit} of ${name}`, bound] as const),
    );
    const above = bounds.filter(([name, bound]) => (most.get(name) ?? 0) > bound);
    expect({ seed, above }).toEqual({ seed, above: [] });
    // The storm is no proof of a limit that it never met.
    const unmet = bounds.filter(([name]) => !refusals.has(name)).map(([name]) => name);
    expect({ seed, unmet }).toEqual({ seed, unmet: [] });
    expect(admitted).toBeGreaterThan(ADMISSIONS / 20);
    const left = (await redis.keys('*')).filter((key) => !key.endsWith(':settlements'));
    expect({ seed, left }).toEqual({ seed, left: [] });
  });
});

async function passTurns({ store }: ControllerContext, turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await store.funds('acme' as AccountPath);
}

type NamedHolder = {
  readonly name: string;
  readonly slot: Slot;
  readonly holder: Holder;
  readonly limits: Readonly<Partial<Record<Counter, number>>>;
};

const HOLDERS: readonly NamedHolder[] = [
  ...Object.entries(ACCOUNTS).map(([name, limits]): NamedHolder => ({
    name,
    slot: { kind: 'root', root: 'acme' as AccountPath },
    holder: { kind: 'account', path: name as AccountPath },
    limits,
  })),
  ...Object.entries(ROUTES).map(([name, limits]): NamedHolder => {
    const route = name as RouteName;
    return {
      name: `route ${name}`,
      slot: { kind: 'route', route },
      holder: { kind: 'route', route },
      limits,
    };
  }),
];

function lookupOf(): AccountLookup {
  const accounts = parseAccounts(
    Object.entries(ACCOUNTS).map(([account, operator]) => ({ account, operator })),
  );
  const routes = parseRoutes(Object.entries(ROUTES).map(([route, limits]) => ({ route, ...limits })));
  if (accounts.kind === 'bad' || routes.kind === 'bad') throw new Error(JSON.stringify([accounts, routes]));
  return createAccountLookup({ revision: 1, accounts: accounts.value, routes: routes.value }, {});
}

function contextOf(accounts: AccountLookup): ControllerContext {
  return {
    store: createLiveStore(connectTestRedis(), {
      clock: () => toEpochMs(Date.now()),
      lostPools: async () => [],
      onDue: () => undefined,
      loadWallet: () => Promise.resolve(undefined),
    }),
    directory: {
      accounts: () => accounts,
      tariffs: () => EMPTY_TARIFF_BOOK,
      refresh: () => Promise.resolve(false),
    },
    policy,
    controlOf: () => undefined,
    record: () => undefined,
    announce: () => undefined,
    formatSettlement: () => '{}',
    log: createLog('silent'),
  };
}

/** Out by the carrier, in by it or by a trunk that nobody limits, or from desk to desk. */
function randomClaims(random: () => number): Claims {
  const phone = () => PHONES[Math.floor(random() * PHONES.length)] ?? '';
  const way = Math.floor(random() * 4);
  return {
    account: way === 1 || way === 2 ? undefined : phone(),
    callee: way === 0 ? undefined : phone(),
    forwarder: undefined,
    routes: way === 3 ? [] : [way === 2 ? 'trunk' : 'carrier'],
    options: [],
    dialled: '4930123',
  };
}

function questionOf(claims: Claims, accounts: AccountLookup, number: number): Parameters<typeof admitLeg>[1] {
  const parties = findParties(claims, accounts, []);
  if (parties.kind === 'refused') throw new Error(parties.refusal.words);
  const aLeg = `leg-${number}` as LegUuid;
  const admission = admissionIdOf(aLeg, 1);
  return {
    ...parties,
    legKey: legKeyOf(admission, 'b1') as LegKey,
    admission,
    aLeg,
    node: 'fs1' as NodeId,
    coreUuid: 'core-1',
    callerNumber: '1001',
    dialled: claims.dialled,
    siblings: ['b1'],
    at: toEpochMs(Date.now()),
  };
}

/** The same calls for the same seed, whoever asks first. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
