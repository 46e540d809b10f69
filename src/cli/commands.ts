import { ACCOUNT_COMMANDS } from './account-commands.ts';
import { CDR_IMPORT_COMMAND } from './cdr-import-command.ts';
import { CHECK_COMMAND } from './check-command.ts';
import type { Command } from './command.ts';
import { CONFIG_COMMANDS } from './config-commands.ts';
import { CUSTOMER_COMMANDS } from './customer-commands.ts';
import { EXPLAIN_COMMAND } from './explain-command.ts';
import { LIVE_COMMANDS } from './live-commands.ts';
import { MONEY_COMMANDS } from './money-commands.ts';
import { PRICE_COMMAND } from './price-command.ts';
import { RECONCILE_COMMAND } from './reconcile-command.ts';
import { RERATE_COMMANDS } from './rerate-commands.ts';
import { ROUTE_COMMANDS } from './route-commands.ts';
import { SHADOW_COMMANDS } from './shadow-commands.ts';
import { STATEMENT_COMMAND } from './statement-command.ts';
import { TARIFF_COMMANDS } from './tariff-commands.ts';
import { VERIFY_COMMAND } from './verify-command.ts';
import { WHATIF_COMMAND } from './whatif-command.ts';

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
