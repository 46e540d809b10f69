import { describe, expect, it } from 'vitest';
import type { CdrEvidence, ChargeEvidence, Evidence, WalletRecord } from '../../src/records/evidence.ts';
import { describeFinding, type Finding } from '../../src/records/finding.ts';
import { findingsOfWallet, netOf, proveRecord } from '../../src/records/proof.ts';
import type { Cdr, Charge, PerMinuteCharge, Settlement, Transfer } from '../../src/records/records.ts';
import { reversalOf } from '../../src/charging/charges.ts';
import { DEFAULT_ROUNDING } from '../../src/rating/price.ts';
import { parseRerateRunId } from '../../src/units/ids.ts';
import { toMicros, ZERO_MICROS } from '../../src/units/money.ts';
import { addMs } from '../../src/units/time.ts';
import { rateOf as sampleRate } from '../rating/samples.ts';
import { account, money, NOON, settlementOf, topupOf } from './samples.ts';

type Fault = {
  readonly evidence: Evidence;
  /** What the keeper of the books reads. */
  readonly words: string;
};

// Every kind of finding has its planted fault: a kind without one does not compile.
const faults: Record<Exclude<Finding['kind'], 'wallet_not_live' | 'wallet_balance_differs'>, Fault> = {
  transfer_to_itself: {
    evidence: withTransfer({ debit: 'wallet:acme/alice' }),
    words: 'Transfer topup:1 has wallet:acme/alice on both sides.',
  },
  transfer_not_positive: {
    evidence: withTransfer({ amount: money('-1') }),
    words: 'Transfer topup:1 moves -1.00 EUR, which is not a positive amount.',
  },
  transfer_without_charge: {
    evidence: withTransfer({ kind: 'charge' }),
    words: 'Transfer topup:1 takes 10.00 EUR for a charge that is not on record.',
  },
  transfer_of_wrong_kind: {
    evidence: changed(({ transfer }) => ({ transfer: { ...transfer, kind: 'adjustment' } })),
    words:
      'Transfer charge:l1:0:acme/alice:1 is booked as adjustment but belongs to the charge of acme/alice for leg l1 (version 1).',
  },
  reversal_without_charge: {
    evidence: withTransfer({ id: 'reversal:l1:0:acme/alice:1:run-1', kind: 'reversal' }),
    words:
      'Transfer reversal:l1:0:acme/alice:1:run-1 gives back 10.00 EUR of a charge that is not on record.',
  },
  reversal_differs: {
    evidence: evidenceOf({
      transfers: [{ transfer: { ...takenBack(), amount: money('0.21') }, charge: firstCharge() }],
    }),
    words:
      'Transfer reversal:l1:0:acme/alice:1:run-1 moves 0.21 EUR from revenue:acme to wallet:acme/alice, which does not take back the charge of acme/alice for leg l1 (version 1) of 0.20 EUR.',
  },
  charge_without_rate: {
    evidence: withCharge({ rate: undefined }),
    words:
      'The charge of acme/alice for leg l1 (version 1) names rate 1 of retail version 1, which is not on record.',
  },
  charge_terms_wrong: {
    evidence: withCharge({
      rate: {
        version: { currency: 'EUR', rounding: DEFAULT_ROUNDING },
        rate: sampleRate({ id: 1, prefix: '44' }),
      },
    }),
    words:
      'The charge of acme/alice for leg l1 (version 1) names rate 1 of retail version 1 for 44, which has other terms: 0.01 a minute + 0.00, pulses of 60/60 s, 0 s free.',
  },
  charge_of_other_number: {
    evidence: changed(({ cdr }) => ({ cdr: { ...cdr, destination: '33123' } })),
    words:
      'The charge of acme/alice for leg l1 (version 1) is by rate 1 of retail version 1 for 44, but its call went to 33123.',
  },
  charge_not_reversed: {
    evidence: withCharge({ versionInForce: 2 }),
    words:
      'The charge of acme/alice for leg l1 (version 1) was superseded by version 2, but its 0.20 EUR never came back.',
  },
  charge_in_force_reversed: {
    evidence: withCharge({ reversals: [takenBack()] }),
    words:
      'The charge of acme/alice for leg l1 (version 1) is in force, but reversal:l1:0:acme/alice:1:run-1 took its 0.20 EUR back.',
  },
  charge_reversed_again: {
    evidence: withCharge({
      versionInForce: 2,
      reversals: [takenBack(), { ...takenBack(), id: 'reversal:l1:0:acme/alice:1:run-2' }],
    }),
    words:
      'The charge of acme/alice for leg l1 (version 1) was taken back more than once: reversal:l1:0:acme/alice:1:run-2 moved 0.20 EUR too.',
  },
  charge_without_cdr: {
    evidence: evidenceOf({ charges: [{ ...chargeEvidence(settlementOf({ leg: 'l1' })), cdr: undefined }] }),
    words: 'The charge of acme/alice for leg l1 (version 1) belongs to a call that is not on record.',
  },
  charge_without_transfer: {
    evidence: evidenceOf({
      charges: [{ ...chargeEvidence(settlementOf({ leg: 'l1' })), transfer: undefined }],
    }),
    words:
      'The charge of acme/alice for leg l1 (version 1) costs 0.20 EUR, but no money moved: transfer charge:l1:0:acme/alice:1 is missing.',
  },
  charge_seconds_wrong: {
    evidence: changed(({ charge }) => ({ charge: { ...charge, chargedSeconds: 61 } })),
    words:
      'The charge of acme/alice for leg l1 (version 1) counts 61 s, but its pulses make 120 s of 61 s talked.',
  },
  charge_price_wrong: {
    evidence: changed(({ charge, transfer }) => ({
      charge: { ...charge, price: money('0.12') },
      transfer: { ...transfer, amount: money('0.12') },
    })),
    words:
      'The charge of acme/alice for leg l1 (version 1) costs 0.12 EUR, but its rate makes 0.20 EUR of 61 s.',
  },
  charge_transfer_amount_wrong: {
    evidence: changed(({ transfer }) => ({ transfer: { ...transfer, amount: money('0.21') } })),
    words: 'The charge of acme/alice for leg l1 (version 1) costs 0.20 EUR, but 0.21 EUR moved.',
  },
  charge_transfer_sides_wrong: {
    evidence: changed(({ transfer }) => ({ transfer: { ...transfer, debit: 'wallet:acme/bob' } })),
    words:
      "The charge of acme/alice for leg l1 (version 1) was paid from wallet:acme/bob to revenue:acme, not from the payer's wallet to its revenue.",
  },
  cdr_billed_unanswered: {
    evidence: changed(({ cdr }) => ({ cdr: { ...cdr, answeredAt: undefined } })),
    words: 'Call l1 of acme/alice to 442071234567 has 61 s to bill but was never answered.',
  },
  cdr_billed_beyond_talk: {
    evidence: changed(({ cdr }) => ({ cdr: { ...cdr, billMicroseconds: 59_999_999 } })),
    words: 'Call l1 of acme/alice to 442071234567 has 61 s to bill, but talked 59999999 µs.',
  },
  cdr_ends_before_answer: {
    evidence: changed(({ cdr }) => ({ cdr: { ...cdr, endedAt: addMs(NOON, 1) } })),
    words: 'Call l1 of acme/alice to 442071234567 ends before it was answered.',
  },
  cdr_without_charge: {
    evidence: evidenceOf({ cdrs: [{ cdr: settlementOf({ leg: 'l1' }).cdr, charges: [] }] }),
    words:
      'Call l1 of acme/alice to 442071234567 was funded (per_minute) and talked 61 s, but has no charge.',
  },
  cdr_version_missing: {
    evidence: evidenceOf({
      cdrs: [{ cdr: settlementOf({ leg: 'l1' }).cdr, charges: [{ ...firstCharge(), version: 2 }] }],
    }),
    words:
      'Call l1 of acme/alice to 442071234567 has later charges of acme/alice, but those of version 1 are lost.',
  },
  cdr_charged_for_nothing: {
    evidence: changed(({ cdr }) => ({ cdr: { ...cdr, decision: 'emergency', funding: 'none' } })),
    words:
      'Call l1 of acme/alice to 442071234567 was not to be charged (decision emergency, funding none), but acme/alice paid 0.20 EUR.',
  },
  cdr_seconds_differ: {
    evidence: changed(({ cdr }) => ({ cdr: { ...cdr, billedSeconds: 60 } })),
    words: 'Call l1 of acme/alice to 442071234567 has 60 s to bill, but acme/alice was charged for 61 s.',
  },
  wallet_currency_wrong: {
    evidence: evidenceOf({
      wallets: [
        { ledger: 'wallet:acme/alice', currency: 'USD', balance: money('3'), accountCurrency: 'EUR' },
      ],
    }),
    words: 'wallet:acme/alice holds 3.00 USD, but its account keeps EUR.',
  },
};

describe('the proof', () => {
  it.each(Object.entries(faults))('finds %s, that alone, and says so', async (kind, { evidence, words }) => {
    const findings = await Array.fromAsync(proveRecord(evidence));
    expect(findings.map((finding) => finding.kind)).toEqual([kind]);
    expect(findings.map(describeFinding)).toEqual([words]);
  });

  it('finds nothing in a record that adds up', async () => {
    const settlements = [
      settlementOf({ leg: 'l1' }),
      // Within the grace the price is zero and no money moves.
      settlementOf({ leg: 'l2', charge: graceOf(settlementOf({ leg: 'l2' })) }),
      settlementOf({ leg: 'l3', charge: { payer: account('acme') } }),
      unpaid('l4', { decision: 'emergency', funding: 'none' }),
      unpaid('l5', { decision: 'dry_run' }),
      unpaid('l6', { decision: 'unrestricted', funding: 'free' }),
      unpaid('l7', { decision: 'refused', funding: 'none', billedSeconds: 0, answeredAt: undefined }),
      unpaid('l8', { billedSeconds: 0, answeredAt: undefined }),
    ];
    expect(await Array.fromAsync(proveRecord(evidenceFrom(settlements, [topupOf({})])))).toEqual([]);
  });

  it('finds nothing in a charge that was superseded and taken back', async () => {
    const superseded = withCharge({ versionInForce: 2, reversals: [takenBack()] });
    const back = evidenceOf({ transfers: [{ transfer: takenBack(), charge: firstCharge() }] });
    expect(await Array.fromAsync(proveRecord(superseded))).toEqual([]);
    expect(await Array.fromAsync(proveRecord(back))).toEqual([]);
  });

  it("takes a payer's segments together, and each version by itself", async () => {
    const { cdr, charges, transfers } = settlementOf({ leg: 'l1' });
    const parts = [40, 21].map((billedSeconds, segment): Charge[] =>
      charges.map((charge) => ({
        ...charge,
        segment,
        billedSeconds,
        chargedSeconds: 60,
        price: money('0.10'),
      })),
    );
    const halves = { cdr, charges: [...parts.flat(), ...charges.map((one) => ({ ...one, version: 2 }))] };
    expect(await Array.fromAsync(proveRecord(evidenceOf({ cdrs: [halves] })))).toEqual([]);
    expect(transfers).toHaveLength(1);
  });
});

describe('a wallet in Redis', () => {
  const wallet = {
    ledger: 'wallet:acme/alice',
    currency: 'EUR',
    recorded: money('10.00'),
    pending: money('-0.20'),
    live: money('9.80'),
  } as const;

  it('holds what SQL has and what is not yet written', () => {
    expect([...findingsOfWallet(wallet)]).toEqual([]);
    expect([
      ...findingsOfWallet({ ...wallet, recorded: ZERO_MICROS, pending: ZERO_MICROS, live: undefined }),
    ]).toEqual([]);
  });

  it('is shown with both sides where it differs, or is missing', () => {
    const words = (live: bigint | undefined, pending: bigint) =>
      [
        ...findingsOfWallet({
          ...wallet,
          pending: toMicros(pending),
          live: live === undefined ? undefined : toMicros(live),
        }),
      ].map((finding) => `${finding.kind}: ${describeFinding(finding)}`);
    expect(words(9_000_000n, -200_000n)).toEqual([
      'wallet_balance_differs: wallet:acme/alice should hold 9.80 EUR by its transfers, -0.20 EUR of it not yet written, but calls are admitted against 9.00 EUR.',
    ]);
    expect(words(undefined, 0n)).toEqual([
      'wallet_not_live: wallet:acme/alice should hold 10.00 EUR by its transfers, but the live state does not know it.',
    ]);
  });

  it('is moved by pending transfers on either side, in its own currency', () => {
    const transfers = [
      topupOf({}),
      topupOf({ id: '2', debit: 'wallet:acme/alice', credit: 'revenue:acme', amount: money('0.20') }),
      topupOf({ id: '3', currency: 'USD' }),
      topupOf({ id: '4', credit: 'wallet:acme/bob' }),
    ];
    expect(netOf(transfers, 'wallet:acme/alice', 'EUR')).toBe(money('9.80'));
  });
});

function evidenceOf(rows: {
  readonly transfers?: readonly { readonly transfer: Transfer; readonly charge: Charge | undefined }[];
  readonly charges?: readonly ChargeEvidence[];
  readonly cdrs?: readonly CdrEvidence[];
  readonly wallets?: readonly WalletRecord[];
}): Evidence {
  return {
    transfers: () => stream(rows.transfers ?? []),
    charges: () => stream(rows.charges ?? []),
    cdrs: () => stream(rows.cdrs ?? []),
    wallets: () => stream(rows.wallets ?? []),
  };
}

/** What a store that kept these settlements would show. */
function evidenceFrom(settlements: readonly Settlement[], others: readonly Transfer[] = []): Evidence {
  const charges = settlements.filter((settlement) => settlement.charges.length > 0).map(chargeEvidence);
  return evidenceOf({
    transfers: [
      ...others.map((transfer) => ({ transfer, charge: undefined })),
      ...charges.flatMap(({ transfer, charge }) => (transfer === undefined ? [] : [{ transfer, charge }])),
    ],
    charges,
    cdrs: settlements.map(({ cdr, charges: own }) => ({ cdr, charges: own })),
  });
}

function chargeEvidence({ cdr, charges, transfers }: Settlement): ChargeEvidence {
  const charge = charges[0];
  if (charge === undefined) throw new Error('the sample has no charge');
  return { charge, transfer: transfers[0], cdr, versionInForce: 1, reversals: [], rate: rateOf(charge) };
}

/** The rate that makes these terms. */
function rateOf(charge: Charge): ChargeEvidence['rate'] {
  if (charge.way !== 'per_minute') return undefined;
  const { rateId: id, prefix, currency, terms } = charge;
  return { version: { currency, rounding: terms.rounding }, rate: sampleRate({ ...terms, id, prefix }) };
}

/** A record of one settled leg with one part of it changed after the fact. */
function changed(
  change: (parts: { readonly cdr: Cdr; readonly charge: Charge; readonly transfer: Transfer }) => {
    readonly cdr?: Cdr;
    readonly charge?: Charge;
    readonly transfer?: Transfer;
  },
): Evidence {
  const { cdr, charges, transfers } = settlementOf({ leg: 'l1' });
  const [charge, transfer] = [charges[0], transfers[0]];
  if (charge === undefined || transfer === undefined) throw new Error('the sample has no charge');
  const parts = { cdr, charge, transfer };
  const { cdr: a, charge: b, transfer: c } = { ...parts, ...change(parts) };
  return evidenceFrom([{ cdr: a, charges: [b], transfers: [c] }]);
}

function withCharge(changes: Partial<ChargeEvidence>): Evidence {
  return evidenceOf({ charges: [{ ...chargeEvidence(settlementOf({ leg: 'l1' })), ...changes }] });
}

function firstCharge(): Charge {
  return chargeEvidence(settlementOf({ leg: 'l1' })).charge;
}

function takenBack(): Transfer {
  const run = parseRerateRunId('run-1');
  const back = run && reversalOf(firstCharge(), run, NOON);
  if (back === undefined) throw new Error('the sample has no price');
  return back;
}

function withTransfer(changes: Partial<Transfer>): Evidence {
  return evidenceFrom([], [topupOf(changes)]);
}

function unpaid(leg: string, cdr: Partial<Cdr>): Settlement {
  return { cdr: settlementOf({ leg, cdr }).cdr, charges: [], transfers: [] };
}

function graceOf({ charges: [charge] }: Settlement): Partial<PerMinuteCharge> {
  if (charge?.way !== 'per_minute') throw new Error('the sample has no charge');
  return { terms: { ...charge.terms, graceSeconds: 61 }, chargedSeconds: 0, price: ZERO_MICROS };
}

async function* stream<Row>(rows: readonly Row[]): AsyncGenerator<Row> {
  yield* rows;
}
