import type { Service } from '../../src/main.ts';
import type { AccountPath, LegUuid } from '../../src/units/ids.ts';
import { freshRedis, redisUrl } from '../support/redis.ts';
import { replayAs, type RecordedLeg, type RecordedStream, type ReplayedSwitch } from './recorded-switch.ts';
import { createStage, eventually, type Stage } from './stage.ts';

/** One-second pulses, so that a second too many or too few shows, and a connect fee, so that a leg too many does. */
const TARIFF = `prefix,rate,surcharge,minimum,increment
${['3', '6', '8', '9'].map((prefix) => `${prefix},1.00,0.05,1,1\n`).join('')}`;
export const FUNDS = '100.00';
/** Every caller of the recordings that says who he is. */
export const ACCOUNTS = ['1001', '1002', '0000000000'] as AccountPath[];

/** DESIGN 5, worked out here and not by the code under test: 0.05 and 1.00 a minute, rounded up once. */
export function priceOf(billMicroseconds: number): bigint {
  const seconds = BigInt(Math.ceil(billMicroseconds / 1_000_000));
  return 50_000n + (1_000_000n * seconds + 59n) / 60n;
}

export type RecordedStage = {
  readonly stage: Stage;
  readonly peer: ReplayedSwitch;
  readonly service: Service;
  close(): Promise<void>;
};

/** The service beside a FreeSWITCH of the recording's own life, every recorded caller an account with money. */
export async function openRecordedStage(
  coreUuid: string,
  settings: Readonly<Record<string, string>> = {},
  /** Before the service starts, which then knows it from its first call on. */
  prepare: (stage: Stage) => Promise<void> = () => Promise.resolve(),
): Promise<RecordedStage> {
  await freshRedis();
  const stage = await createStage(redisUrl());
  const peer = await replayAs(coreUuid);
  await stage.tariff('standard', TARIFF);
  for (const account of ACCOUNTS) await stage.account({ account, wallet: 'EUR', tariff: 'standard' });
  await prepare(stage);
  const service = await stage.startController({
    TOLLGATE_FREESWITCH_PORT: `${peer.port}`,
    TOLLGATE_FREESWITCH_PASSWORD: peer.password,
    TOLLGATE_FREESWITCH_ACCOUNT_VARIABLES: 'sip_from_user',
    TOLLGATE_GATES_UNGATED: 'admit',
    ...settings,
  });
  for (const account of ACCOUNTS) await stage.topUp(account, FUNDS);
  return {
    stage,
    peer,
    service,
    async close() {
      await stage.close();
      await peer.close();
    },
  };
}

/** Until every leg that the recording saw end has ended here too, and what that leads to is done. */
export async function untilOver(service: Service, stream: RecordedStream): Promise<void> {
  await eventually(
    () => stream.legs.filter(({ uuid }) => service.controller.book.leg(uuid as LegUuid)?.phase !== 'gone'),
    (going) => going.length === 0,
  );
  await service.controller.idle();
}

/** Gives the reader its turns, and waits for all that what it has read leads to. */
export async function untilRead(service: Service): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  await service.controller.idle();
}

export async function chargedLegs(stage: Stage): Promise<readonly object[]> {
  const cdrs = (await Promise.all(ACCOUNTS.map((account) => stage.cdrs(account)))).flat();
  return cdrs.map(
    ({ account, legUuid, billMicroseconds, billsec, billedSeconds, cause, estimated, cut }) => ({
      account,
      legUuid,
      billMicroseconds,
      billsec,
      billedSeconds,
      cause,
      estimated,
      cut,
    }),
  );
}

export function asCdr(leg: RecordedLeg, account: string): object {
  return {
    account,
    legUuid: leg.uuid,
    billMicroseconds: leg.billMicroseconds,
    billsec: leg.billsec,
    billedSeconds: Math.ceil(leg.billMicroseconds / 1_000_000),
    cause: leg.cause,
    estimated: false,
    cut: undefined,
  };
}

/** The recorded leg that a uuid begins with. */
export function legOf(stream: RecordedStream, start: string): RecordedLeg {
  const found = stream.legs.filter(({ uuid }) => uuid.startsWith(start));
  if (found.length !== 1 || found[0] === undefined)
    throw new Error(`${found.length} legs begin with ${start}`);
  return found[0];
}

export function sortedByLeg(cdrs: readonly object[]): readonly object[] {
  return cdrs.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
}
