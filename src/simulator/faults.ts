import type { SwitchEvent } from './event.ts';

/** What happens to one event on its way to all listeners. */
export type EventFate =
  | 'deliver'
  | 'drop'
  | 'duplicate'
  /** Changes places with the event after it. */
  | 'swap'
  | { readonly delayMs: number }
  /** Another event of the test's making, with a header missing or an answer time of zero. */
  | { readonly instead: SwitchEvent }
  /** Kept back until such an event has been delivered. */
  | { readonly holdUntil: (next: SwitchEvent) => boolean };

/** What happens to the reply to one command. The command itself is carried out in every case. */
export type ReplyFate =
  | 'deliver'
  | 'lose'
  | { readonly delayMs: number }
  /** Bytes of the test's own choosing, framing included. */
  | { readonly instead: Buffer };

/** A connection ends at this point of its traffic. */
export type Cut = {
  readonly at: 'auth-request' | 'reply' | 'event' | 'notice' | 'outbound-connect';
  /** `header` and `body` break the message there; `before` sends none of it. */
  readonly where: 'before' | 'header' | 'body' | 'after';
  readonly how: 'reset' | 'finish';
  /** How many such messages pass first. */
  readonly skip?: number;
};

export type EventRule = (event: SwitchEvent) => EventFate | undefined;
export type ReplyRule = (command: string) => ReplyFate | undefined;

/**
 * Everything that can be made to go wrong, by plain assignment; all of it starts out right. Rules are asked in
 * order and the first that has an opinion decides. `clear()` puts everything right again.
 */
export class Faults {
  readonly #eventRules: EventRule[] = [];
  readonly #replyRules: ReplyRule[] = [];
  #cuts: { readonly cut: Cut; left: number }[] = [];

  /** Connections are accepted and nothing at all is ever written to them. */
  isSilent = false;
  /** Each write is broken into pieces of so many bytes. */
  chunkBytes: number | undefined;
  /** Between two pieces; without it they follow as fast as the socket takes them. */
  chunkEveryMs: number | undefined;
  /** The last word on any bytes that leave, to spoil lengths, JSON or UTF-8. */
  mangle: ((bytes: Buffer, what: 'reply' | 'event' | 'notice' | 'auth-request') => Buffer) | undefined;
  /** CDR posting holds HANGUP_COMPLETE back for so long. */
  hangupCompleteDelayMs = 0;
  hasHeartbeat = true;
  /** Legs for which `uuid_kill` answers +OK and nothing happens. */
  isUnkillable: (uuid: string) => boolean = () => false;
  /** `frozen` goes on listing what was there when it was set. */
  channelTable: 'live' | 'frozen' | 'disabled' | 'empty' = 'live';
  /** `api` is answered as a refused command, the way a restricted user sees it. */
  isApiDenied = false;
  /** The scheduler's thread is held up by a slow task: everything due runs late by this. */
  schedulerLateMs = 0;
  /** FreeSWITCH's clock against true time; assign again for a jump. */
  clockOffsetMs = 0;

  onEvent(rule: EventRule): void {
    this.#eventRules.push(rule);
  }

  onReply(rule: ReplyRule): void {
    this.#replyRules.push(rule);
  }

  /** Once. Several cuts may wait at the same time. */
  cutAt(cut: Cut): void {
    this.#cuts.push({ cut, left: cut.skip ?? 0 });
  }

  clear(): void {
    this.#eventRules.length = 0;
    this.#replyRules.length = 0;
    this.#cuts = [];
    const right = new Faults();
    this.isSilent = right.isSilent;
    this.chunkBytes = right.chunkBytes;
    this.chunkEveryMs = right.chunkEveryMs;
    this.mangle = right.mangle;
    this.hangupCompleteDelayMs = right.hangupCompleteDelayMs;
    this.hasHeartbeat = right.hasHeartbeat;
    this.isUnkillable = right.isUnkillable;
    this.channelTable = right.channelTable;
    this.isApiDenied = right.isApiDenied;
    this.schedulerLateMs = right.schedulerLateMs;
    this.clockOffsetMs = right.clockOffsetMs;
  }

  fateOf(event: SwitchEvent): EventFate {
    for (const rule of this.#eventRules) {
      const fate = rule(event);
      if (fate !== undefined) return fate;
    }
    return 'deliver';
  }

  fateOfReply(command: string): ReplyFate {
    for (const rule of this.#replyRules) {
      const fate = rule(command);
      if (fate !== undefined) return fate;
    }
    return 'deliver';
  }

  takeCut(at: Cut['at']): Cut | undefined {
    const index = this.#cuts.findIndex((waiting) => waiting.cut.at === at);
    const waiting = this.#cuts[index];
    if (waiting === undefined) return undefined;
    if (waiting.left > 0) {
      waiting.left -= 1;
      return undefined;
    }
    this.#cuts.splice(index, 1);
    return waiting.cut;
  }
}
