import { SwitchEvent, type Header } from './event.ts';
import type { Faults } from './faults.ts';
import type { Kernel } from './thread.ts';

export type EventListener = {
  wants(name: string, subclass: string | undefined): boolean;
  accepts(event: SwitchEvent): boolean;
  deliver(event: SwitchEvent): void;
};

/** Who fires, for the first headers of every event. */
export type EventSource = {
  readonly coreUuid: string;
  readonly hostname: string;
  readonly switchname: string;
  /** FreeSWITCH's clock, which need not be ours. */
  nowMicros(): number;
};

export type EventExtra = { readonly subclass?: string; readonly body?: string };

type Held = { readonly event: SwitchEvent; readonly until: (next: SwitchEvent) => boolean };

export class EventBus {
  readonly #source: EventSource;
  readonly #kernel: Kernel;
  readonly #faults: Faults;
  readonly #listeners = new Set<EventListener>();
  #held: Held[] = [];
  #sequence = 0;
  #stampedSecond = -1;
  #localDate = '';
  #gmtDate = '';

  constructor(source: EventSource, kernel: Kernel, faults: Faults) {
    this.#source = source;
    this.#kernel = kernel;
    this.#faults = faults;
  }

  listen(listener: EventListener): void {
    this.#listeners.add(listener);
  }

  forget(listener: EventListener): void {
    this.#listeners.delete(listener);
  }

  /**
   * The number counts every event created, wanted or not, so gaps in it mean nothing. Headers are built only
   * for an event that somebody listens to.
   */
  fire(name: string, build: () => readonly Header[], extra: EventExtra = {}): void {
    this.#sequence += 1;
    if (!this.#isWanted(name, extra.subclass)) return;
    const event = new SwitchEvent(name, [...this.base(name, extra.subclass), ...build()], extra);
    const fate = this.#faults.fateOf(event);
    if (fate === 'drop') return;
    if (fate === 'deliver') this.#release(event);
    else if (fate === 'duplicate') {
      this.#release(event);
      this.#release(event);
    } else if (fate === 'swap') this.#held.push({ event, until: () => true });
    else if ('instead' in fate) this.#release(fate.instead);
    else if ('delayMs' in fate) this.#kernel.after(fate.delayMs, () => this.#release(event));
    else this.#held.push({ event, until: fate.holdUntil });
  }

  /** The headers that every event starts with, and that replies made of events (`connect`, `uuid_dump`) share. */
  base(name: string, subclass?: string): Header[] {
    const stampMicros = this.#source.nowMicros();
    this.#stamp(Math.floor(stampMicros / 1_000_000));
    const headers: Header[] = [
      ['Event-Name', name],
      ['Core-UUID', this.#source.coreUuid],
      ['FreeSWITCH-Hostname', this.#source.hostname],
      ['FreeSWITCH-Switchname', this.#source.switchname],
      ['FreeSWITCH-IPv4', '192.0.2.2'],
      ['FreeSWITCH-IPv6', 'fd00::2'],
      ['Event-Date-Local', this.#localDate],
      ['Event-Date-GMT', this.#gmtDate],
      ['Event-Date-Timestamp', String(stampMicros)],
      ['Event-Calling-File', 'simulator.c'],
      ['Event-Calling-Function', 'fire'],
      ['Event-Calling-Line-Number', '1'],
      ['Event-Sequence', String(this.#sequence)],
    ];
    if (subclass !== undefined) headers.splice(1, 0, ['Event-Subclass', subclass]);
    return headers;
  }

  #isWanted(name: string, subclass: string | undefined): boolean {
    for (const listener of this.#listeners) if (listener.wants(name, subclass)) return true;
    return false;
  }

  #release(event: SwitchEvent): void {
    for (const listener of this.#listeners) {
      if (listener.wants(event.name, event.subclass) && listener.accepts(event)) listener.deliver(event);
    }
    const freed = this.#held.filter((held) => held.until(event));
    if (freed.length === 0) return;
    this.#held = this.#held.filter((held) => !freed.includes(held));
    for (const held of freed) this.#release(held.event);
  }

  #stamp(second: number): void {
    if (second === this.#stampedSecond) return;
    this.#stampedSecond = second;
    this.#localDate = localDateOf(second);
    this.#gmtDate = new Date(second * 1000).toUTCString();
  }
}

/** `2026-11-22 07:11:47`; the simulated host lives in UTC. */
export function localDateOf(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
}
