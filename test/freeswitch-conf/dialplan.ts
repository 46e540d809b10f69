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

const UUID = 'f1e8d2c4-0000-4000-8000-000000000001';
const PASSES_MAX = 20;

/** Reads a dialplan file with its includes, as FreeSWITCH does before it parses anything; `gate` stands for the line that chooses it. */
export function loadContexts(file: string, gate: 'socket' | 'park'): readonly XmlElement[] {
  return parseXml(`<include>${preprocess(file, gate)}</include>`).children.filter(
    ({ name }) => name === 'context',
  );
}

function preprocess(file: string, gate: string): string {
  return readFileSync(file, 'utf8')
    .replace(/<\/?include>/g, '')
    .replace(/<X-PRE-PROCESS cmd="include" data="([^"]+)"\/>/g, (_, data: string) =>
      preprocess(join(dirname(file), data.replace('tollgate_socket', `tollgate_${gate}`)), gate),
    );
}

/**
 * Walks a call through contexts the way mod_dialplan_xml and the core do it: a hunt collects the actions of the
 * matching extensions and runs inline ones at once; then the actions run; a transfer hunts again.
 */
export function walk(contexts: readonly XmlElement[], arrival: Arrival, gate: FakeGate): CallTrace {
  const variables = new Map(Object.entries(arrival.variables ?? {}));
  const did: string[] = [];
  let { destination, context } = arrival;
  let up = true;

  const valueOf = (name: string): string => {
    const fields: Readonly<Record<string, string>> = {
      destination_number: destination,
      context,
      uuid: UUID,
    };
    return variables.get(name) ?? fields[name] ?? '';
  };
  const expand = (text: string): string =>
    text.replace(/(?<!\$)\$\{(\w+)\}/g, (_, name: string) => valueOf(name));

  /** True when the call begins again at another place. */
  const execute = (application: string, data: string): boolean => {
    const argument = expand(data);
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

  const hunt = (): readonly (readonly [string, string])[] => {
    const found = contexts.find((each) => attribute(each, 'name') === context);
    if (found === undefined) throw new Error(`no context ${context}`);
    const actions: (readonly [string, string])[] = [];
    for (const extension of found.children) {
      const matched = collect(extension, actions);
      if (matched && attribute(extension, 'continue') !== 'true') break;
    }
    return actions;
  };

  const collect = (extension: XmlElement, actions: (readonly [string, string])[]): boolean => {
    for (const condition of extension.children) {
      const field = attribute(condition, 'field');
      const subject = field.includes('$') ? expand(field) : valueOf(field);
      const match = field === '' ? [] : new RegExp(attribute(condition, 'expression')).exec(subject);
      if (match === null) return false;
      for (const action of condition.children) {
        const data = attribute(action, 'data').replace(
          /\$(\d)/g,
          (_, group: string) => match[Number(group)] ?? '',
        );
        if (attribute(action, 'inline') === 'true') execute(attribute(action, 'application'), data);
        else actions.push([attribute(action, 'application'), data]);
      }
    }
    return true;
  };

  for (let pass = 0; pass < PASSES_MAX; pass += 1) {
    let again = false;
    for (const [application, data] of hunt()) {
      if (!up || again) break;
      again = execute(application, data);
    }
    if (!again || !up) return { did, variables };
  }
  throw new Error(`the call goes round in circles: ${did.join(', ')}`);
}

/** What the gate sets on a call that it lets through. */
export function passVariables(
  decision: string,
  destination: string,
  pass = 1,
): Readonly<Record<string, string>> {
  return {
    tollgate_decision: decision,
    tollgate_admitted_destination: destination,
    tollgate_admission: `${UUID}.${pass}`,
  };
}
