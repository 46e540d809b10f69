import { expect } from 'vitest';
import type { Verdict } from './asking.ts';
import { compareAnswer, compareVerdict } from './comparing.ts';
import type { Model } from './model.ts';
import type { Product } from './product.ts';
import { isPublic, type Connection } from './rules.ts';
import type { Settled } from './settling.ts';
import type { Channel } from './telephones.ts';

/** A cutoff that falls right behind another event is looked at so much later: acts keep that distance. */
const APART_MS = 11;
export const EMERGENCY = '112';

/** A call as its caller has it: where it stands, and which of its connections is which channel. */
export type Call = {
  readonly a: Channel;
  pass: number;
  /** The branches of the last pass that was let through. */
  branches: CallBranch[];
  /** The other end, once somebody has answered. */
  talksWith: CallBranch | undefined;
  /** Neither end hangs on the other any more. */
  isParted: boolean;
  /** Each connection that it has let through and is not done with, and the channel that it is metered on. */
  readonly metered: Map<string, Channel | undefined>;
};
export type CallBranch = { readonly name: string; readonly key: string; channel: Channel | undefined };
export type Branch = Pick<Connection, 'callee' | 'routes' | 'number'>;
export type Who = { readonly caller: string | undefined; readonly isForwarded: boolean };

/** What becomes of calls, done to the product and to the model alike. */
export type Exchange = {
  readonly calls: readonly Call[];
  place(variables: Readonly<Record<string, string>>, who: Who, branches: readonly Branch[]): Promise<void>;
  /** Asks at the gate, and places what is let through. */
  ask(call: Call, who: Who, branches: readonly Branch[]): Promise<void>;
  ring(call: Call, branch: CallBranch): Promise<void>;
  /** Ends what rings and was not answered. */
  stopRinging(call: Call, cause: string): Promise<void>;
  answer(call: Call, branch: CallBranch): Promise<void>;
  /** Ends channels of a call, and what hangs on them. */
  hangUp(call: Call, channels: readonly (Channel | undefined)[]): Promise<void>;
  /** The two ends are put through to somebody else, or wait: none hangs on the other any more. */
  part(call: Call): Promise<void>;
  /** Lets time pass for both, and everything happen that was to happen by then. */
  pass(ms: number): Promise<void>;
  /** What has been settled since it was asked last. */
  settled(): ReadonlyMap<string, Settled>;
};

export const isRinging = ({ channel }: CallBranch): boolean =>
  isUp(channel) && channel?.answeredAt === undefined;
export const isUp = (channel: Channel | undefined): boolean =>
  channel !== undefined && channel.endedAt === undefined;
export const channelsOf = ({ a, branches }: Call): readonly (Channel | undefined)[] => [
  a,
  ...branches.map(({ channel }) => channel),
];

export function createExchange(product: Product, model: Model, see: (what: string) => void): Exchange {
  const { time, phones } = product;
  const calls: Call[] = [];
  let settled = new Map<string, Settled>();

  const passTo = async (until: number): Promise<void> => {
    for (let to = until; ; to += APART_MS) {
      for (let next = time.nextAt(); next <= to; next = time.nextAt()) {
        time.moveTo(next);
        time.fire();
        await catchUp();
        await endWhatWasKilled();
      }
      time.moveTo(to);
      const over = model.over();
      const forgotten = over.filter(({ endsAt }) => endsAt < time.now() - APART_MS);
      expect({ notCut: forgotten }).toEqual({ notCut: [] });
      if (over.length === 0) return;
    }
  };

  /** No two talks share their milliseconds, so that no two pulses begin at one instant. */
  const passToAFreeInstant = async (): Promise<void> => {
    const taken = new Set([...model.live.values()].map(({ answeredAt = -1 }) => answeredAt % 1000));
    let at = time.now() + APART_MS;
    while (taken.has(at % 1000)) at += 1;
    await passTo(at);
  };

  /** Waits until the product is done, and settles what FreeSWITCH has told the end of. */
  const catchUp = async (): Promise<void> => {
    await product.settled();
    for (const channel of phones.completed()) {
      for (const { metered } of calls) {
        for (const [key, on] of metered) {
          if (on !== channel || model.live.get(key)?.goneAt === undefined) continue;
          if ((model.live.get(key)?.ranDry.size ?? 0) > 0) see('ran dry and went on');
          const charged = model.settle(key);
          if (charged !== undefined) settled.set(key, charged);
          metered.delete(key);
        }
      }
    }
  };

  const endWhatWasKilled = async (): Promise<void> => {
    for (const channel of phones.killed()) {
      const call = calls.find((each) => channelsOf(each).includes(channel));
      // Its end was told and is not settled yet: there is nothing to kill.
      if (call === undefined || !isUp(channel)) continue;
      const isOver = model.over().some(({ key }) => call.metered.get(key) === channel);
      const told = { killed: channel.uuid, why: product.lastCut(channel.uuid) };
      expect({ ...told, isOver }).toEqual({ ...told, isOver: true });
      see('cut');
      await hangUp(call, [channel]);
    }
  };

  /** Nobody will answer it any more. A call from outside that rang is settled like any other, for nothing. */
  const giveBack = (call: Call, key: string): void => {
    if (model.live.get(key)?.answeredAt !== undefined) return;
    model.giveBack(key);
    call.metered.delete(key);
  };

  const ask: Exchange['ask'] = async (call, who, branches) => {
    call.pass += 1;
    const kept = [...call.metered.keys()];
    // What brought a forwarded call here stays; any other call is decided anew.
    if (!who.isForwarded) for (const key of kept) giveBack(call, key);
    const cameFromOutside = kept.some((key) => {
      const live = model.live.get(key);
      return live !== undefined && isPublic(live);
    });
    const wanted = branches.map((branch, index) => {
      const name = `b${index + 1}`;
      const key = `${call.a.uuid}.${call.pass}:${name}`;
      const connection: Connection = {
        ...branch,
        key,
        caller: who.caller,
        routes: [...new Set(branch.routes)],
        forwardedFromOutside: who.isForwarded && cameFromOutside,
        isEmergency: branch.number === EMERGENCY,
      };
      return { name, key, verdict: model.admit(connection) };
    });
    const answer = await phones.ask(call.a, product.keeper);
    await catchUp();
    const said = product.decisions();
    for (const { key, verdict } of wanted) compareVerdict(key, verdict, said);
    const verdicts = wanted.map(({ verdict }) => verdict);
    for (const verdict of verdicts) note(verdict, see);
    compareAnswer(answer, verdicts);
    const admitted = wanted.filter(({ verdict }) => verdict.kind === 'admitted');
    call.branches = admitted.map(({ name, key }) => ({ name, key, channel: undefined }));
    // The charge follows the public leg: of a call from outside to one account, the caller's own.
    const isMeteredOnA = who.caller === undefined && branches.length === 1;
    for (const { key } of admitted) call.metered.set(key, isMeteredOnA ? call.a : undefined);
    if (admitted.length === 0) await hangUp(call, [call.a]);
    else for (const branch of call.branches) await ring(call, branch);
  };

  const place: Exchange['place'] = async (variables, who, branches) => {
    const a = phones.place(branches[0]?.number ?? '', variables);
    const call: Call = {
      a,
      pass: 0,
      branches: [],
      talksWith: undefined,
      isParted: false,
      metered: new Map(),
    };
    calls.push(call);
    await catchUp();
    await ask(call, who, branches);
  };

  const ring: Exchange['ring'] = async (call, branch) => {
    // A dial to a single destination has no name of a branch to give to the leg.
    const isList = call.a.variables.get('tollgate_bridge')?.includes('},{') === true;
    branch.channel = phones.ring(call.a, isList ? branch.name : undefined);
    if (call.metered.get(branch.key) !== call.a) call.metered.set(branch.key, branch.channel);
    await catchUp();
  };

  const stopRinging: Exchange['stopRinging'] = async (call, cause) => {
    for (const { channel } of call.branches.filter(isRinging)) {
      if (channel !== undefined) phones.hangUp(channel, cause);
    }
    await catchUp();
  };

  const answer: Exchange['answer'] = async (call, branch) => {
    await passToAFreeInstant();
    const { channel } = branch;
    if (channel === undefined || !isRinging(branch)) return;
    call.talksWith = branch;
    phones.answer(channel);
    await catchUp();
    if (call.metered.get(branch.key) === channel) model.answer(branch.key);
    for (const other of call.branches) if (other !== branch) giveBack(call, other.key);
    await stopRinging(call, 'LOSE_RACE');
    await passToAFreeInstant();
    if (!isUp(call.a) || !isUp(channel)) return;
    phones.answer(call.a);
    phones.bridge(call.a, channel);
    await catchUp();
    for (const [key, on] of call.metered) if (on === call.a) model.answer(key);
    see('answered');
  };

  const hangUp: Exchange['hangUp'] = async (call, channels) => {
    const { a, talksWith, isParted } = call;
    const all = new Set(channels);
    // What was put together ends together, and nobody rings for a caller who is gone.
    if (talksWith !== undefined && !isParted && (all.has(a) || all.has(talksWith.channel))) {
      all.add(a).add(talksWith.channel);
    }
    if (all.has(a)) for (const branch of call.branches) if (isRinging(branch)) all.add(branch.channel);
    for (const channel of all) {
      if (channel === undefined || !isUp(channel)) continue;
      phones.hangUp(channel, 'NORMAL_CLEARING');
      for (const [key, on] of call.metered) if (on === channel) goes(call, key);
    }
    const isGone = !isUp(a);
    for (const key of call.metered.keys()) if (isGone && isUnanswered(call, key)) giveBack(call, key);
    await catchUp();
    // A caller who waits and holds nothing any more is no call.
    if (!isGone && call.metered.size === 0) await hangUp(call, [a]);
  };

  const isUnanswered = (call: Call, key: string): boolean =>
    model.live.get(key)?.answeredAt === undefined && call.metered.get(key) !== call.a;

  const goes = (call: Call, key: string): void => {
    if (model.live.get(key)?.answeredAt === undefined && call.metered.get(key) !== call.a) return;
    model.goes(key);
  };

  const part: Exchange['part'] = async (call) => {
    const other = call.talksWith?.channel;
    if (other === undefined || !phones.areBridged(call.a, other)) return;
    call.isParted = true;
    phones.unbridge(call.a, other);
    await catchUp();
    see('parted');
  };

  return {
    calls,
    place,
    ask,
    ring,
    stopRinging,
    answer,
    hangUp,
    part,
    pass: (ms) => passTo(time.now() + ms),
    settled() {
      const all = settled;
      settled = new Map();
      return all;
    },
  };
}

/** What the acts have reached, for a run is no proof of what it never met. */
function note(verdict: Verdict, see: (what: string) => void): void {
  if (verdict.kind === 'refused') {
    const [first] = verdict.oneOf;
    for (const reason of first?.because ?? []) see(`refused: ${reason}`);
    const holder = first?.holder ?? '';
    see(holder.startsWith('route ') ? 'refused by a route' : `refused at level ${holder.split('/').length}`);
    return;
  }
  see(`decision: ${verdict.decision}`);
  for (const { way } of verdict.payments) see(`paid: ${way}`);
  if (verdict.payments.filter(({ way }) => way === 'per_minute').length > 1) see('paid by several');
}
