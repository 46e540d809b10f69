import { expect } from 'vitest';
import type { GateAnswer } from '../../src/calls/gate.ts';
import type { Decision } from '../../src/records/records.ts';
import type { Verdict } from './asking.ts';
import type { Model } from './model.ts';
import type { Payment } from './paying.ts';
import type { Product } from './product.ts';
import type { Settled } from './settling.ts';

/** All of what the product says and keeps that the rules have a word on, held against the model. */

/** The decision that was recorded of one branch: who refused it and for what, or how it was let through and paid. */
export function compareVerdict(key: string, verdict: Verdict, said: readonly Decision[]): void {
  const about = said.filter(({ id }) => id === `${key}:admission` || id === `${key}:refusal`);
  expect({ key, decisions: about.length }).toEqual({ key, decisions: 1 });
  const [decision] = about;
  if (decision === undefined) return;
  if (verdict.kind === 'admitted') {
    expect({ key, ...admissionOf(decision) }).toEqual({
      key,
      decision: verdict.decision,
      softened: verdict.softened.map(({ holder }) => holder).toSorted(),
      payments: verdict.payments.flatMap(paymentText).toSorted(),
      longest: verdict.longest,
    });
    return;
  }
  const { limit, holder } = decision.inputs;
  const word = limit === '' || limit === 'credit' ? decision.reason : String(limit);
  const isOne = verdict.oneOf.some((each) => each.holder === holder && each.because.includes(word));
  if (decision.kind === 'refusal' && isOne) return;
  expect({ key, decision: decision.verdict, word, holder }).toEqual({ key, refused: verdict.oneOf });
}

/** The call goes on if any branch of it was let through, and is refused as its first branch was if none was. */
export function compareAnswer({ verb, variables }: GateAnswer, verdicts: readonly Verdict[]): void {
  const admitted = verdicts.flatMap((each) => (each.kind === 'admitted' ? [each] : []));
  const refused = verdicts.flatMap((each) => (each.kind === 'refused' ? each.oneOf : []));
  if (admitted.length > 0) {
    expect(variables.get('tollgate_decision')).toBe(admitted[0]?.decision);
    if (verb.kind === 'bridge') expect(verb.dialString.split(',')).toHaveLength(admitted.length);
    else expect(verb.kind).toBe('continue');
    return;
  }
  expect(verb.kind).toBe('refuse');
  const sipCode = verb.kind === 'refuse' ? verb.sipCode : 0;
  const holder = variables.get('tollgate_account_limited');
  const codes = refused.flatMap((each) => (nameOf(each.holder) === holder ? each.sipCodes : []));
  expect({ holder, codes }).toEqual({ holder, codes: expect.arrayContaining([sipCode]) });
}

/**
 * Who is counted how often, what wallets have and have promised, and what was settled since the last look. `thorough`:
 * wallets too that nobody has used, and settlements that nobody expects.
 */
export async function compareState(
  product: Product,
  model: Model,
  expected: ReadonlyMap<string, Settled>,
  extent: 'usual' | 'thorough',
): Promise<void> {
  const { house } = model;
  const holders = [...house.accounts.keys(), ...[...house.routes.keys()].map((route) => `route ${route}`)];
  const ticking = [...model.recent().keys()];
  const purses = [...model.purses].filter(([, { draws }]) => extent === 'thorough' || draws.size > 0);
  const now = product.time.now();
  const [uses, left, ticks, settlements] = await Promise.all([
    product.uses(holders),
    Promise.all(purses.map(([name, purse]) => product.left(name).then((each) => each ?? purse.amount))),
    product.recent(ticking),
    extent === 'thorough' || expected.size > 0 ? product.settlements() : [],
  ]);
  const seen = {
    inUse: nonEmpty(holders.map((holder, index) => [holder, uses[index] ?? {}])),
    left: Object.fromEntries(purses.map(([name], index) => [name, left[index]])),
    admittedInASecond: Object.fromEntries(ticking.map((holder, index) => [holder, ticks[index]])),
    settled: Object.fromEntries(
      settlements.flatMap(({ cdr: { legKey, answeredAt, billedSeconds }, charges }) =>
        answeredAt === undefined
          ? []
          : [[legKey, { billedSeconds, charges: charges.map(chargeText).toSorted() }]],
      ),
    ),
    cutByTheSwitchItself: product.phones.overtaken(),
    errors: product.log.lines.filter(({ level }) => level === 'error'),
  };
  expect(seen).toEqual({
    inUse: nonEmpty(holders.map((holder) => [holder, model.use(holder)])),
    left: Object.fromEntries(purses.map(([name, purse]) => [name, purse.left(now)])),
    admittedInASecond: Object.fromEntries(model.recent()),
    settled: Object.fromEntries(expected),
    cutByTheSwitchItself: [],
    errors: [],
  });
}

type Said = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;

function admissionOf(decision: Decision): object {
  if (decision.kind === 'refusal') return { decision: 'refused', inputs: decision.inputs };
  const { softened = [], payers = [], trunks = [], allotments = [] } = decision.inputs as Said;
  const longest = decision.inputs['longest'] as { readonly seconds: number } | undefined;
  const paid = payers.map(({ account, soft, tariff, rateId }) =>
    perMinuteText(String(account), soft === true, `${String(tariff)}/${String(rateId)}`),
  );
  // Trunks that were looked at are told of as well.
  const lent = trunks.flatMap(({ account, way }) =>
    typeof way === 'string' ? [`${String(account)} ${way}`] : [],
  );
  const ahead = allotments.map(({ account, name, goesOn }) =>
    allotmentText(String(account), String(name), goesOn !== undefined),
  );
  return {
    decision: decision.verdict,
    softened: softened.map(({ holder }) => String(holder)).toSorted(),
    payments: [...paid, ...lent, ...ahead].toSorted(),
    longest: longest?.seconds,
  };
}

function paymentText(payment: Payment): readonly string[] {
  if (payment.way === 'nothing') return [];
  if (payment.way === 'per_minute') return [perMinuteText(payment.account, payment.isSoft, payment.rate)];
  if (payment.way === 'allotment')
    return [allotmentText(payment.account, payment.name, payment.goesOn !== undefined)];
  return [`${payment.account} ${payment.way}`];
}

const allotmentText = (account: string, name: string, goesOn: boolean): string =>
  `${account} allotment ${name}${goesOn ? ', and then money' : ''}`;

const perMinuteText = (account: string, isSoft: boolean, rate: string): string =>
  `${account} ${isSoft ? 'softly ' : ''}by ${rate}`;

const chargeText = (charge: {
  readonly payer: string;
  readonly way: string;
  readonly chargedSeconds: number;
  readonly price: bigint;
}): string => `${charge.payer} ${charge.way}: ${charge.chargedSeconds} s for ${charge.price}`;

/** As channel variables name it. */
const nameOf = (holder: string): string => holder.replace(/^route /, '');

function nonEmpty(entries: readonly (readonly [string, object])[]): Readonly<Record<string, object>> {
  return Object.fromEntries(entries.filter(([, counts]) => Object.keys(counts).length > 0));
}
