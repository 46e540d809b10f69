import { readFileSync } from 'node:fs';

const FOLDER = new URL('../../fixtures/wire/', import.meta.url);

/** Bytes as a FreeSWITCH 1.10.12 sent them. */
export function recordedBytes(name: string): Buffer {
  return readFileSync(new URL(`${name}.recv.bin`, FOLDER));
}

export type RecordedEvent = {
  readonly event: string;
  readonly uuid: string;
  readonly direction: string;
  readonly cause: string;
  readonly occurredMicroseconds: string;
  readonly billusec: string | undefined;
};

/** The events of a recording, as listed beside it when it was made. */
export function recordedEvents(name: string): readonly RecordedEvent[] {
  const lines = readFileSync(new URL(`${name}.events.tsv`, FOLDER), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1);
  return lines.map((line) => {
    const [
      ,
      ,
      event = '',
      uuid = '',
      direction = '',
      ,
      ,
      cause = '',
      occurredMicroseconds = '',
      ,
      notes = '',
    ] = line.split('\t');
    const billusec = /variable_billusec=(\d+)/.exec(notes)?.[1];
    return { event, uuid, direction, cause, occurredMicroseconds, billusec };
  });
}
