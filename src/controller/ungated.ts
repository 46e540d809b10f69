import { admitLeg, type Admitted } from '../gate/admit-leg.ts';
import type { AnsweredQuestion } from '../gate/admit-leg.ts';
import { admissionDecision, refusalDecision } from '../gate/decisions.ts';
import { findParties, type Claims, type Parties } from '../gate/parties.ts';
import type { ControllerContext } from '../state/context.ts';
import type { Leg, LegBook } from '../state/leg-book.ts';
import { admissionIdOf, legKeyOf, type LegUuid } from '../units/ids.ts';

/** The branch of an admission that was made after the leg came up. */
const UNGATED_BRANCH = 'ungated';
/** Passes of a gate count from 1; a leg that came by none is its own pass 0. */
const NO_PASS = 0;
/** Loopback pairs behind loopback pairs: a dialplan that nests deeper has lost its way. */
const LOOPBACKS_MAX = 8;

/**
 * Legs that came by no gate (ruling 12): an outbound leg whose CREATE carries no admission that is still good, or
 * an inbound leg that answers undecided. They are admitted late, killed or left alone, as configured.
 */
export type Ungated = {
  onAppear(leg: Leg): Promise<void>;
  onAnswer(leg: Leg): Promise<void>;
};

export function createUngated(
  context: ControllerContext,
  book: LegBook,
  parts: {
    readonly onAnswered: (answered: readonly AnsweredQuestion[]) => void;
  },
): Ungated {
  const { policy, store, log, directory } = context;

  const deal = async (leg: Leg): Promise<void> => {
    if (policy.ungated === 'ignore') return;
    const claims = claimsOf(leg);
    const found = findParties(claims, directory.accounts(), policy.emergencyNumbers);
    const emergency = asEmergency(leg, claims);
    if (policy.ungated === 'kill' && emergency === undefined) {
      log.warn({ callUuid: leg.uuid }, 'killed a leg that came by no gate');
      await kill(leg);
      return;
    }
    const parties =
      found.kind === 'known' && emergency !== undefined
        ? { ...found, emergency: true, tollFree: false, classification: emergency.classification }
        : found;
    const admission = admissionIdOf(leg.uuid, NO_PASS);
    const legKey = legKeyOf(admission, UNGATED_BRANCH);
    if (legKey === undefined) return;
    const asked = {
      aLeg: leg.facts.originator ?? leg.uuid,
      admission,
      branch: UNGATED_BRANCH,
      at: store.now(),
    };
    const admit = async (known: Parties): Promise<Admitted> => {
      const { node, coreUuid, callerNumber } = leg.facts;
      const { dialled } = claims;
      const { aLeg, at } = asked;
      const rest = { legKey, admission, aLeg, node, coreUuid, callerNumber, dialled, at };
      const question = { ...known, ...rest, siblings: [UNGATED_BRANCH] };
      const answer = await admitLeg(context, question);
      parts.onAnswered([{ question, answer }]);
      return answer;
    };
    const outcome: Admitted = parties.kind === 'refused' ? parties : await admit(parties);
    if (outcome.kind === 'refused') {
      // Somebody in need is let through, counted or not.
      if (emergency !== undefined) return;
      const { refusal, why } = outcome;
      context.record(refusalDecision(asked, claims, refusal, { via: 'no gate', why }));
      log.warn(
        { callUuid: leg.uuid, reason: outcome.refusal.reason },
        'killed a leg that came by no gate and was refused',
      );
      await kill(leg);
      return;
    }
    const record = { ...outcome.record, uuid: leg.uuid };
    if ((await store.bind(record, leg.uuid)) === 'bound') book.attach(leg, record);
    context.record(admissionDecision(record, outcome.time, 'no gate', outcome.why));
  };

  /** By the number that this leg or its caller's dialled: a gateway may want it in another form. */
  const asEmergency = (leg: Leg, claims: Claims): Parties | undefined => {
    const { destination } = placerOf(leg)?.facts ?? leg.facts;
    for (const dialled of [claims.dialled, destination]) {
      const found = findParties({ ...claims, dialled }, directory.accounts(), policy.emergencyNumbers);
      if (found.kind === 'known' && found.emergency) return found;
    }
    return undefined;
  };

  /** The leg that placed this one; a loopback pair between them is looked through. */
  const placerOf = (leg: Leg): Leg | undefined => {
    let placer = leg;
    for (let pairs = 0; pairs <= LOOPBACKS_MAX; pairs += 1) {
      const { originator } = placer.facts;
      const next = originator === undefined ? undefined : book.leg(originator);
      if (next === undefined) return placer === leg ? undefined : placer;
      placer = next;
      if (!placer.facts.loopback) return placer;
    }
    return undefined;
  };

  /** Whether the leg placed another that is metered itself, at once or behind a loopback pair. A pair is not (DESIGN 3). */
  const placedAnother = (uuid: LegUuid, pairs = 0): boolean =>
    book
      .placedBy(uuid)
      .some(({ uuid: placed, facts }) =>
        facts.loopback ? pairs < LOOPBACKS_MAX && placedAnother(placed, pairs + 1) : true,
      );

  /** What the leg says of itself, and what the leg that placed it says where it is silent. */
  const claimsOf = (leg: Leg): Claims => {
    const own = leg.facts.gate;
    const placer = placerOf(leg)?.facts.gate;
    return {
      account: own.account ?? placer?.account,
      callee: own.callee ?? placer?.callee,
      forwarder: own.forwarder ?? placer?.forwarder,
      routes: own.routes.length > 0 ? own.routes : (placer?.routes ?? []),
      options: own.options.length > 0 ? own.options : (placer?.options ?? []),
      customer: own.customer ?? placer?.customer,
      dialled: own.destination ?? leg.facts.destination,
    };
  };

  const kill = async (leg: Leg): Promise<void> => {
    await context.controlOf(leg.facts.node)?.kill(leg.uuid, policy.causes.barred.cause);
  };

  return {
    async onAppear(leg) {
      // An inbound leg may still be on its way to a gate.
      if (leg.facts.direction === 'inbound') return;
      const placer = placerOf(leg);
      // The caller's own leg is metered already, from its answer: the charge is not taken twice.
      if (placer?.record?.uuid === placer?.uuid && placer !== undefined) return;
      await deal(leg);
    },
    async onAnswer(leg) {
      if (leg.facts.direction === 'outbound') return;
      // It placed a leg, and that one is metered.
      if (placedAnother(leg.uuid)) return;
      await deal(leg);
    },
  };
}
