import {
  done,
  failed,
  type Command,
  type CommandContext,
  type CommandLine,
  type Result,
} from '../command-line/command.ts';
import { readFlags, refuseFlags, splitNames, type FlagReader } from '../command-line/flag-values.ts';
import { columns } from '../command-line/help.ts';
import { chargedInWords, sumInWords, termsJson } from '../command-line/price-words.ts';
import { toE164 } from '../rating/numbers.ts';
import { DEFAULT_ROUNDING, toPriceTerms, type PriceTerms } from '../rating/price.ts';
import { quote } from '../rating/quote.ts';
import { periodInWords } from '../rating/rate-period.ts';
import type { Rate, TariffVersion } from '../rating/rate.ts';
import { chooseRate, createTariffTable } from '../rating/tariff-table.ts';
import { parseDiscountPpm, termsOf } from '../rating/terms.ts';
import { parseTariffName } from '../units/ids.ts';
import { formatMicros } from '../units/money.ts';
import { parseMoment, toIsoUtc } from '../units/time.ts';

const SECONDS_MAX = 31_536_000;
const RATE_FLAGS = ['rate', 'minimum', 'increment', 'surcharge', 'grace', 'rounding', 'decimals'];
const TARIFF_FLAGS = ['tariff', 'to', 'direction', 'route', 'options', 'at'];

export const PRICE_COMMAND: Command = {
  name: 'price',
  summary: 'what a call of so many seconds costs, by a rate or by a tariff',
  operands: [],
  flags: {
    seconds: { value: 'N', doc: 'billed seconds' },
    discount: { value: 'PERCENT', doc: 'off the whole price (default 0)' },
    rate: { value: 'AMOUNT', doc: 'per minute' },
    minimum: { value: 'SECONDS', doc: 'first pulse (default 60; 0: an increment)' },
    increment: { value: 'SECONDS', doc: 'each further pulse (default 60)' },
    surcharge: { value: 'AMOUNT', doc: 'once for the call (default 0)' },
    grace: { value: 'SECONDS', doc: 'calls not longer than this are free (default 0)' },
    rounding: { value: 'MODE', doc: 'up, down or half_up (default up)' },
    decimals: { value: 'N', doc: 'that the price is rounded to, 0 to 6 (default 6)' },
    tariff: { value: 'TARIFF', doc: 'instead of --rate: look the rate up in this tariff' },
    to: { value: 'NUMBER', doc: 'with --tariff: the number called, in E.164' },
    direction: { value: 'D', doc: 'with --tariff: outbound (default) or inbound' },
    route: { value: 'ROUTE', doc: 'with --tariff: the route taken' },
    options: { value: 'OPTION,…', doc: 'with --tariff: what the call asks of its rate' },
    at: { value: 'TIME', doc: 'with --tariff: when the call is admitted (default now)' },
  },
  notes: [
    'tollgate price --rate 0.10 --minimum 30 --increment 6 --surcharge 0.05 --discount 10 --seconds 45',
    'tollgate price --tariff standard --to 4930123456 --seconds 45',
  ],
  run: (line, context) => price(line, context),
};

function price(line: CommandLine, context: CommandContext): Promise<Result> {
  const flags = readFlags(line);
  const seconds = flags.wholeNumber('seconds', SECONDS_MAX);
  if (!flags.isSet('seconds'))
    flags.complain({ field: '--seconds', value: 'nothing', expected: 'billed seconds' });
  const discountPpm =
    flags.parsed('discount', parseDiscountPpm, 'a percentage from 0 to 100, such as 12.5') ?? 0;
  const input = { seconds: seconds ?? 0, discountPpm };
  return flags.isSet('tariff') || flags.isSet('to')
    ? priceByTariff(flags, input, context)
    : Promise.resolve(priceByRate(flags, input));
}

type PriceInput = { readonly seconds: number; readonly discountPpm: number };

function priceByRate(flags: FlagReader, { seconds, discountPpm }: PriceInput): Result {
  const perMinute = flags.amount('rate');
  if (!flags.isSet('rate')) {
    flags.complain({
      field: '--rate',
      value: 'nothing',
      expected: 'an amount per minute, or --tariff and --to',
    });
  }
  refuseFlags(flags, TARIFF_FLAGS, 'to be left out without --tariff');
  const rate = {
    surcharge: flags.amount('surcharge'),
    minimumSeconds: flags.wholeNumber('minimum', SECONDS_MAX),
    incrementSeconds: flags.wholeNumber('increment', SECONDS_MAX),
    graceSeconds: flags.wholeNumber('grace', SECONDS_MAX),
  };
  const mode = flags.choice('rounding', ['up', 'down', 'half_up']) ?? DEFAULT_ROUNDING.mode;
  const decimals = flags.wholeNumber('decimals', 6) ?? DEFAULT_ROUNDING.decimals;
  flags.check();
  if (perMinute === undefined) return failed('no rate');
  const terms = toPriceTerms({ ...rate, perMinute, discountPpm, rounding: { mode, decimals } });
  return quoted(terms, seconds, {}, []);
}

async function priceByTariff(flags: FlagReader, input: PriceInput, context: CommandContext): Promise<Result> {
  const tariff = flags.parsed('tariff', parseTariffName, 'the name of a tariff');
  const number = flags.parsed('to', (text) => toE164(text, undefined), 'digits, with or without a plus');
  for (const name of ['tariff', 'to'].filter((each) => !flags.isSet(each))) {
    flags.complain({ field: `--${name}`, value: 'nothing', expected: 'both --tariff and --to' });
  }
  const direction = flags.choice('direction', ['outbound', 'inbound']) ?? 'outbound';
  const at = flags.parsed('at', parseMoment, 'a moment such as 2026-08-01T12:00:00Z') ?? context.now();
  const route = flags.text('route');
  refuseFlags(flags, RATE_FLAGS, 'to be left out with --tariff');
  flags.check();
  if (tariff === undefined || number === undefined) return failed('no tariff');
  const { tariffs } = await context.stores();
  const version = await tariffs.loadInForce(tariff, at);
  if (version === undefined) return failed(`tariff ${tariff} has no version in force at ${toIsoUtc(at)}`);
  const routes = route === undefined ? [] : [route];
  const options = splitNames(flags.text('options'));
  const rate = chooseRate(createTariffTable(version), { number, direction, routes, options, at });
  if (rate === undefined) return failed(`tariff ${tariff} has no ${direction} rate for ${number}`);
  return quotedByRate(version, rate, input);
}

function quotedByRate(version: TariffVersion, rate: Rate, { seconds, discountPpm }: PriceInput): Result {
  const { tariff, currency } = version;
  const period = periodInWords(rate.period);
  const found = { id: rate.id, prefix: rate.prefix, description: rate.description, period };
  return quoted(
    termsOf(version, rate, discountPpm),
    seconds,
    { currency, tariff, tariffVersion: version.version, rate: found },
    [
      [
        'rate',
        `${[rate.prefix, rate.description].filter((word) => word !== '').join(' ')}, rate ${rate.id} of ${tariff} version ${version.version}`,
      ],
      ...(period === undefined ? [] : [['holds', `${period}, by the clocks of ${version.zone}`]]),
    ],
  );
}

function quoted(
  terms: PriceTerms,
  billedSeconds: number,
  origin: { readonly currency?: string } & Readonly<Record<string, unknown>>,
  rows: readonly (readonly string[])[],
): Result {
  const { price: amount, chargedSeconds, pulses } = quote(terms, billedSeconds);
  const shown = formatMicros(amount);
  const money = origin.currency === undefined ? shown : `${shown} ${origin.currency}`;
  return done({ price: shown, chargedSeconds, pulses, billedSeconds, ...origin, terms: termsJson(terms) }, [
    ...columns([
      ['price', money],
      ['charged', chargedInWords(terms, { billedSeconds, chargedSeconds, pulses })],
      ['sum', sumInWords(terms, chargedSeconds, amount)],
      ...rows,
    ]),
  ]);
}
