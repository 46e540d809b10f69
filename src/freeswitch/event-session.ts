import type { SwitchEvent } from '../calls/switch-event.ts';
import type { EpochMs } from '../units/time.ts';
import type { Log } from '../units/log.ts';
import type { CloseReason } from './close-reason.ts';
import type { Timing } from './timing.ts';

export type EventSessionOptions = {
  readonly heartbeatIntervalMs: number;
  readonly lagAlarmMs: number;
  readonly lagCloseMs: number;
  readonly timing: Timing;
  readonly log: Log;
  deliver(event: SwitchEvent): void;
  /** The stream cannot be trusted any more: the connection is to end. */
  giveUp(reason: CloseReason): void;
};

/** Beyond this FreeSWITCH itself starts to drop events, and a resync knows more than the backlog does. */
const HELD_EVENTS_MAX = 100_000;
const MISSED_HEARTBEATS = 2.5;
/** Long enough to see an event that met no queue, short enough that two drifting clocks do not look like lag. */
const LAG_WINDOW_MS = 5 * 60_000;

/**
 * The events of one connection: holding → live. Held while the listener's `onUp` runs, then given in order.
 * Watches the heartbeat, and how far events lag behind the fastest of late: the two clocks need not agree.
 */
export class EventSession {
  readonly #options: EventSessionOptions;
  #held: SwitchEvent[] | undefined = [];
  #cancelWatchdog: () => void;
  #leastDelayMs = Number.POSITIVE_INFINITY;
  #leastDelayBeforeMs = Number.POSITIVE_INFINITY;
  #windowEndsAt = 0;
  #lagMs = 0;
  #alarmed = false;
  #ended = false;

  constructor(options: EventSessionOptions) {
    this.#options = options;
    this.#cancelWatchdog = this.#watch();
  }

  get lagMs(): number {
    return this.#lagMs;
  }

  receive(event: SwitchEvent): void {
    if (this.#ended) return;
    if (event.kind === 'heartbeat') {
      this.#cancelWatchdog();
      this.#cancelWatchdog = this.#watch();
      this.#measureLag(event.occurredAt, event.receivedAt);
    } else if (event.kind !== 'shutdown') {
      this.#measureLag(event.leg.occurredAt, event.leg.receivedAt);
    }
    if (this.#held === undefined) return this.#deliver(event);
    this.#held.push(event);
    if (this.#held.length > HELD_EVENTS_MAX) this.#options.giveUp('limit');
  }

  /** Gives what was held; from here on events pass straight through. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const event of held) this.#deliver(event);
  }

  end(): void {
    this.#ended = true;
    this.#held = undefined;
    this.#cancelWatchdog();
  }

  #deliver(event: SwitchEvent): void {
    if (this.#ended) return;
    try {
      this.#options.deliver(event);
    } catch (err) {
      this.#options.log.error({ err, kind: event.kind }, 'event handler failed');
    }
  }

  #watch(): () => void {
    return this.#options.timing.after(this.#options.heartbeatIntervalMs * MISSED_HEARTBEATS, () => {
      this.#options.log.warn({}, 'heartbeat is missing');
      this.#options.giveUp('timeout');
    });
  }

  #measureLag(occurredAt: EpochMs, receivedAt: EpochMs): void {
    const delayMs = receivedAt - occurredAt;
    if (receivedAt >= this.#windowEndsAt) {
      this.#windowEndsAt = receivedAt + LAG_WINDOW_MS;
      this.#leastDelayBeforeMs = this.#leastDelayMs;
      this.#leastDelayMs = delayMs;
    }
    this.#leastDelayMs = Math.min(this.#leastDelayMs, delayMs);
    this.#lagMs = delayMs - Math.min(this.#leastDelayMs, this.#leastDelayBeforeMs);
    if (this.#lagMs > this.#options.lagCloseMs) {
      this.#options.log.warn({ lagMs: this.#lagMs }, 'events are too late to be of use');
      this.#options.giveUp('lost-events-notice');
    } else if (this.#lagMs > this.#options.lagAlarmMs !== this.#alarmed) {
      this.#alarmed = !this.#alarmed;
      this.#options.log.warn({ lagMs: this.#lagMs }, this.#alarmed ? 'events lag' : 'events no longer lag');
    }
  }
}
