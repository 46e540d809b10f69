import type { Transfer } from '../records/records.ts';
import { addMicros, divCeil, formatMicros, negateMicros, ZERO_MICROS, type Micros } from '../units/money.ts';
import { toIsoUtc, type EpochMs } from '../units/time.ts';
import { claim, type Claim } from './claims.ts';
import { table } from './layout.ts';
import { balanceOf, callsOf, revenueOf, transfersOf, type ChargedCall } from './record.ts';
import type { Scene } from './scene.ts';
import { errorsIn, readLog } from './service-process.ts';
import { WALLETS } from './tenants.ts';
import { showTollgate } from './tollgate-command.ts';

/** The thirty calls of the first scene look much alike. */
const CALLS_SHOWN_MAX = 4;
const CHARGES_SHOWN_MAX = 4;
const ROOTS = WALLETS.map(({ account }) => account).filter((account) => !account.includes('/'));

export const BOOKS: Scene = {
  title: 'The books',
  tells:
    'Every call that talked is a CDR in SQL, and every cent is a transfer from one ledger to another. "tollgate verify" adds it all up and holds Redis against it.',
  async play(stage, screen) {
    const { database } = stage;
    const byRoot = await Promise.all(ROOTS.map((root) => callsOf(database, root)));
    screen.print([...cdrTable(byRoot), '']);

    const wallets: Wallet[] = [];
    for (const { account } of WALLETS) {
      const transfers = await transfersOf(database, account);
      wallets.push({ account, transfers, balance: await balanceOf(database, account) });
    }
    screen.print([...statement(wallets), '']);

    const verified = await showTollgate(screen, stage.configFile, ['verify']);
    const revenues = await Promise.all(ROOTS.map((root) => revenueOf(database, root)));
    const redisBalances = await Promise.all(
      wallets.map(async ({ account }) => (await stage.live.wallet(account as never))?.balance),
    );
    return judgeBooks({
      calls: byRoot.flat(),
      wallets,
      redisBalances,
      revenue: addMicros(...revenues),
      verifyCode: verified.code,
      serviceErrors: errorsIn(readLog(stage.logFile)).map(({ msg }) => msg),
    });
  },
};

export type Wallet = {
  readonly account: string;
  readonly transfers: readonly Transfer[];
  readonly balance: Micros;
};

export function cdrTable(byRoot: readonly (readonly ChargedCall[])[]): readonly string[] {
  const rows: (readonly string[])[] = [];
  for (const calls of byRoot) {
    const shown = calls.length > CALLS_SHOWN_MAX ? calls.slice(0, CALLS_SHOWN_MAX - 1) : calls;
    rows.push(...shown.flatMap(cdrRows));
    const more = calls.length - shown.length;
    if (more > 0) rows.push(['', `and ${more} more`]);
  }
  return table(
    [['call of', 'from, to', 'talked', 'ended by', 'payer', 'price'], ...rows],
    ['left', 'left', 'right', 'left', 'left', 'right'],
  );
}

function cdrRows({ cdr, charges }: ChargedCall): readonly (readonly string[])[] {
  const call = [
    cdr.account.split('/').slice(-2).join('/'),
    `${cdr.callerNumber} ${cdr.dialled}`,
    `${cdr.billedSeconds} s`,
    cdr.cut === undefined ? 'caller' : 'tollgate',
  ];
  return charges.map(({ payer, price }, index) => [
    ...(index === 0 ? call : call.map(() => '')),
    payer,
    formatMicros(price),
  ]);
}

/** A statement of each wallet: what came, what went, and what was left each time. */
export function statement(wallets: readonly Wallet[]): readonly string[] {
  const rows = wallets.flatMap(({ account, transfers }): readonly (readonly string[])[] => {
    let balance = ZERO_MICROS;
    const charges = transfers.filter(({ kind }) => kind === 'charge');
    const isSummed = charges.length > CHARGES_SHOWN_MAX;
    const lines = transfers.flatMap((transfer): readonly (readonly string[])[] => {
      const amount = signedAmount(account, transfer);
      balance = addMicros(balance, amount);
      const other = amount < 0n ? `to ${transfer.credit}` : `from ${transfer.debit}`;
      const isCharge = transfer.kind === 'charge';
      if (isSummed && isCharge && transfer !== charges.at(-1)) return [];
      const sum = addMicros(...charges.map((each) => signedAmount(account, each)));
      const what = isCharge ? 'charge' : transfer.id.replace(':', ' ');
      const named = isSummed && isCharge ? `${charges.length} charges` : what;
      const shown = isSummed && isCharge ? sum : amount;
      return [[clockTime(transfer.at), named, other, formatMicros(shown), formatMicros(balance)]];
    });
    return [[account], ...lines.map(([at = '', ...line]) => [`  ${at}`, ...line])];
  });
  return table(
    [['wallet', 'what', 'with', 'amount', 'balance'], ...rows],
    ['left', 'left', 'left', 'right', 'right'],
  );
}

function signedAmount(account: string, { credit, amount }: Transfer): Micros {
  return credit === `wallet:${account}` ? amount : negateMicros(amount);
}

function clockTime(at: EpochMs): string {
  return toIsoUtc(at).slice(11, 19);
}

export type BooksFacts = {
  readonly calls: readonly ChargedCall[];
  readonly wallets: readonly Wallet[];
  /** In the order of the wallets. */
  readonly redisBalances: readonly (Micros | undefined)[];
  readonly revenue: Micros;
  readonly verifyCode: number;
  readonly serviceErrors: readonly string[];
};

export function judgeBooks(facts: BooksFacts): readonly Claim[] {
  const { calls, wallets, redisBalances, revenue, serviceErrors } = facts;
  const charges = calls.flatMap((call) => call.charges);
  // Worked out anew, by the formula of one-second pulses alone.
  const wrong = charges.filter(
    (charge) =>
      charge.way !== 'per_minute' ||
      divCeil(BigInt(charge.billedSeconds) * charge.terms.perMinute, 60n) !== charge.price,
  );
  const transferred = wallets.flatMap(({ transfers }) => transfers.filter(({ kind }) => kind === 'charge'));
  const charged = addMicros(...charges.map(({ price }) => price));
  const balances = wallets.map(({ balance }) => balance);
  const apart = balances.filter((balance, index) => balance !== redisBalances[index]);
  return [
    claim(
      'Each charge is the price of its seconds',
      charges.length > 0 && wrong.length === 0 && transferred.length === charges.length,
      `${charges.length} charges of ${calls.length} calls, ${wrong.length} wrong; ${transferred.length} transfers`,
    ),
    claim(
      'What the wallets paid for calls is what was earned',
      charged === revenue,
      `${formatMicros(charged)} paid, ${formatMicros(revenue)} earned`,
    ),
    claim(
      'No wallet is below zero, and Redis has each as SQL has it',
      apart.length === 0 && balances.every((balance) => balance >= 0n),
      `${balances.length} wallets, ${formatMicros(addMicros(...balances))} in all`,
    ),
    claim('tollgate verify finds nothing wrong', facts.verifyCode === 0, `exit code ${facts.verifyCode}`),
    claim(
      'The service logged no error',
      serviceErrors.length === 0,
      serviceErrors.length === 0 ? 'none' : serviceErrors.slice(0, 3).join('; '),
    ),
  ];
}
