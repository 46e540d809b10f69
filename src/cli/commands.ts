import { ACCOUNT_COMMANDS } from '../cli-accounts/account-commands.ts';
import { MONEY_COMMANDS } from '../cli-accounts/money-commands.ts';
import { ROUTE_COMMANDS } from '../cli-accounts/route-commands.ts';
import { SHADOW_COMMANDS } from '../cli-accounts/shadow-commands.ts';
import { CHECK_COMMAND } from '../cli-calls/check-command.ts';
import { CUSTOMER_COMMANDS } from '../cli-calls/customer-commands.ts';
import { EXPLAIN_COMMAND } from '../cli-calls/explain-command.ts';
import { LIVE_COMMANDS } from '../cli-calls/live-commands.ts';
import { CDR_IMPORT_COMMAND } from '../cli-cdrs/cdr-import-command.ts';
import { RECONCILE_COMMAND } from '../cli-cdrs/reconcile-command.ts';
import { PRICE_COMMAND } from '../cli-rating/price-command.ts';
import { STATEMENT_COMMAND } from '../cli-rating/statement-command.ts';
import { TARIFF_COMMANDS } from '../cli-rating/tariff-commands.ts';
import { VERIFY_COMMAND } from '../cli-rating/verify-command.ts';
import { RERATE_COMMANDS } from '../cli-rerate/rerate-commands.ts';
import { WHATIF_COMMAND } from '../cli-rerate/whatif-command.ts';
import type { Command } from '../command-line/command.ts';
import { CONFIG_COMMANDS } from './config-commands.ts';

const SERVE_COMMAND: Command = {
  name: 'serve',
  summary: 'runs the service until it is told to stop',
  operands: [],
  flags: {},
  run: async (_line, context) => {
    const code = await context.serve(context.config());
    return { done: code === 0, json: { stopped: true, code }, lines: [] };
  },
};

/** Everything the command line can do, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  SERVE_COMMAND,
  ...ACCOUNT_COMMANDS,
  ...SHADOW_COMMANDS,
  ...MONEY_COMMANDS,
  ...ROUTE_COMMANDS,
  ...TARIFF_COMMANDS,
  PRICE_COMMAND,
  CHECK_COMMAND,
  ...LIVE_COMMANDS,
  ...CUSTOMER_COMMANDS,
  EXPLAIN_COMMAND,
  STATEMENT_COMMAND,
  ...RERATE_COMMANDS,
  WHATIF_COMMAND,
  CDR_IMPORT_COMMAND,
  RECONCILE_COMMAND,
  VERIFY_COMMAND,
  ...CONFIG_COMMANDS,
];
