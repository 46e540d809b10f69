import {
  done,
  failed,
  type Command,
  type CommandContext,
  type CommandLine,
  type Result,
} from '../command-line/command.ts';
import { uuidOperand } from '../command-line/flag-values.ts';
import { columns } from '../command-line/help.ts';
import { showMoment, showTalk } from '../command-line/moment.ts';
import type { Cdr } from '../records/records.ts';
import { toIsoUtc } from '../units/time.ts';
import { chargeJson, chargeRows, type LegMoney } from './charge-view.ts';
import { decisionJson, decisionLines } from './decision-view.ts';

export const EXPLAIN_COMMAND: Command = {
  name: 'explain',
  summary: 'why a call was admitted or refused, how it ended and what it cost',
  operands: ['UUID'],
  flags: {},
  run: explain,
};

type Leg = { readonly cdr: Cdr; readonly money: LegMoney };

async function explain(line: CommandLine, context: CommandContext): Promise<Result> {
  const uuid = uuidOperand(line);
  const { records, rerates } = await context.stores();
  const decisions = await records.decisionsOf(uuid);
  const legs: Leg[] = [];
  for (const cdr of await records.cdrsOfCall(uuid)) {
    const { legUuid } = cdr;
    const money: LegMoney = {
      answeredAt: cdr.answeredAt,
      charges: await records.chargesOf(legUuid),
      transfers: await records.transfersOfLeg(legUuid),
      applied: await rerates.appliedTo([legUuid]),
    };
    legs.push({ cdr, money });
  }
  if (legs.length === 0 && decisions.length === 0) {
    return failed(`nothing on record of ${uuid}; a call that is up is shown by tollgate calls`, { uuid });
  }
  return done({ uuid, decisions: decisions.map(decisionJson), legs: legs.map(legJson) }, [
    ...decisions.flatMap(decisionLines),
    ...legs.flatMap(legLines),
  ]);
}

function legLines({ cdr, money }: Leg): readonly string[] {
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
        `${cdr.billedSeconds} s of ${showTalk(cdr.billMicroseconds)}; ${cdr.decision}, ${cdr.funding}`,
      ],
      ...chargeRows(money),
    ]),
  ];
}

function legJson({ cdr, money }: Leg): Readonly<Record<string, unknown>> {
  return {
    ...cdr,
    admittedAt: toIsoUtc(cdr.admittedAt),
    answeredAt: cdr.answeredAt === undefined ? undefined : toIsoUtc(cdr.answeredAt),
    endedAt: toIsoUtc(cdr.endedAt),
    charges: money.charges.map((charge) => chargeJson(charge, money)),
  };
}
