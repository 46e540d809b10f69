import type { CommandContext } from './command.ts';
import type { LiveState } from './live-state.ts';

/**
 * Tells the controllers what has changed on record. A record that is written stays written: where Redis cannot be
 * asked, controllers find the change by themselves a little later, and the person is told so.
 */
export async function announce(
  context: CommandContext,
  tell: (live: LiveState) => Promise<void>,
): Promise<void> {
  try {
    await tell(await context.live());
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    context.say(`saved, but running controllers could not be told: ${reason}`);
  }
}
