import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { createStage, eventually, useDialplan, type Stage } from './stage.ts';

let stage: Stage;

beforeEach(async () => {
  await freshRedis();
  stage = await createStage(redisUrl());
});

afterEach(async () => {
  await stage.close();
});

/** What a call with these variables is charged by, and what its CDR says that it asked for. */
async function ratedBy(csv: string, variables: Readonly<Record<string, string>>): Promise<object> {
  await stage.tariff('standard', csv);
  await stage.account({ account: 'acme', wallet: 'EUR', tariff: 'standard' });
  const service = await stage.startController();
  await stage.topUp('acme', '10.00');
  useDialplan(stage.sim, 'socket', service.socketPort);
  stage.sim.endpoint(/pstn/, { kind: 'answers', afterMs: 20 });
  stage.sim.placeCall({
    from: '1001',
    to: '4930123',
    variables: { tollgate_account: 'acme', ...variables },
    hangsUpAfterAnswerMs: 300,
  });
  const [cdr] = await eventually(
    () => stage.cdrs('acme'),
    (rows) => rows.length === 1,
  );
  if (cdr === undefined) throw new Error('there is one');
  const charges = await stage.database.records.chargesOf(cdr.legUuid);
  const rates = charges.map((charge) => (charge.way === 'per_minute' ? charge.rateId : charge.way));
  return { rates, options: cdr.options, findings: await stage.findings() };
}

const OPTIONS = 'prefix,rate,options,weight\n49,1.00,,\n49,2.00,fax;clip,1\n';

describe('the rate of a call', () => {
  it.each([
    ['that has what the call asks for', 'Fax', 2, ['fax']],
    ['that is for every call, where the call asks for something else too', 'fax,video', 1, ['fax', 'video']],
  ])('is the one %s', async (_, tollgate_options, rate, options) => {
    expect(await ratedBy(OPTIONS, { tollgate_options })).toEqual({ rates: [rate], options, findings: [] });
  });

  it('is the one of the time of day at which it is admitted', async () => {
    const clock = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16);
    const periods = [`49,1.00,${clock(6)},${clock(18)}`, `49,2.00,${clock(18)},${clock(6)}`];
    expect(await ratedBy(['prefix,rate,from,until', ...periods].join('\n'), {})).toEqual({
      rates: [2],
      options: [],
      findings: [],
    });
  });
});
