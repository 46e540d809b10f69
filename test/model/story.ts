import { expect } from 'vitest';
import { compareState } from './comparing.ts';
import {
  channelsOf,
  createExchange,
  EMERGENCY,
  isRinging,
  isUp,
  type Branch,
  type Call,
  type CallBranch,
} from './exchange.ts';
import { rootOf, type AccountDocument, type House } from './house.ts';
import type { Model } from './model.ts';
import { micros } from './prices.ts';
import type { Product } from './product.ts';
import type { Act, Step, StepOf, Target } from './worlds.ts';

/** Plays the same acts to the product and to the model, and compares all that can be seen of them after each. */
export type Story = {
  play(act: Act): Promise<void>;
  /** Everybody hangs up. */
  finish(): Promise<void>;
};

type Steps = { readonly [Kind in Step['kind']]: (step: StepOf<Kind>) => Promise<void> };

export function createStory(product: Product, model: Model, see: (what: string) => void): Story {
  const { phones } = product;
  const exchange = createExchange(product, model, see);
  const { calls } = exchange;
  let transfers = 0;
  let played = 0;
  const accounts = (): readonly string[] => [...model.house.accounts.keys()];
  const ringing = (): readonly Call[] => calls.filter((call) => isUp(call.a) && call.talksWith === undefined);
  const talking = (): readonly Call[] =>
    calls.filter(({ a, talksWith }) => phones.areBridged(a, talksWith?.channel) && isUp(a));
  const anyUp = (): readonly Call[] => calls.filter((call) => channelsOf(call).some(isUp));
  const branchesOf = (all: readonly Call[]): readonly { call: Call; branch: CallBranch }[] =>
    all.flatMap((call) => call.branches.map((branch) => ({ call, branch })));

  const dial = async ({ shape, from: caller, target, others }: StepOf<'dial'>): Promise<void> => {
    const from = pickOf(accounts(), caller) ?? '';
    const to = pickOf(accounts(), target.account) ?? '';
    const { routes, number } = target;
    const route = { tollgate_route: routes.join(',') };
    const account = { tollgate_account: from };
    const callee = { tollgate_callee: to };
    const out = { caller: from, isForwarded: false };
    const outside = { caller: undefined, isForwarded: false };
    const forked = others.map((each) => branchOf(each, accounts()));
    switch (shape) {
      case 'out':
        return await exchange.place({ ...account, ...route }, out, [{ callee: undefined, routes, number }]);
      case 'in':
        return await exchange.place({ ...callee, ...route }, outside, [{ callee: to, routes, number }]);
      case 'inside':
        return await exchange.place({ ...account, ...callee }, out, [
          { callee: to, routes: [], number: EXTENSION },
        ]);
      case 'wholesale':
        return await exchange.place({ ...account, ...callee, ...route }, out, [
          { callee: to, routes, number },
        ]);
      case 'fork out':
        return await exchange.place({ ...account, tollgate_bridge: bridgeOf(forked) }, out, forked);
      case 'fork in': {
        const inbound = forked.map((each) => ({ callee: each.callee ?? to, routes, number }));
        return await exchange.place({ tollgate_bridge: bridgeOf(inbound) }, outside, inbound);
      }
      case 'emergency':
        return await exchange.place({ ...account, ...route }, out, [
          { callee: undefined, routes, number: EMERGENCY },
        ]);
      case 'nobody':
        return await dialAsNobody(number, routes);
    }
  };

  const dialAsNobody = async (number: string, routes: readonly string[]): Promise<void> => {
    const a = phones.place(number, { tollgate_account: 'nobody', tollgate_route: routes.join(',') });
    await product.settled();
    const { verb, variables } = await phones.ask(a, product.keeper);
    expect([verb.kind, variables.get('tollgate_reason')]).toEqual(['refuse', 'unknown_account']);
    phones.hangUp(a, 'CALL_REJECTED');
    await product.settled();
    product.decisions();
  };

  const setAccount = async (
    account: string | undefined,
    change: Partial<Pick<AccountDocument, 'operator' | 'customer' | 'defaults'>>,
  ): Promise<void> => {
    const before = model.house.accounts.get(account ?? '');
    if (before === undefined) return;
    const all = new Map([...model.house.accounts, [before.account, { ...before, ...change }]]);
    await setHouse({ ...model.house, accounts: all });
  };

  const setHouse = async (house: House): Promise<void> => {
    model.change(house);
    await product.change(house);
    see('limits changed');
  };

  const steps: Steps = {
    dial,
    async answer({ which }) {
      const chosen = pickOf(
        branchesOf(ringing()).filter(({ branch }) => isRinging(branch)),
        which,
      );
      if (chosen !== undefined) await exchange.answer(chosen.call, chosen.branch);
    },
    async 'hang up'({ which, callerFirst }) {
      const call = pickOf(anyUp(), which);
      if (call === undefined) return;
      const channels = channelsOf(call).filter(isUp);
      await exchange.hangUp(call, [callerFirst ? channels[0] : channels.at(-1)]);
    },
    /** A branch that rings no more leaves its admission with the caller, who may try another carrier. */
    async fail({ which }) {
      const rings = branchesOf(ringing()).filter(({ branch }) => isRinging(branch));
      const channel = pickOf(rings, which)?.branch.channel;
      if (channel !== undefined) phones.hangUp(channel, 'USER_BUSY');
      await product.settled();
    },
    async again({ which }) {
      const chosen = pickOf(
        branchesOf(ringing()).filter(({ branch }) => !isRinging(branch)),
        which,
      );
      if (chosen === undefined) return;
      await exchange.ring(chosen.call, chosen.branch);
      see('failover');
    },
    async part({ which }) {
      const call = pickOf(talking(), which);
      if (call !== undefined) await exchange.part(call);
    },
    /** The caller goes, and the other end talks on with whomever it was put through to. */
    async leave({ which }) {
      const call = pickOf(talking(), which);
      if (call === undefined) return;
      await exchange.part(call);
      await exchange.hangUp(call, [call.a]);
      see('caller left');
    },
    /** The other end goes, and the caller waits on the line. */
    async park({ which }) {
      const call = pickOf(talking(), which);
      if (call === undefined) return;
      await exchange.part(call);
      await exchange.hangUp(call, [call.talksWith?.channel]);
      see('caller parked');
    },
    async forward({ which, targets }) {
      const call = pickOf(
        ringing().filter((each) => each.pass === 1 && forwarderOf(each) !== undefined),
        which,
      );
      const forwarder = call && forwarderOf(call);
      if (call === undefined || forwarder === undefined) return;
      await exchange.stopRinging(call, 'NO_ANSWER');
      const branches = targets.map((each) => branchOf(each, accounts()));
      redirect(call, { tollgate_forwarder: forwarder, tollgate_bridge: bridgeOf(branches) });
      see('forwarded');
      await exchange.ask(call, { caller: forwarder, isForwarded: true }, branches);
    },
    async transfer({ which, targets }) {
      const call = pickOf(
        ringing().filter((each) => each.pass === 1),
        which,
      );
      const [target] = targets;
      if (call === undefined || target === undefined) return;
      await exchange.stopRinging(call, 'NO_ANSWER');
      const caller = call.a.variables.get('tollgate_account');
      const wanted = branchOf(target, accounts());
      // Somebody from outside reaches an account of ours; a caller of ours, whatever he dials.
      const callee = caller === undefined ? pickOf(accounts(), target.account) : wanted.callee;
      const branch = { ...wanted, callee };
      redirect(call, {
        tollgate_destination: branch.number,
        ...(callee === undefined ? {} : { tollgate_callee: callee }),
        ...(branch.routes.length === 0 ? {} : { tollgate_route: branch.routes.join(',') }),
      });
      see('transferred');
      await exchange.ask(call, { caller, isForwarded: false }, [branch]);
    },
    async operator({ which, to }) {
      const account = pickOf(accounts(), which);
      const { allotments, maxSpend, timeZone } = model.house.accounts.get(account ?? '')?.operator ?? {};
      // What is given anew by the calendar stays as it was.
      const given = { allotments, maxSpend, timeZone };
      const set = Object.entries(given).filter(([, value]) => value !== undefined);
      await setAccount(account, { operator: { ...to, ...Object.fromEntries(set) } });
    },
    customer: async ({ which, to }) => await setAccount(pickOf(accounts(), which), { customer: to }),
    async root({ which, to }) {
      const roots = accounts().filter((account) => rootOf(account) === account);
      await setAccount(pickOf(roots, which), { defaults: to });
    },
    service: async ({ to }) => await setHouse({ ...model.house, defaults: to }),
    async route({ which, to }) {
      const { routes } = model.house;
      const route = pickOf([...routes.keys()], which) ?? '';
      await setHouse({ ...model.house, routes: new Map([...routes, [route, { ...to, route }]]) });
    },
    async money({ which, amount }) {
      const account = pickOf(model.wallets, which);
      if (account === undefined) return;
      model.pay(account, micros(amount));
      await product.pay(account, micros(amount), `money-${(transfers += 1)}`);
    },
    wait: () => Promise.resolve(),
  };

  return {
    async play({ afterMs, step }) {
      await exchange.pass(afterMs);
      await steps[step.kind](step as never);
      played += 1;
      const extent = played % THOROUGH_EVERY === 0 ? 'thorough' : 'usual';
      await compareState(product, model, exchange.settled(), extent);
    },
    async finish() {
      await exchange.pass(0);
      for (const call of anyUp()) await exchange.hangUp(call, channelsOf(call));
      // What is told late is told by then.
      await exchange.pass(LATE_MS);
      await compareState(product, model, exchange.settled(), 'thorough');
    },
  };
}

const EXTENSION = '1002';
const LATE_MS = 10_000;
/** To look at everything after every act would take most of the time. */
const THOROUGH_EVERY = 10;

/** A target as it is dialled: an account's phone has an extension, and no route leads to it. */
function branchOf({ to, account, routes, number }: Target, accounts: readonly string[]): Branch {
  if (to === 'route') return { callee: undefined, routes, number };
  return { callee: pickOf(accounts, account), routes: [], number: EXTENSION };
}

function bridgeOf(branches: readonly Branch[]): string {
  return JSON.stringify(
    branches.map(({ callee, routes, number }) => ({
      dial: callee === undefined ? `sofia/gateway/carrier/${number}` : `user/${EXTENSION}`,
      ...(callee === undefined ? {} : { callee }),
      ...(routes.length === 0 ? {} : { route: routes.join(',') }),
      destination: number,
    })),
  );
}

/** The account that was called, and has a rule for calls that nobody answers. */
function forwarderOf({ a }: Call): string | undefined {
  const isWholesale = a.variables.has('tollgate_account') && a.variables.has('tollgate_route');
  return isWholesale ? undefined : a.variables.get('tollgate_callee');
}

/** The call is to go elsewhere: what the dialplan had said of its destination is said anew. */
function redirect(call: Call, variables: Readonly<Record<string, string>>): void {
  for (const name of ['callee', 'route', 'bridge', 'destination']) {
    call.a.variables.delete(`tollgate_${name}`);
  }
  for (const [name, value] of Object.entries(variables)) call.a.variables.set(name, value);
}

function pickOf<T>(list: readonly T[], which: number): T | undefined {
  return list[which % list.length];
}
