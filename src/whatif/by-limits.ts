import type { AccountLookup } from '../accounts/account-tree.ts';
import { CAP_LIMITS } from '../admission/cap.ts';
import type { Holder } from '../admission/plan.ts';
import type { PlannedQuestion } from '../admission/question.ts';
import type { RatingBooks } from '../charging/finished-call.ts';
import type { ChargedCall } from '../charging/rerate-store.ts';
import { meaningOf } from '../credit/pools.ts';
import type { TariffBook } from '../rating/tariff-book.ts';
import { currencyOf, type Charge } from '../records/records.ts';
import { createReplay } from '../replay/replay.ts';
import type { ReplayCut, ReplayedCall, ReplayOutcome } from '../replay/replayed-call.ts';
import { standingTakes } from '../replay/standing.ts';
import { accountOf, customerOf, type LegUuid } from '../units/ids.ts';
import type { EpochMs } from '../units/time.ts';
import type { SecondVerdict } from './real-refusals.ts';
import { nameRate, type Fate, type Outcome, type PaidPart, type PayerOutcome } from './outcome.ts';
import { createPeakList, createPeakMeter, type Counted, type Peak } from './peaks.ts';

export type LimitsQuestion = {
  /** Those admitted before are taken as they were: they are in the way of later ones, and nothing is said of them. */
  readonly from: EpochMs;
  /** As it was. */
  readonly accounts: AccountLookup;
  /** As it would have been, and by the tariffs by which calls would have been priced. */
  readonly books: RatingBooks & { readonly accounts: AccountLookup };
};

/** Calls go through the gate's own rules by other limits, in the order in which they came. */
export type LimitsTrial = {
  /** What has become of those that are over. */
  admit(charged: ChargedCall): readonly Outcome[];
  /** Whether a call that was refused would have been let through then; it takes nothing, for nobody knows its length. */
  judge(question: PlannedQuestion): SecondVerdict;
  /** All were told: what becomes of the rest. */
  finish(): readonly Outcome[];
  peaks(): { readonly was: readonly Peak[]; readonly would: readonly Peak[] };
};

/**
 * Each call lasts as long as it did, or until the rules end it; one that they refuse does not take place, and is not in
 * the way of others.
 */
export function tryLimits({ from, accounts, books }: LimitsQuestion): LimitsTrial {
  const replay = createReplay(books, 'as_ruled');
  const charges = new Map<LegUuid, readonly Charge[]>();
  const meter = createPeakMeter(from);
  const list = createPeakList();

  const outcomes = (over: readonly ReplayOutcome[]): readonly Outcome[] =>
    over.map((each) => {
      const { legUuid, admittedAt } = each.call;
      const was = charges.get(legUuid) ?? [];
      charges.delete(legUuid);
      if (each.kind !== 'refused') list.add(admittedAt, knownOf(each.inUse));
      return outcomeOf(each, was, books.tariffs);
    });

  return {
    admit({ call, charges: own }) {
      meter.add({ from: call.admittedAt, until: call.endedAt, counted: countedBy(call, own, accounts) });
      if (call.admittedAt < from) return outcomes(replay.stand(call, own));
      charges.set(call.legUuid, own);
      return outcomes(replay.admit(call, own));
    },
    judge: (question) => (replay.judge(question) === undefined ? 'passes' : 'refused'),
    finish: () => outcomes(replay.finish()),
    peaks: () => ({ was: meter.report(), would: list.report() }),
  };
}

function countedBy(
  call: ReplayedCall,
  charges: readonly Charge[],
  accounts: AccountLookup,
): readonly Counted[] {
  return knownOf(standingTakes(call, charges, accounts)).map(({ holder, counts }) => ({
    holder,
    counters: counts.map(({ counter }) => counter),
  }));
}

/** Nobody knows whether a call that was not answered was on a trunk, and a customer's channels are stored nowhere. */
function knownOf<Each extends { readonly holder: Holder }>(all: readonly Each[]): readonly Each[] {
  return all.filter(
    ({ holder }) =>
      holder.kind === 'route' || (holder.kind !== 'trunks' && customerOf(holder.path) === undefined),
  );
}

function outcomeOf(replayed: ReplayOutcome, charges: readonly Charge[], tariffs: TariffBook): Outcome {
  const { call } = replayed;
  const was = paidBy(charges, tariffs);
  switch (replayed.kind) {
    case 'admitted': {
      const would = paidBy(replayed.charges, tariffs);
      const lostSeconds = call.billedSeconds - replayed.billedSeconds;
      const { cut } = replayed;
      const fate: Fate = cut === undefined || lostSeconds <= 0 ? { kind: 'goes' } : cutBy(cut);
      return { call, payers: payersOf(was, would), fate, lostSeconds };
    }
    case 'refused': {
      const { holder, limit, reason } = replayed.refusal;
      const fate: Fate = { kind: 'refused', holder, limit: limit || reason };
      return { call, payers: payersOf(was, NOBODY), fate, lostSeconds: call.billedSeconds };
    }
    case 'standing': {
      const { refusal } = replayed;
      const { holder = call.account, limit = '', reason = 'unknown_account' } = refusal ?? {};
      // What was refused really and has a record all the same never was a matter of these limits.
      const isMatter = call.decision !== 'refused';
      const fate: Fate = isMatter ? { kind: 'standing', holder, limit: limit || reason } : { kind: 'goes' };
      return { call, payers: payersOf(was, was), fate, lostSeconds: 0 };
    }
  }
}

function cutBy({ by }: ReplayCut): Fate {
  if ('cap' in by) return { kind: 'cut', holder: by.cap.account, limit: CAP_LIMITS[by.cap.reason] };
  const limit = meaningOf(by.pool).kind === 'allotment' ? 'allotments' : 'maxSpend';
  return { kind: 'cut', holder: accountOf(by.pool), limit };
}

type PaidByPayer = ReadonlyMap<PayerOutcome['payer'], readonly PaidPart[]>;

const NOBODY: PaidByPayer = new Map();

function paidBy(charges: readonly Charge[], tariffs: TariffBook): PaidByPayer {
  const inOrder = charges.toSorted((left, right) => left.segment - right.segment);
  const byPayer = Map.groupBy(inOrder, ({ payer }) => payer);
  return new Map([...byPayer].map(([payer, own]) => [payer, own.map((charge) => paidPart(charge, tariffs))]));
}

function paidPart(charge: Charge, tariffs: TariffBook): PaidPart {
  const { way, billedSeconds: seconds, price } = charge;
  const rate = charge.way === 'per_minute' ? nameRate(tariffs, charge) : undefined;
  return { rate, way, seconds, price, currency: currencyOf(charge) };
}

function payersOf(was: PaidByPayer, would: PaidByPayer): readonly PayerOutcome[] {
  const payers = new Set([...was.keys(), ...would.keys()]);
  return [...payers].map((payer) => ({
    payer,
    was: was.get(payer) ?? [],
    would: would.get(payer) ?? [],
  }));
}
