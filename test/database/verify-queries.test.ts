import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/records/finding.ts';
import { proveRecord } from '../../src/records/proof.ts';
import { rateOf, versionOf } from '../rating/samples.ts';
import { account, money, settlementOf, topupOf } from '../records/samples.ts';
import { DATABASES, type TestedDatabase } from './databases.ts';

const LEGS = 1_100;

async function filledRecord({ freshUrl, openRecord }: TestedDatabase) {
  const url = await freshUrl();
  const { records, accounts, tariffs, evidence } = await openRecord(url);
  const { version: _, ...tariff } = versionOf([rateOf({ id: 1, prefix: '44', perMinute: money('0.10') })]);
  await tariffs.importVersion(tariff);
  const unset = { operator: {}, customer: {}, tariffs: [], defaults: undefined, numbering: undefined };
  await accounts.saveAccount({ ...unset, path: account('acme'), walletCurrency: undefined });
  await accounts.saveAccount({ ...unset, path: account('acme/alice'), walletCurrency: 'EUR' });
  // More than two pages, so that every walk has to go on where it stopped.
  const settlements = Array.from({ length: LEGS }, (_, number) => settlementOf({ leg: `l${number}` }));
  await records.writeBatch({ settlements, decisions: [] });
  await records.insertTransfer(topupOf({}));
  return { evidence, url };
}

describe.each(DATABASES)('the evidence of a real record on $name', (database) => {
  it('is whole and proves itself', async () => {
    const { evidence } = await filledRecord(database);
    expect(await Array.fromAsync(proveRecord(evidence))).toEqual([]);
    const lengths = [
      (await Array.fromAsync(evidence.transfers())).length,
      (await Array.fromAsync(evidence.charges())).length,
      (await Array.fromAsync(evidence.cdrs())).length,
      (await Array.fromAsync(evidence.wallets())).length,
    ];
    expect(lengths).toEqual([LEGS + 1, LEGS, LEGS, 1]);
  });

  // Someone with another program and no constraints was at the record.
  it.each<readonly [sql: string, ...kinds: Finding['kind'][]]>([
    [`delete from transfer where reference = 'l7'`, 'charge_without_transfer'],
    [`update transfer set amount = amount + 1 where reference = 'l7'`, 'charge_transfer_amount_wrong'],
    [`update transfer set amount = 0 where id = 'topup:1'`, 'transfer_not_positive'],
    [`update transfer set debit = credit where id = 'topup:1'`, 'transfer_to_itself'],
    [`update transfer set debit = 'wallet:acme' where reference = 'l7'`, 'charge_transfer_sides_wrong'],
    [`update transfer set kind = 'topup' where reference = 'l7'`, 'transfer_of_wrong_kind'],
    [`delete from charge where leg_uuid = 'l7'`, 'transfer_without_charge', 'cdr_without_charge'],
    [`delete from cdr where leg_uuid = 'l7'`, 'charge_without_cdr'],
    [
      `update charge set per_minute = per_minute + 1 where leg_uuid = 'l7'`,
      'charge_price_wrong',
      'charge_terms_wrong',
    ],
    [`update charge set discount_ppm = 100000 where leg_uuid = 'l7'`, 'charge_price_wrong'],
    [`update charge set rate_id = 2 where leg_uuid = 'l7'`, 'charge_without_rate'],
    [`update charge set version = 2 where leg_uuid = 'l7'`, 'cdr_version_missing'],
    [`update charge set charged_seconds = 121 where leg_uuid = 'l7'`, 'charge_seconds_wrong'],
    [`update cdr set billed_seconds = 60 where leg_uuid = 'l7'`, 'cdr_seconds_differ'],
    [`update cdr set decision = 'emergency' where leg_uuid = 'l7'`, 'cdr_charged_for_nothing'],
    [`update cdr set answered_at = null where leg_uuid = 'l7'`, 'cdr_billed_unanswered'],
    [`update cdr set ended_at = 0 where leg_uuid = 'l7'`, 'cdr_ends_before_answer'],
    [`update account set wallet_currency = 'USD' where path = 'acme/alice'`, 'wallet_currency_wrong'],
  ])('shows "%s"', async (sql, ...kinds) => {
    const { evidence, url } = await filledRecord(database);
    await database.meddle(url, sql);
    const found = await Array.fromAsync(proveRecord(evidence));
    expect(found.map(({ kind }) => kind)).toEqual(kinds);
  });
});
