import { quote } from '../rating/quote.ts';
import { isOfOwnPrice, type Cdr, type Charge, type PerMinuteCharge } from '../records/records.ts';
import { formatMicros } from '../units/money.ts';
import { toIsoUtc } from '../units/time.ts';
import { moneyJson } from './account-view.ts';
import { done, failed, type Command, type CommandContext, type CommandLine, type Result } from './command.ts';
import { decisionJson, decisionLines } from './decision-view.ts';
import { uuidOperand } from './flag-values.ts';
import { columns } from './help.ts';
import { showMoment } from './moment.ts';

export const EXPLAIN_COMMAND: Command = {
  name: 'explain',
  summary: 'why a call was admitted or refused, how it ended and what it cost',
  operands: ['UUID'],
  flags: {},
  run: explain,
};

type Leg = { readonly cdr: Cdr; readonly charges: readonly Charge[] };

async function explain(line: CommandLine, context: CommandContext): Promise<Result> {
  const uuid = uuidOperand(line);
  const { records } = await context.stores();
  const decisions = await records.decisionsOf(uuid);
  const legs: Leg[] = [];
  for (const cdr of await records.cdrsOfCall(uuid)) {
    legs.push({ cdr, charges: await records.chargesOf(cdr.legUuid) });
  }
  if (legs.length === 0 && decisions.length === 0) {
    return failed(`nothing on record of ${uuid}; a call that is up is shown by tollgate calls`, { uuid });
  }
  return done({ uuid, decisions: decisions.map(decisionJson), legs: legs.map(legJson) }, [
    ...decisions.flatMap(decisionLines),
    ...legs.flatMap(legLines),
  ]);
}

function legLines({ cdr, charges }: Leg): readonly string[] {
  const ended = cdr.cut === undefined ? cdr.cause : `${cdr.cause}, cut by tollgate (${cdr.cut})`;
  return [
    `leg ${cdr.legUuid}${cdr.estimated ? ' (times estimated)' : ''}`,
    ...columns([
      ['account', cdr.account],
      [
        'from, to',
        `${cdr.callerNumber} → ${cdr.dialled}${cdr.routes.length > 0 ? ` by ${cdr.routes.join(', ')}` : ''}`,
      ],
      ['answered', cdr.answeredAt === undefined ? 'never' : `${showMoment(cdr.answeredAt)} UTC`],
      ['ended', `${showMoment(cdr.endedAt)} UTC: ${ended}`],
      [
        'billed',
        `${cdr.billedSeconds} s of ${(cdr.billMicroseconds / 1_000_000).toFixed(3)} s; ${cdr.decision}, ${cdr.funding}`,
      ],
      ...charges.flatMap(chargeRows),
    ]),
  ];
}

function chargeRows(charge: Charge): readonly (readonly string[])[] {
  const { payer, version } = charge;
  switch (charge.way) {
    case 'per_minute':
      return perMinuteRows(charge);
    case 'allotment':
      return [
        [payer, `${charge.chargedSeconds} s of the allotment ${charge.allotment}${versionWords(version)}`],
      ];
    case 'flat_rate':
      return [[payer, `a flat-rate trunk${versionWords(version)}`]];
    case 'flat_rate_burst':
      return [[payer, `a burst trunk${versionWords(version)}`]];
    case 'free':
      return [[payer, `nothing${versionWords(version)}`]];
  }
}

function versionWords(version: number): string {
  return version > 1 ? ` (version ${version})` : '';
}

function perMinuteRows(charge: PerMinuteCharge): readonly (readonly string[])[] {
  const { terms, tariff, tariffVersion, rateId, prefix, payer, version } = charge;
  const { pulses } = quote(terms, charge.billedSeconds);
  const discount = terms.discountPpm === 0 ? '' : `, less ${terms.discountPpm / 10_000} %`;
  return [
    [payer, `${formatMicros(charge.price)} ${charge.currency}${versionWords(version)}`],
    [
      '',
      isOfOwnPrice(charge)
        ? 'at the price that the call came with'
        : `${tariff} version ${tariffVersion}, rate ${rateId} for ${prefix}`,
    ],
    [
      '',
      `${pulses === 1 ? '1 pulse makes' : `${pulses} pulses make`} ${charge.chargedSeconds} s at ${formatMicros(terms.perMinute)} a minute + ${formatMicros(terms.surcharge)}${discount}`,
    ],
  ];
}

function legJson({ cdr, charges }: Leg): Readonly<Record<string, unknown>> {
  return {
    ...cdr,
    admittedAt: toIsoUtc(cdr.admittedAt),
    answeredAt: cdr.answeredAt === undefined ? undefined : toIsoUtc(cdr.answeredAt),
    endedAt: toIsoUtc(cdr.endedAt),
    charges: charges.map(chargeJson),
  };
}

function chargeJson(entry: Charge): Readonly<Record<string, unknown>> {
  if (entry.way !== 'per_minute') return { ...entry, price: formatMicros(entry.price) };
  const { terms, price, currency, ...charge } = entry;
  return {
    ...charge,
    price: moneyJson(price, currency),
    terms: { ...terms, perMinute: formatMicros(terms.perMinute), surcharge: formatMicros(terms.surcharge) },
  };
}
