import { CAP_LIMITS } from '../admission/cap.ts';
import { holderName } from '../admission/plan.ts';
import { directionOf } from '../admission/question.ts';
import { isEnforced } from '../admission/takes.ts';
import { moneyJson } from '../cli-accounts/account-view.ts';
import { columns } from '../command-line/help.ts';
import { microsToSeconds } from '../credit/pools.ts';
import type { Admitted } from '../gate/admit-leg.ts';
import type { Claims, Parties } from '../gate/parties.ts';
import { UNKNOWN_CLASSIFICATION } from '../rating/classify.ts';
import { firstPulseSeconds, type PriceTerms } from '../rating/price.ts';
import { fundedSeconds } from '../rating/quote.ts';
import { isOfOwnPrice, type FundingKind } from '../records/records.ts';
import type { LimitStep, Rehearsal } from '../rehearsal/rehearsal.ts';
import type { FundingStep, FundingWay } from '../rehearsal/rehearsed-funding.ts';
import type { ControllerPolicy } from '../state/policy.ts';
import { formatMicros } from '../units/money.ts';

const FUNDING_WORDS: Readonly<Partial<Record<FundingKind, string>>> = {
  none: 'nobody pays',
  toll_free: 'toll-free, nobody pays',
};

type Causes = ControllerPolicy['causes'];

/** Parties, limits, payers, verdict: in the order in which the gate looks at them. */
export function checkLines(claims: Claims, rehearsal: Rehearsal, causes: Causes): readonly string[] {
  const { parties, limits, funding } = rehearsal;
  return [
    callLine(claims, parties),
    ...(limits.length === 0 ? [] : ['limits and their use now', ...limitLines(limits, parties)]),
    ...(funding.length === 0 ? [] : ['who pays', ...fundingLines(funding)]),
    ...verdictLines(rehearsal, causes),
  ];
}

export function checkJson(
  claims: Claims,
  rehearsal: Rehearsal,
  causes: Causes,
): Readonly<Record<string, unknown>> {
  const { parties, limits, funding, answer } = rehearsal;
  return {
    verdict: answer.kind === 'refused' ? 'refused' : 'admitted',
    decision: decisionOf(rehearsal),
    direction: parties === undefined ? undefined : directionOf(parties),
    ...claims,
    destination: parties?.destination,
    classification: parties?.classification,
    chains: {
      caller: parties?.caller?.chain.map(({ path }) => path) ?? [],
      callee: parties?.callee?.chain.map(({ path }) => path) ?? [],
    },
    limits: limits.map(({ holder, bound, ...step }) => ({
      holder: holderName(holder),
      ...step,
      bound: bound ?? 'unlimited',
    })),
    payers: funding.map(fundingJson),
    funding: answer.kind === 'admitted' ? answer.record.funding : undefined,
    fundedSeconds: answer.kind === 'admitted' ? answer.time.funded : undefined,
    refusal:
      answer.kind === 'refused' ? { ...answer.refusal, answer: causes[answer.refusal.cause] } : undefined,
  };
}

function decisionOf({ answer }: Rehearsal): string {
  switch (answer.kind) {
    case 'admitted':
      return answer.record.decision;
    case 'passed':
      return answer.decision;
    case 'refused':
      return 'refused';
  }
}

function callLine(claims: Claims, parties: Parties | undefined): string {
  const from = parties?.caller?.path ?? claims.forwarder ?? claims.account ?? 'somebody';
  const number = parties?.destination ?? claims.dialled;
  const to = claims.callee === undefined ? number : `${claims.callee} (${number})`;
  const by = claims.routes.length === 0 ? '' : ` by ${claims.routes.join(', ')}`;
  const direction = parties === undefined ? 'unknown' : directionOf(parties);
  return `${direction}: ${from} → ${to}${by}${direction === 'internal' ? '' : calledInWords(parties)}`;
}

function calledInWords(parties: Parties | undefined): string {
  if (parties === undefined || parties.classification === UNKNOWN_CLASSIFICATION) return '';
  return `, ${parties.classification}${parties.tollFree ? ' (toll-free)' : ''}`;
}

function limitLines(limits: readonly LimitStep[], parties: Parties | undefined): readonly string[] {
  const width = Math.max(...limits.map(({ limit }) => limit.length));
  let last = '';
  return limits.flatMap(({ holder, limit, bound, inUse, passes }) => {
    const name = holderName(holder);
    const head = name === last ? [] : [`  ${name}${exemption(name, parties)}`];
    last = name;
    const use = bound === undefined ? `${inUse}, unlimited` : `${inUse} of ${bound}`;
    return [...head, `    ${limit.padEnd(width)}  ${passes ? use : `${use.padEnd(14)}  full`}`];
  });
}

/** Why an account with limits refuses nobody (ruling 16). */
function exemption(name: string, parties: Parties | undefined): string {
  if (parties?.emergency === true) return ' (emergency: counted, refuses nobody)';
  const chains = [...(parties?.caller?.chain ?? []), ...(parties?.callee?.chain ?? [])];
  const node = chains.find(({ path }) => path === name);
  if (node === undefined || isEnforced(node)) return '';
  return ` (${node.limits.enabled ? 'dry run' : 'not enabled'}: counted, refuses nobody)`;
}

function fundingLines(steps: readonly FundingStep[]): readonly string[] {
  const byAccount = Map.groupBy(steps, ({ account }) => account);
  return [...byAccount].flatMap(([account, ways]) => {
    const rows = ways.flatMap(wayRows);
    return [`  ${account}`, ...columns(rows.map(([name = '', ...cells]) => [`  ${name}`, ...cells]))];
  });
}

function wayRows({ way, passes, chosen }: FundingStep): readonly (readonly string[])[] {
  switch (way.kind) {
    case 'money':
      return moneyRows(way, passes);
    case 'allotment': {
      const { allotment, hold } = way;
      const needed = microsToSeconds(hold.needed);
      const left = `${microsToSeconds(hold.available)} s left, ${needed} s needed to begin`;
      const verdict = passes ? (chosen ? 'taken' : 'not needed') : 'too little';
      const after = allotment.goesOn === undefined ? 'it then ends' : 'it then goes on per minute';
      return [['allotment', `${allotment.name}: ${left}: ${verdict}`], ...(chosen ? [['', after]] : [])];
    }
    case 'flat_rate':
    case 'flat_rate_burst': {
      const { inbound, outbound, shared } = way.trunk;
      const rented = `${inbound ?? 'unlimited'} in, ${outbound ?? 'unlimited'} out, ${shared ?? 'unlimited'} shared`;
      const used = `${way.inUse.inbound} in, ${way.inUse.outbound} out in use`;
      const verdict = passes ? (chosen ? 'taken' : 'not needed') : 'full';
      return [[way.kind === 'flat_rate' ? 'trunk' : 'burst', `${rented}; ${used}: ${verdict}`]];
    }
    case 'time': {
      const { needed, available } = way.hold;
      const left = `${microsToSeconds(available)} s left for all calls, ${microsToSeconds(needed)} s needed to begin`;
      return [['time', passes ? left : `${left}: too little`]];
    }
    case 'unpriced':
      return [['free', 'nobody prices this call']];
    case 'closed':
      return [['no way', way.words]];
  }
}

function moneyRows(
  way: Extract<FundingWay, { kind: 'money' }>,
  passes: boolean,
): readonly (readonly string[])[] {
  const { payer, hold } = way;
  const { terms, currency, tariff, tariffVersion, rateId, prefix } = payer;
  const rate = `${tariff} version ${tariffVersion}, rate ${rateId} for ${prefix}`;
  const rows = [
    ['rate', isOfOwnPrice({ payer: payer.account, tariffVersion }) ? 'what the call brings with it' : rate],
    ['price', priceInWords(terms)],
  ];
  if (hold === undefined) {
    return [
      ...rows,
      ['to begin', payer.soft === true ? 'nothing: charged when it ends' : 'nothing: the call is free'],
    ];
  }
  const begin = `${formatMicros(hold.needed)} of ${formatMicros(hold.available)} ${currency} available`;
  return [
    ...rows,
    ['to begin', passes ? begin : `${begin}: too little`],
    ...(passes ? [['lasts', secondsInWords(fundedSeconds(terms, hold.available))]] : []),
  ];
}

export function priceInWords(terms: PriceTerms): string {
  const { surcharge, incrementSeconds, graceSeconds, discountPpm } = terms;
  return [
    `${formatMicros(terms.perMinute)} a minute`,
    ...(surcharge === 0n ? [] : [` + ${formatMicros(surcharge)}`]),
    `, pulses of ${firstPulseSeconds(terms)} s, then ${incrementSeconds} s`,
    ...(graceSeconds === 0 ? [] : [`, free up to ${graceSeconds} s`]),
    ...(discountPpm === 0 ? [] : [`, less ${discountPpm / 10_000} %`]),
  ].join('');
}

function secondsInWords(seconds: number | 'unlimited'): string {
  return seconds === 'unlimited' ? 'as long as it likes' : `${seconds} s on what is available now`;
}

function verdictLines(rehearsal: Rehearsal, causes: Causes): readonly string[] {
  const { answer } = rehearsal;
  if (answer.kind === 'passed') return [`${answer.decision}: let through, and counted for nobody`];
  if (answer.kind === 'admitted') {
    return [`${answer.record.decision}: ${fundingInWords(answer)}`];
  }
  const { reason, limit, holder, words, cause } = answer.refusal;
  const { sipCode, reason: sipReason, cause: hangup } = causes[cause];
  const by = [limit, holder].filter((word) => word !== '').join(' of ');
  return [
    `refused: ${reason}${by === '' ? '' : `, ${by}`}`,
    ...columns([
      ['why', words],
      ['answer', `${sipCode} ${sipReason}, else ${hangup}`],
    ]),
  ];
}

/** Who pays, and for how long. */
export function fundingInWords({ record, time }: Extract<Admitted, { readonly kind: 'admitted' }>): string {
  const { funding, cap } = record;
  const { funded } = time;
  const paid = FUNDING_WORDS[funding] ?? funding.replaceAll('_', ' ');
  if (cap !== undefined && cap.seconds === funded) {
    return `${paid}, for ${funded} s at most by ${CAP_LIMITS[cap.reason]} of ${cap.account}`;
  }
  return `${paid}${funded === 'unlimited' ? '' : `, funded for ${funded} s`}`;
}

function fundingJson({ account, way, passes, chosen }: FundingStep): Readonly<Record<string, unknown>> {
  if (way.kind === 'allotment') {
    const { allotment, hold } = way;
    return {
      account,
      passes,
      chosen,
      way: 'allotment',
      allotment: allotment.name,
      neededSeconds: microsToSeconds(hold.needed),
      leftSeconds: microsToSeconds(hold.available),
      goesOn: allotment.goesOn !== undefined,
    };
  }
  if (way.kind === 'time') {
    const { needed, available } = way.hold;
    const neededSeconds = microsToSeconds(needed);
    return { account, passes, chosen, way: 'time', neededSeconds, leftSeconds: microsToSeconds(available) };
  }
  if (way.kind !== 'money') {
    const { kind, ...facts } = way;
    return { account, passes, chosen, way: kind, ...facts };
  }
  const { payer, hold } = way;
  const { terms, currency, tariff, tariffVersion, rateId, prefix } = payer;
  return {
    account,
    passes,
    chosen,
    way: 'per_minute',
    tariff,
    tariffVersion,
    rate: { id: rateId, prefix },
    perMinute: moneyJson(terms.perMinute, currency),
    surcharge: moneyJson(terms.surcharge, currency),
    firstPulseSeconds: firstPulseSeconds(terms),
    incrementSeconds: terms.incrementSeconds,
    graceSeconds: terms.graceSeconds,
    discountPercent: `${terms.discountPpm / 10_000}`,
    ...(hold === undefined
      ? {}
      : {
          needed: moneyJson(hold.needed, currency),
          available: moneyJson(hold.available, currency),
          fundedSeconds: fundedSeconds(terms, hold.available),
        }),
  };
}
