/** The channel variables between the dialplan and Tollgate. README's table is held against this one. */
type ChannelVariable = { readonly name: string; readonly doc: string };

export const VARIABLES_READ = {
  account: {
    name: 'tollgate_account',
    doc: 'The account that places the call. Where it is unset, the configured fallbacks are read (`accountcode`).',
  },
  callee: {
    name: 'tollgate_callee',
    doc: 'The account that is called, where the destination is one of ours.',
  },
  forwarder: {
    name: 'tollgate_forwarder',
    doc: 'The account that forwards: the caller of a forwarded branch.',
  },
  routes: {
    name: 'tollgate_route',
    doc: 'The trunk or routing rule towards somewhere that is not ours; several separated by commas.',
  },
  options: {
    name: 'tollgate_options',
    doc: 'What the call asks of its rate, several separated by commas: a rate that has `options` prices it only if all of these are among them.',
  },
  destination: {
    name: 'tollgate_destination',
    doc: 'The number to rate and to match. Unset: the number that was dialled.',
  },
  customer: {
    name: 'tollgate_customer',
    doc: 'A customer that need not be stored: his calls, wherever they are, share what the next seven give him. Without `tollgate_account` he stands for himself, with it he is counted and charged below that account, and the fallbacks are not read.',
  },
  maxCredit: {
    name: 'tollgate_max_credit',
    doc: "The customer's money for all of his calls: `100.00`. A larger one of a later call raises it, a smaller one is ignored; when it is spent, all of them end.",
  },
  connect: { name: 'tollgate_connect', doc: 'With `tollgate_max_credit`: what the answer costs.' },
  cps: { name: 'tollgate_cps', doc: 'With `tollgate_max_credit`: the price of a second.' },
  ipulse: {
    name: 'tollgate_ipulse',
    doc: 'With `tollgate_max_credit`: the seconds of the first pulse. Unset: 60.',
  },
  fpulse: {
    name: 'tollgate_fpulse',
    doc: 'With `tollgate_max_credit`: the seconds of each further pulse. Unset, or 0: 60.',
  },
  maxTime: {
    name: 'tollgate_max_time',
    doc: 'Seconds of talk for all calls of the customer together, beside the money. When they are used up, all of them end.',
  },
  maxChannels: { name: 'tollgate_max_channels', doc: 'How many calls the customer may have at once.' },
  bridge: {
    name: 'tollgate_bridge',
    doc: 'What Tollgate is to bridge: a dial string, or a JSON list of branches {dial, callee, route, destination} of which it bridges the admitted ones. Unset: the dialplan goes on.',
  },
  admission: {
    name: 'tollgate_admission',
    doc: 'The admission that a placed leg belongs to. Exported by Tollgate, inherited by the legs of the call.',
  },
  branch: { name: 'tollgate_branch', doc: "The admission's branch that a placed leg is." },
  home: {
    name: 'tollgate_home',
    doc: "The root account that keeps the admission's record; inherited like it.",
  },
  branches: {
    name: 'tollgate_branches',
    doc: 'On the A-leg: what its passes of a gate hold, each pass:branch:root, separated by commas.',
  },
  metered: {
    name: 'tollgate_metered',
    doc: 'On an A-leg that is metered itself (a call from a route): by which of its branches.',
  },
  exportVars: { name: 'export_vars', doc: "FreeSWITCH's own list of exported variables; it is extended." },
  next: {
    name: 'tollgate_next',
    doc: 'Gate `park`: the extension of the same context to go on at. Unset: the number that was dialled.',
  },
  asks: { name: 'tollgate_ask', doc: 'Gate `park`: `true` when this parked leg waits for a decision.' },
} as const satisfies Readonly<Record<string, ChannelVariable>>;

export const VARIABLES_WRITTEN = {
  decision: {
    name: 'tollgate_decision',
    doc: '`admitted`, `refused`, `dry_run`, `unrestricted`, `soft`, `emergency` or `store_down`. Unset means that nobody decided: refuse.',
  },
  reason: { name: 'tollgate_reason', doc: 'Why, in one word.' },
  limit: { name: 'tollgate_limit', doc: 'The limit that refused.' },
  accountLimited: { name: 'tollgate_account_limited', doc: 'The account or route whose limit refused.' },
  fundedSeconds: {
    name: 'tollgate_funded_seconds',
    doc: 'How long the call could last on what there is now.',
  },
  cause: { name: 'tollgate_cause', doc: 'The hang-up cause of a refusal.' },
  branches: {
    name: 'tollgate_branches',
    doc: 'What this and earlier passes hold: pass:branch:root, separated by commas.',
  },
  metered: { name: 'tollgate_metered', doc: 'By which of them the A-leg itself is metered.' },
  home: {
    name: 'tollgate_home',
    doc: "The root account that keeps the admission's record, exported like it.",
  },
  admission: { name: 'tollgate_admission', doc: 'The admission, exported to the legs that the call places.' },
  admittedDestination: {
    name: 'tollgate_admitted_destination',
    doc: 'The destination that was decided for. A call that goes elsewhere passes the gate again.',
  },
} as const satisfies Readonly<Record<string, ChannelVariable>>;

/** Read, in this order, where `tollgate_account` is unset. */
export const DEFAULT_ACCOUNT_FALLBACKS: readonly string[] = ['accountcode'];
