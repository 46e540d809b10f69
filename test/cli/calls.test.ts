import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { assert } from '../../src/units/assert.ts';
import { parseAccountPath, parseLegUuid, parseNodeId } from '../../src/units/ids.ts';
import { toMicros } from '../../src/units/money.ts';
import { toEpochMs } from '../../src/units/time.ts';
import { cdrOf, chargeOf, transfersFor } from '../records/samples.ts';
import { rateOf, versionOf } from '../rating/samples.ts';
import { createCli } from './cli-run.ts';

const LEG = 'a1b2c3d4-0000-4000-8000-000000000001';

/** A command line whose record holds one settled call, and the decision that admitted it. */
async function createCliWithCall() {
  const cli = createCli({});
  const database = await openDatabase({ url: join(cli.folder, 'record.sqlite') });
  const cdr = { ...cdrOf(LEG), callerNumber: '1001\u001b[2J' };
  const charge = chargeOf(cdr.legUuid);
  const decision = {
    id: 'd1',
    at: cdr.admittedAt,
    kind: 'admission',
    verdict: 'admitted',
    aLeg: cdr.legUuid,
    legUuid: cdr.legUuid,
    account: cdr.account,
    reason: 'all limits had room',
    inputs: { calls: 1, holds: [{ amount: toMicros(1_500_000n) }] },
  } as const;
  const { tariff, currency, prefix, terms } = charge;
  const { perMinute, rounding } = terms;
  const { version: _, ...version } = versionOf([rateOf({ id: 1, prefix, perMinute })], {
    currency,
    rounding,
  });
  await database.tariffs.importVersion({ ...version, tariff });
  await database.records.writeBatch({
    settlements: [{ cdr, charges: [charge], transfers: transfersFor(charge) }],
    decisions: [decision],
  });
  await database.close();
  return { ...cli, cdr, charge };
}

describe('explain', () => {
  it('tells why a call was admitted, how it ended and how its price comes about', async () => {
    const { run, ask, cdr, charge } = await createCliWithCall();
    expect(await ask('explain', LEG)).toMatchObject({
      uuid: LEG,
      decisions: [{ verdict: 'admitted', inputs: { calls: 1, holds: [{ amount: '1.50' }] } }],
      legs: [
        {
          legUuid: LEG,
          billedSeconds: cdr.billedSeconds,
          charges: [{ price: { currency: charge.currency } }],
        },
      ],
    });
    const { out } = await run('explain', LEG);
    expect(out).toContain('admitted for acme/alice: all limits had room');
    expect(out).toContain('1001\u{FFFD}[2J → ');
    expect(out).toContain(`${charge.tariff} version ${charge.tariffVersion}`);
    expect(out).toContain(
      `${charge.chargedSeconds} s for ${charge.billedSeconds} s: 2 pulses (60 s + 1 × 60 s)`,
    );
    expect(out).toContain('(0.00 + 0.10 × 120 / 60) = 0.20, rounded up to 6 decimals');
  });
});

describe('verify', () => {
  it('finds that the record of a call adds up', async () => {
    const { run } = await createCliWithCall();
    const verdict = await run('verify', '--record-only');
    expect(verdict).toMatchObject({ code: 0, err: '' });
    expect(verdict.out).toContain('1 transfer, 1 charge, 1 call');
  });
});

describe('calls', () => {
  it('shows who calls whom, what is committed and until when there is money', async () => {
    const account = parseAccountPath('acme/retail');
    const node = parseNodeId('fs1');
    assert(account !== undefined && node !== undefined, 'the names are right');
    const asked: unknown[] = [];
    const { run, ask } = createCli({
      calls: async (under) => {
        asked.push(under);
        return [
          {
            uuid: parseLegUuid(LEG),
            node,
            account,
            direction: 'outbound',
            callerNumber: '1001',
            destination: '4930123456',
            state: 'answered',
            admittedAt: toEpochMs(Date.UTC(2026, 6, 31, 23, 59, 0)),
            answeredAt: toEpochMs(Date.UTC(2026, 6, 31, 23, 59, 30)),
            committed: [{ payer: account, amount: toMicros(120_000n), currency: 'EUR' }],
            cutoffAt: toEpochMs(Date.UTC(2026, 7, 1, 0, 1, 0)),
          },
        ];
      },
    });
    expect((await run('calls')).out).toBe(
      `  ${LEG}  acme/retail  1001 → 4930123456  answered 30 s  acme/retail 0.12 EUR  until 2026-08-01 00:01:00\n1 call\n`,
    );
    expect(await ask('calls', '--account', 'Acme')).toMatchObject([
      {
        committed: [{ payer: 'acme/retail', amount: '0.12', currency: 'EUR' }],
        cutoffAt: '2026-08-01T00:01:00.000Z',
      },
    ]);
    expect(asked).toEqual([undefined, 'acme']);
  });
});
