import type { DialplanView } from '../../src/simulator/core.ts';
import type { Action } from '../../src/simulator/leg.ts';
import type { Call } from './cases.ts';

type Dialled = {
  readonly from: string;
  readonly to: string;
  readonly variables: Readonly<Record<string, string>>;
};

/** How a case's names are known to the service, and which of them are accounts. */
export type Naming = {
  readonly named: (name: string) => string;
  readonly isAccount: (name: string) => boolean;
};

/** `alice → carrier at 4930123`: an account or a route on each side. */
const CALL = /^(\S+) → (\S+?)(?: by (\S+))?(?: at (\d+))?(?:, forwarded to (\S+?)(?: at (\d+))?)?$/;

/** What the dialplan sets on a call that a case writes so. */
export function variablesOf(call: Call, { named, isAccount }: Naming): Dialled {
  const text = typeof call === 'string' ? call : call.call;
  const [, from = '', to = '', by, at, forwardedTo, forwardedAt] = CALL.exec(text) ?? [];
  if (to === '') throw new Error(`"${text}" is no call`);
  const variables: Record<string, string> = {};
  if (isAccount(from)) variables['tollgate_account'] = named(from);
  if (isAccount(to)) variables['tollgate_callee'] = named(to);
  const routes = [
    ...(isAccount(from) ? [] : [from]),
    ...(isAccount(to) ? [] : [to]),
    ...(by?.split('+') ?? []),
  ];
  if (routes.length > 0) variables['tollgate_route'] = routes.map(named).join(',');
  const number = at ?? (isAccount(to) ? '1001' : '4930123');
  const forwarder = `tollgate_forwarder=${named(to)}`;
  if (forwardedTo !== undefined) {
    const side = isAccount(forwardedTo) ? 'callee' : 'route';
    const extension = forwardedAt ?? (isAccount(forwardedTo) ? '1002' : '4930999');
    variables['test_forward'] = `${extension} ${forwarder} tollgate_${side}=${named(forwardedTo)}`;
  }
  if (typeof call !== 'string') {
    const bridge = JSON.stringify(call.fork.map((name) => branchOf(name, { named, isAccount })));
    // A rule of the called account comes after the call has reached it: a second pass of the gate.
    if (call.forwards === true) {
      variables['test_forward'] = ['icr', forwarder, `tollgate_bridge=${bridge}`].join(' ');
    } else variables['tollgate_bridge'] = bridge;
  }
  return { from: '0804188581', to: number, variables };
}

/** `carrier at 0804993222`, or an account whose phone is to ring. */
function branchOf(text: string, { named, isAccount }: Naming): Readonly<Record<string, string>> {
  const [name = '', number] = text.split(' at ');
  const phone = name.split('/').at(-1) ?? '';
  if (isAccount(name)) return { dial: `user/${phone}`, callee: named(name), destination: phone };
  const destination = number ?? '4930123';
  return { dial: `sofia/gateway/carrier/${destination}`, route: named(name), destination };
}

/** What the dialplan does with a call that was let through: out by its route, else to the phone of the callee. */
export function onward(call: DialplanView): readonly Action[] {
  const forwardTo = call.variable('test_forward');
  if (forwardTo !== undefined) {
    const [extension = '', ...variables] = forwardTo.split(' ');
    return [
      ['unset', 'test_forward'],
      ['unset', 'tollgate_callee'],
      ['unset', 'tollgate_route'],
      ...variables.map((variable) => ['set', variable] as const),
      ['transfer', extension],
    ];
  }
  const callee = call.variable('tollgate_callee')?.split('/').at(-1);
  const route = call.variable('tollgate_route')?.split(',').at(-1);
  // From a route, or within the house, it is the callee's phone that rings.
  const isOut = route !== undefined && call.variable('tollgate_account') !== undefined;
  const address =
    isOut || callee === undefined ? `gateway/${route ?? 'none'}/${call.destination}` : `user/${callee}`;
  return [
    ['set', 'hangup_after_bridge=true'],
    ['bridge', `sofia/${address}`],
  ];
}
