import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { attribute, parseXml, type XmlElement } from './xml.ts';

/** What became of a call: everything it did that somebody outside could see, in order. */
export type CallTrace = {
  readonly did: readonly string[];
  readonly variables: ReadonlyMap<string, string>;
};

export type Arrival = {
  readonly destination: string;
  readonly context: string;
  readonly variables?: Readonly<Record<string, string>>;
};

/** Stands for Tollgate at `socket` or `park`: the variables it sets, and whether the call then goes on. */
export type FakeGate = (variables: ReadonlyMap<string, string>) => {
  readonly set: Readonly<Record<string, string>>;
  readonly next: 'on' | 'hang-up';
};

/** Channel variables and fields of the profile, by name; empty where there is none. */
export type Reader = (name: string) => string;
export type Action = readonly [application: string, data: string];

const UUID = 'f1e8d2c4-0000-4000-8000-000000000001';
const PASSES_MAX = 20;

/**
 * Reads a dialplan file with its includes and global variables, as FreeSWITCH does before it parses anything.
 * `gate` stands for the line that chooses one.
 */
export function loadContexts(
  file: string,
  gate: 'socket' | 'park',
  globals: Readonly<Record<string, string>> = {},
): readonly XmlElement[] {
  const text = preprocess(file, gate).replace(/\$\$\{(\w+)\}/g, (_, name: string) => globals[name] ?? '');
  return parseXml(`<include>${text}</include>`).children.filter(({ name }) => name === 'context');
}

function preprocess(file: string, gate: string): string {
  return readFileSync(file, 'utf8')
    .replace(/<\/?include>/g, '')
    .replace(/<X-PRE-PROCESS cmd="include" data="([^"]+)"\/>/g, (_, data: string) =>
      preprocess(join(dirname(file), data.replace('tollgate_socket', `tollgate_${gate}`)), gate),
    );
}

/**
 * One hunt of mod_dialplan_xml: the actions of the matching extensions, up to the first that does not continue.
 * Inline actions are executed on the way, so that the conditions after them see what they did.
 */
export function huntActions(
  contexts: readonly XmlElement[],
  context: string,
  read: Reader,
  executeInline: (application: string, data: string) => void,
): readonly Action[] {
  const found = contexts.find((each) => attribute(each, 'name') === context);
  if (found === undefined) throw new Error(`no context ${context}`);
  const actions: Action[] = [];
  for (const extension of found.children) {
    const matched = extension.children.every((condition) => {
      const field = attribute(condition, 'field');
      const subject = field.includes('$') ? expand(field, read) : read(field);
      const match = field === '' ? [] : new RegExp(attribute(condition, 'expression')).exec(subject);
      if (match === null) return false;
      for (const action of condition.children) {
        const application = attribute(action, 'application');
        const data = attribute(action, 'data').replace(
          /\$(\d)/g,
          (_, group: string) => match[Number(group)] ?? '',
        );
        if (attribute(action, 'inline') === 'true') executeInline(application, data);
        else actions.push([application, data]);
      }
      return true;
    });
    if (matched && attribute(extension, 'continue') !== 'true') break;
  }
  return actions;
}

export function expand(text: string, read: Reader): string {
  return text.replace(/\$\{(\w+)\}/g, (_, name: string) => read(name));
}

/** Walks a call through contexts: a hunt, then its actions; a transfer, or the end of a park, hunts again. */
export function walk(contexts: readonly XmlElement[], arrival: Arrival, gate: FakeGate): CallTrace {
  const variables = new Map(Object.entries(arrival.variables ?? {}));
  const did: string[] = [];
  let { destination, context } = arrival;
  let up = true;

  const read: Reader = (name) => {
    const fields = new Map([
      ['destination_number', destination],
      ['context', context],
      ['uuid', UUID],
    ]);
    return variables.get(name) ?? fields.get(name) ?? '';
  };

  /** True when the call begins again at another place. */
  const execute = (application: string, data: string): boolean => {
    const argument = expand(data, read);
    const equals = argument.indexOf('=');
    switch (application) {
      case 'set':
        variables.set(argument.slice(0, equals), argument.slice(equals + 1));
        return false;
      case 'unset':
        variables.delete(argument);
        return false;
      case 'log':
        return false;
      case 'transfer': {
        const [to = '', , into = context] = argument.split(' ');
        [destination, context] = [to, into];
        return true;
      }
      case 'park':
      case 'socket': {
        did.push(application);
        const { set, next } = gate(variables);
        for (const [name, value] of Object.entries(set)) variables.set(name, value);
        if (next === 'hang-up') {
          did.push('ended by the gate');
          up = false;
        }
        return application === 'park';
      }
      case 'respond':
      case 'hangup':
        did.push(`${application} ${argument}`);
        up = false;
        return false;
      case 'bridge':
        did.push(`bridge ${argument}`);
        return false;
      default:
        throw new Error(`no such application here: ${application}`);
    }
  };

  for (let pass = 0; pass < PASSES_MAX; pass += 1) {
    let again = false;
    for (const [application, data] of huntActions(contexts, context, read, execute)) {
      if (!up || again) break;
      again = execute(application, data);
    }
    if (!again || !up) return { did, variables };
  }
  throw new Error(`the call goes round in circles: ${did.join(', ')}`);
}

/** What the gate sets on a call that it lets through. */
export function passVariables(decision: string, destination: string): Readonly<Record<string, string>> {
  return {
    tollgate_decision: decision,
    tollgate_admitted_destination: destination,
    tollgate_admission: `${UUID}.1`,
  };
}
