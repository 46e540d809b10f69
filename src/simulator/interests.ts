import type { EventFormat, SwitchEvent } from './event.ts';

/** All that FreeSWITCH 1.10 knows; any other word in a subscription is passed over. */
const EVENT_NAMES = new Set(
  (
    'CUSTOM CLONE CHANNEL_CREATE CHANNEL_DESTROY CHANNEL_STATE CHANNEL_CALLSTATE CHANNEL_ANSWER CHANNEL_HANGUP ' +
    'CHANNEL_HANGUP_COMPLETE CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_HOLD CHANNEL_UNHOLD CHANNEL_BRIDGE ' +
    'CHANNEL_UNBRIDGE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_OUTGOING CHANNEL_PARK CHANNEL_UNPARK ' +
    'CHANNEL_APPLICATION CHANNEL_ORIGINATE CHANNEL_UUID CHANNEL_DATA API LOG INBOUND_CHAN OUTBOUND_CHAN STARTUP ' +
    'SHUTDOWN PUBLISH UNPUBLISH TALK NOTALK SESSION_CRASH MODULE_LOAD MODULE_UNLOAD DTMF MESSAGE PRESENCE_IN ' +
    'PRESENCE_OUT PRESENCE_PROBE MESSAGE_WAITING ROSTER CODEC BACKGROUND_JOB DETECTED_SPEECH PRIVATE_COMMAND ' +
    'HEARTBEAT TRAP ADD_SCHEDULE DEL_SCHEDULE EXE_SCHEDULE RE_SCHEDULE RELOADXML NOTIFY SEND_MESSAGE RECV_MESSAGE ' +
    'REQUEST_PARAMS CHANNEL_DATA GENERAL COMMAND SESSION_HEARTBEAT CLIENT_DISCONNECTED SERVER_DISCONNECTED ' +
    'SEND_INFO RECV_INFO CALL_SECURE NAT RECORD_START RECORD_STOP PLAYBACK_START PLAYBACK_STOP CALL_UPDATE FAILURE ' +
    'SOCKET_DATA MEDIA_BUG_START MEDIA_BUG_STOP'
  ).split(' '),
);

/** What `myevents` listens to: CHANNEL_CALLSTATE is not among them (12a). */
const OWN_EVENTS = (
  'CHANNEL_ANSWER CHANNEL_APPLICATION CHANNEL_BRIDGE CHANNEL_CREATE CHANNEL_DATA CHANNEL_DESTROY CHANNEL_EXECUTE ' +
  'CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE CHANNEL_ORIGINATE CHANNEL_OUTGOING CHANNEL_PARK ' +
  'CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_STATE CHANNEL_UNBRIDGE CHANNEL_UNPARK CALL_UPDATE CHANNEL_UUID ' +
  'DETECTED_SPEECH DTMF NOTALK TALK'
).split(' ');

type Filter = { readonly header: string; readonly value: string; readonly isNegative: boolean };

/** What one connection has subscribed to. All of it vanishes with the connection. */
export class Interests {
  #format: EventFormat = 'plain';
  #isListening = false;
  #wantsAll = false;
  readonly #names = new Set<string>();
  readonly #subclasses = new Set<string>();
  #filters: Filter[] = [];
  #onlyUuid: string | undefined;

  get format(): EventFormat {
    return this.#format;
  }

  wants(name: string, subclass: string | undefined): boolean {
    if (!this.#isListening) return false;
    if (this.#wantsAll) return true;
    if (!this.#names.has(name)) return false;
    return name !== 'CUSTOM' || this.#subclasses.has(subclass ?? '');
  }

  accepts(event: SwitchEvent): boolean {
    if (this.#onlyUuid !== undefined && event.uuid !== this.#onlyUuid) return false;
    return this.#filters.length === 0 || this.#passesFilters(event);
  }

  /** `event [plain|json|xml] NAME … [CUSTOM subclass …]`; an unknown word is passed over, an unknown format too. */
  subscribe(words: readonly string[]): string {
    let count = 0;
    let isSubclass = false;
    for (const [index, word] of words.entries()) {
      if (index === 0 && (word === 'plain' || word === 'json' || word === 'xml')) {
        this.#format = word;
      } else if (isSubclass) {
        this.#subclasses.add(word);
      } else {
        const name = word.toUpperCase();
        if (name === 'ALL') this.#wantsAll = true;
        else if (EVENT_NAMES.has(name)) this.#names.add(name);
        else continue;
        isSubclass = name === 'CUSTOM';
        count += 1;
      }
    }
    if (count === 0) return '-ERR no keywords supplied';
    this.#isListening = true;
    return `+OK event listener enabled ${this.#format}`;
  }

  /** `myevents`: one leg's events and no other's, whatever was subscribed to before. */
  subscribeOwn(uuid: string, format: string | undefined): void {
    this.subscribe([format === 'json' || format === 'xml' ? format : 'plain', ...OWN_EVENTS]);
    this.#onlyUuid = uuid;
  }

  /** Takes names off again; after CUSTOM the words are subclasses here too. */
  nix(words: readonly string[]): string {
    let count = 0;
    let isSubclass = false;
    for (const word of words) {
      const name = word.toUpperCase();
      if (isSubclass) this.#subclasses.delete(word);
      else if (name === 'ALL') this.#clear();
      else if (EVENT_NAMES.has(name)) this.#names.delete(name);
      else continue;
      isSubclass ||= name === 'CUSTOM';
      count += 1;
    }
    return count === 0 ? '-ERR no keywords supplied' : '+OK events nixed';
  }

  stop(): string {
    if (!this.#isListening) return '-ERR not listening for events';
    this.#clear();
    return '+OK no longer listening for events';
  }

  filter(argument: string): string {
    const [first = '', ...rest] = argument.split(' ');
    if (first.toLowerCase() === 'delete') return this.#deleteFilter(rest[0] ?? '', rest.slice(1).join(' '));
    const words = first.toLowerCase() === 'add' ? rest : [first, ...rest];
    const value = words.slice(1).join(' ');
    const header = words[0] ?? '';
    if (header === '' || value === '') return '-ERR invalid syntax';
    this.#filters.push({ header: header.replace(/^[-+]/, ''), value, isNegative: header.startsWith('-') });
    return `+OK filter added. [${header}]=[${value}]`;
  }

  #deleteFilter(header: string, value: string): string {
    const goes = (filter: Filter): boolean =>
      header === 'all' || (filter.header === header && (value === '' || filter.value === value));
    this.#filters = this.#filters.filter((filter) => !goes(filter));
    return `+OK filter deleted. [${header}][${value}]`;
  }

  /** Filters are ORed; one negative match drops; an event that lacks every filtered header is dropped. */
  #passesFilters(event: SwitchEvent): boolean {
    let passes = false;
    for (const filter of this.#filters) {
      const actual = event.header(filter.header);
      if (actual === undefined || !matches(filter.value, actual)) continue;
      if (filter.isNegative) return false;
      passes = true;
    }
    return passes;
  }

  #clear(): void {
    this.#isListening = false;
    this.#wantsAll = false;
    this.#names.clear();
    this.#subclasses.clear();
  }
}

/** Between slashes it is a regular expression, otherwise the whole value without regard to case. */
function matches(wanted: string, actual: string): boolean {
  const pattern = /^\/(.*)\/$/.exec(wanted)?.[1];
  return pattern === undefined
    ? actual.toLowerCase() === wanted.toLowerCase()
    : new RegExp(pattern).test(actual);
}
