import type { Direction, Ender, Leg } from './leg.ts';

/**
 * What really happened to a leg, on true time (not on FreeSWITCH's clock, which a fault may have moved). Tests
 * hold the bills against it.
 */
export type LegTruth = {
  readonly uuid: string;
  readonly direction: Direction;
  readonly from: string;
  readonly destination: string;
  readonly name: string;
  readonly createdMicros: number;
  readonly answeredMicros: number | undefined;
  /** The moment of the hang-up itself. */
  readonly hungUpMicros: number | undefined;
  /** What FreeSWITCH bills to: its session thread notices a hang-up up to 20 ms later. */
  readonly endedMicros: number | undefined;
  readonly cause: string | undefined;
  readonly endedBy: Ender | 'shutdown' | 'crash' | undefined;
  /** When the kill arrived that ended it, or was arriving when something else did. */
  readonly killReceivedMicros: number | undefined;
  /** The final SIP answer an unanswered caller was given. */
  readonly sipStatus: number | undefined;
  /** The leg's variables, now or at its end; forgotten of legs that ended long ago. */
  variable(name: string): string | undefined;
};

type Entry = { -readonly [Field in keyof LegTruth]: LegTruth[Field] };

export type ReceivedCommand = {
  readonly atMicros: number;
  /** `api uuid_kill …` as one line, without the headers of a message. */
  readonly text: string;
};

/** Measuring runs place millions of calls; only the last ones are kept with all they had. */
const COMMANDS_KEPT_MAX = 10_000;
const ENDED_WITH_VARIABLES_MAX = 1000;

/** The simulator's own memory of calls and commands; it outlives a restart of the simulated FreeSWITCH. */
export class Ledger {
  readonly #entries = new Map<string, Entry>();
  readonly #commands: ReceivedCommand[] = [];
  readonly #ended: string[] = [];
  readonly #nowMicros: () => number;

  constructor(nowMicros: () => number) {
    this.#nowMicros = nowMicros;
  }

  legs(): readonly LegTruth[] {
    return [...this.#entries.values()];
  }

  leg(uuid: string): LegTruth | undefined {
    return this.#entries.get(uuid);
  }

  commands(): readonly ReceivedCommand[] {
    return this.#commands;
  }

  forgetEnded(): void {
    for (const [uuid, entry] of this.#entries)
      if (entry.endedMicros !== undefined) this.#entries.delete(uuid);
    this.#commands.length = 0;
  }

  created(leg: Leg): void {
    this.#entries.set(leg.uuid, {
      uuid: leg.uuid,
      direction: leg.direction,
      from: leg.profile.callerNumber,
      destination: leg.profile.destination,
      name: leg.name,
      createdMicros: this.#nowMicros(),
      answeredMicros: undefined,
      hungUpMicros: undefined,
      endedMicros: undefined,
      cause: undefined,
      endedBy: undefined,
      killReceivedMicros: undefined,
      sipStatus: undefined,
      variable: (name) => leg.variable(name),
    });
  }

  answered(uuid: string): void {
    this.#change(uuid, { answeredMicros: this.#nowMicros() });
  }

  hungUp(uuid: string, cause: string, endedBy: LegTruth['endedBy']): void {
    this.#change(uuid, { hungUpMicros: this.#nowMicros(), cause, endedBy });
  }

  ended(uuid: string): void {
    this.#change(uuid, { endedMicros: this.#nowMicros() });
    this.#ended.push(uuid);
    if (this.#ended.length < ENDED_WITH_VARIABLES_MAX * 2) return;
    for (const old of this.#ended.splice(0, ENDED_WITH_VARIABLES_MAX)) {
      this.#change(old, { variable: () => undefined });
    }
  }

  killReceived(uuid: string): void {
    if (this.#entries.get(uuid)?.killReceivedMicros === undefined) {
      this.#change(uuid, { killReceivedMicros: this.#nowMicros() });
    }
  }

  refused(uuid: string, sipStatus: number): void {
    this.#change(uuid, { sipStatus });
  }

  crashed(legs: Iterable<Leg>): void {
    const now = this.#nowMicros();
    for (const leg of legs) {
      const hungUpMicros = this.#entries.get(leg.uuid)?.hungUpMicros;
      if (hungUpMicros === undefined) this.#change(leg.uuid, { hungUpMicros: now, endedBy: 'crash' });
      this.#change(leg.uuid, { endedMicros: now });
    }
  }

  received(text: string): void {
    if (this.#commands.length >= COMMANDS_KEPT_MAX) this.#commands.splice(0, COMMANDS_KEPT_MAX / 2);
    this.#commands.push({ atMicros: this.#nowMicros(), text });
  }

  #change(uuid: string, change: Partial<Entry>): void {
    const entry = this.#entries.get(uuid);
    if (entry !== undefined) Object.assign(entry, change);
  }
}
