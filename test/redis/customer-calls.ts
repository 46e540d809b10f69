import { createAccountLookup } from '../../src/accounts/account-tree.ts';
import { customerFunding } from '../../src/admission/customer-funding.ts';
import type { LegRecord } from '../../src/admission/leg-record.ts';
import { readCustomerClaim } from '../../src/gate/customer-claims.ts';
import type { AccountPath } from '../../src/units/ids.ts';
import { sampleLeg, type SampleLeg } from './samples.ts';

export const JOHN = 'adhoc/john' as AccountPath;
const ACCOUNTS = createAccountLookup({ revision: 1, accounts: [], routes: [] }, {});

export type Variables = Omit<Parameters<typeof readCustomerClaim>[0], 'customer'>;

/** A leg of john's as the gate makes it. */
export function callOf(name: string | number, variables: Variables): SampleLeg {
  const claim = readCustomerClaim({ customer: 'john', ...variables });
  if (claim.kind === 'bad') throw new Error(claim.words);
  const node = ACCOUNTS.customer(claim.pool, undefined);
  const own = node && customerFunding(node, 'EUR');
  if (node === undefined || own === undefined) throw new Error('john has pools');
  const channels = { counter: 'calls' as const, bound: claim.pool.channels };
  const leg = sampleLeg(name, {
    account: JOHN,
    takes: [{ holder: { kind: 'account', path: JOHN }, counts: [channels], perSecond: undefined }],
    holds: own.holds,
  });
  const payers = own.payer === undefined ? [] : [own.payer];
  const record: LegRecord = { ...leg.record, payers, ...(own.time && { time: own.time }) };
  return { ...leg, record };
}
