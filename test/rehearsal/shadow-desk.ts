import type { Redis } from 'ioredis';
import type { AccountLookup } from '../../src/accounts/account-tree.ts';
import type { LegRecord } from '../../src/admission/leg-record.ts';
import type { LiveStore } from '../../src/admission/live-store.ts';
import { loadConfig } from '../../src/config/config.ts';
import { admitLeg, type AnsweredQuestion } from '../../src/gate/admit-leg.ts';
import { billedSecondsOf } from '../../src/rating/quote.ts';
import type { Decision } from '../../src/records/records.ts';
import { createLiveStore } from '../../src/live-store/live-store.ts';
import { createShadowStore } from '../../src/live-store/shadow-store.ts';
import { createWhatIf, type WhatIf } from '../../src/rehearsal/what-if.ts';
import type { ControllerContext } from '../../src/state/context.ts';
import { admissionIdOf, legKeyOf, type LegKey, type LegUuid } from '../../src/units/ids.ts';
import type { EpochMs } from '../../src/units/time.ts';
import { createLog, policyOf } from '../../src/wiring/parts.ts';
import { createPools } from '../../src/wiring/pools.ts';
import { money, questionOf, tariffOf } from '../controller/world.ts';
import type { VirtualTime } from '../model/virtual-time.ts';

/** A cent a second, and nobody is ever short of money. */
const TARIFFS = tariffOf('standard', [{ prefix: '49', rate: '0.60' }], 'EUR');
export const BALANCE = '100.00';

const loaded = loadConfig({
  file: undefined,
  environment: {},
  parseDefaults: () => ({ kind: 'ok', value: {} }),
});
if (loaded.kind === 'bad') throw new Error('the default configuration is good');
const policy = policyOf(loaded.config);

/** What of a controller decides calls and judges them, on a real Redis and by a clock that the test moves. */
export type Desk = {
  readonly store: LiveStore;
  /** The same for what nobody hears of who counts. */
  readonly unnoticed: LiveStore;
  readonly whatIf: WhatIf;
  /** Asks the gate; what is judged of it is still to come. */
  ask(account: string, n: number): Promise<AnsweredQuestion['answer']>;
  answer(record: LegRecord, at: EpochMs): Promise<void>;
  /** What it would have been charged for. */
  hangUp(record: LegRecord, answeredAt: EpochMs | undefined): Promise<Ended>;
};

export type Ended = {
  readonly billedSeconds: number;
  /** What an allotment paid for, where the call went on after it. */
  readonly aheadSeconds: number | undefined;
};

export function createDesk(
  redis: Redis,
  parts: {
    readonly time: VirtualTime;
    readonly accounts: () => AccountLookup;
    readonly decisions: Decision[];
  },
): Desk {
  const { time, accounts, decisions } = parts;
  const now = (): EpochMs => time.now();
  const records = { toldBalance: async () => money(BALANCE), paidSince: async () => [] };
  const pools = createPools(records, accounts, now);
  const options = { clock: now, clockRules: true, ...pools };
  const store = createLiveStore(redis, { ...options, lostPools: async () => [], onDue: () => undefined });
  const context: ControllerContext = {
    store,
    directory: { accounts, tariffs: () => TARIFFS, refresh: () => Promise.resolve(false) },
    policy,
    controlOf: () => undefined,
    record: (decision) => void decisions.push(decision),
    announce: () => undefined,
    formatSettlement: () => '{}',
    log: createLog('silent'),
  };
  const whatIf = createWhatIf(context, {
    figures: pools,
    shadows: createShadowStore(redis, options),
    timers: time,
  });
  const noticed = { ...context, store: whatIf.noticing(store) };
  return {
    store: noticed.store,
    unnoticed: store,
    whatIf,
    async ask(account, n) {
      const aLeg = `leg-${account}-${n}` as LegUuid;
      const admission = admissionIdOf(aLeg, 1);
      const legKey = legKeyOf(admission, 'a') as LegKey;
      const asked = questionOf(accounts(), { caller: account, aLeg, admission, legKey, at: now() });
      const question = { ...asked, routes: [{ name: 'carrier', node: undefined }] };
      const answer = await admitLeg(noticed, question);
      whatIf.later([{ question, answer }]);
      return answer;
    },
    async answer(record, at) {
      await noticed.store.answer(record, at);
      await whatIf.idle();
    },
    async hangUp(record, answeredAt) {
      const talkMs = answeredAt === undefined ? 0 : now() - answeredAt;
      const billedSeconds = billedSecondsOf(talkMs * 1000, 'up');
      const ended = { ...record, answeredAt };
      let aheadSeconds: number | undefined;
      const settled = await noticed.store.settle(ended, { billedSeconds, talkMs }, (final) => {
        const ahead = final.allotmentSeconds.get(record.account);
        aheadSeconds = ahead !== undefined && ahead < final.billedSeconds ? ahead : undefined;
        return '{}';
      });
      if (settled.kind !== 'settled') throw new Error('it was settled before');
      whatIf.atEnd(ended, {
        legUuid: record.aLeg,
        talked: { allotmentSeconds: new Map() },
        talkMs,
        isAnswered: answeredAt !== undefined,
        ...settled,
      });
      await whatIf.idle();
      return { billedSeconds: settled.billedSeconds, aheadSeconds };
    },
  };
}
