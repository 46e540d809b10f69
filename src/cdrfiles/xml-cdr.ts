import sax from 'sax';
import { toSwitchCdr, type CdrReading } from './cdr-fields.ts';
import { notUtf8, type OneLeg } from './json-cdr.ts';
import { variableReader } from './variable-text.ts';

/** What is looked for, by the path of its element. */
type Found = {
  coreUuid: string | undefined;
  switchName: string | undefined;
  direction: string | undefined;
  callerNumber: string | undefined;
  destination: string | undefined;
  readonly variables: Map<string, string>;
};

/** The profile a leg began with is the last one, and says what was dialled: later finds replace earlier ones. */
const PROFILE = 'cdr/callflow/caller_profile/';
const VARIABLES = 'cdr/variables/';
/** Deeper than any CDR, whose profiles hold the profiles of other legs. */
const DEPTH_MAX = 64;

/** Its types leave out that no entity but XML's own five is one. */
const OPTIONS: sax.SAXOptions & { readonly strictEntities: true } = { strictEntities: true, position: true };

/** A document that is not what it should be: thrown through the parser, which has no other way to be stopped. */
class XmlFaultError extends Error {
  override readonly name = 'XmlFaultError';
}

/**
 * Reads what mod_xml_cdr wrote of one leg. The parser knows the five entities of XML and no others, and a document
 * type, the only place to define more, refuses the file.
 */
export function readXmlCdr(bytes: Uint8Array, reading: CdrReading): OneLeg {
  const text = new TextDecoder('utf-8').decode(bytes);
  if (text.includes('\0')) return { kind: 'fault', line: 1, fault: notUtf8(text), unfinished: false };
  const parser = sax.parser(true, OPTIONS);
  const found = follow(parser);
  try {
    parser.write(text).close();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const expected = error instanceof XmlFaultError ? error.message : 'XML as mod_xml_cdr writes it';
    const fault = { field: 'file', value: text, expected };
    return { kind: 'fault', line: parser.line + 1, fault, unfinished: !text.trimEnd().endsWith('</cdr>') };
  }
  const valueOf = variableReader(found.variables);
  const outcome = toSwitchCdr(
    {
      valueOf,
      coreUuid: found.coreUuid,
      switchName: found.switchName,
      direction: found.direction ?? valueOf('direction'),
      callerNumber: found.callerNumber,
      destination: found.destination,
    },
    reading,
  );
  return outcome.kind === 'cdr' ? outcome : { ...outcome, line: 1, unfinished: false };
}

function follow(parser: sax.SAXParser): Found {
  const found: Found = {
    coreUuid: undefined,
    switchName: undefined,
    direction: undefined,
    callerNumber: undefined,
    destination: undefined,
    variables: new Map(),
  };
  const path: string[] = [];
  let text = '';
  const add = (more: string): void => {
    text += more;
  };
  // By one assignment: the parser calls one function for each kind of find.
  Object.assign(parser, {
    onerror(error: Error) {
      throw error;
    },
    ondoctype() {
      throw new XmlFaultError('no document type');
    },
    onopentag({ name, attributes }: sax.Tag) {
      if (path.length === 0 && name !== 'cdr') throw new XmlFaultError('a cdr');
      if (path.length >= DEPTH_MAX) throw new XmlFaultError(`at most ${DEPTH_MAX} elements in one another`);
      if (path.length === 0) {
        found.coreUuid = attributes['core-uuid'];
        found.switchName = attributes['switchname'];
      }
      path.push(name);
      text = '';
    },
    ontext: add,
    oncdata: add,
    onclosetag(name: string) {
      const at = path.join('/');
      if (at === `${VARIABLES}${name}`) found.variables.set(name, text);
      else if (at === 'cdr/channel_data/direction') found.direction = text;
      else if (at === `${PROFILE}caller_id_number`) found.callerNumber = text;
      else if (at === `${PROFILE}destination_number`) found.destination = text;
      path.pop();
      text = '';
    },
  });
  return found;
}
