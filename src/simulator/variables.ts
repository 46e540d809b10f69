import type { Core } from './core.ts';
import { textOf, type HeaderValue } from './event.ts';
import type { Leg, Profile } from './leg.ts';

/** An empty value unsets. The checked way refuses `${`, which would be expanded again; `uuid_setvar` is unchecked. */
export function setVariable(
  leg: Leg,
  name: string,
  value: string,
  check: 'checked' | 'unchecked' = 'checked',
): void {
  if (name === '' || (check === 'checked' && value.includes('${'))) return;
  if (value === '' || value === '_undef_') leg.variables.delete(name);
  else leg.variables.set(name, value);
}

/** `a=b`; without an equals sign the whole is a name without a value. */
export function splitAssignment(text: string): readonly [name: string, value: string] {
  const equals = text.indexOf('=');
  return equals === -1 ? [text.trim(), ''] : [text.slice(0, equals).trim(), text.slice(equals + 1)];
}

/** A variable, else a field of the caller's profile, else a global: that is why own names must be distinctive. */
export function lookUp(core: Core, leg: Leg, name: string): string | undefined {
  const value = leg.variables.get(name);
  if (value !== undefined) return textOf(value);
  return profileField(leg, name) ?? globalVariable(core, name);
}

export function globalVariable(core: Core, name: string): string | undefined {
  switch (name) {
    case 'core_uuid':
      return core.coreUuid;
    case 'hostname':
      return core.hostname;
    case 'switchname':
      return core.switchname;
    case 'local_ip_v4':
    case 'domain':
      return '127.0.0.1';
    default:
      return undefined;
  }
}

const EXPANSIONS_MAX = 10;

/** `${name}` in an application's argument. The result is looked at again, as FreeSWITCH does. */
export function expand(core: Core, leg: Leg, text: string): string {
  let expanded = text;
  for (let round = 0; round < EXPANSIONS_MAX && expanded.includes('${'); round += 1) {
    expanded = expanded.replaceAll(/\$?\$\{([^${}]*)\}/g, (_, name: string) => lookUp(core, leg, name) ?? '');
  }
  return expanded;
}

/**
 * Remembers a name in `export_vars`, for the legs this one will place. With `nolocal:` the value is kept under
 * the prefixed name, so that it does not act on this leg.
 */
export function exportVariable(leg: Leg, name: string, value: string): void {
  setVariable(leg, name, value);
  const names = (leg.variable('export_vars') ?? '')
    .split(',')
    .filter((known) => known !== '' && known !== name);
  leg.variables.set('export_vars', [...names, name].join(','));
}

/** What a new leg inherits from the one that places it. */
export function exportedVariables(leg: Leg): ReadonlyMap<string, HeaderValue> {
  const exported = new Map<string, HeaderValue>();
  const names = leg.variable('export_vars');
  if (names === undefined) return exported;
  for (const name of names.split(',')) {
    const value = leg.variables.get(name.trim());
    if (value !== undefined) exported.set(name.trim().replace(/^(?:nolocal:|_nolocal_)/, ''), value);
  }
  exported.set('export_vars', names);
  return exported;
}

const PROFILE_FIELDS: Readonly<Record<string, (profile: Profile) => string>> = {
  username: (profile) => profile.username,
  dialplan: (profile) => profile.dialplan,
  caller_id_name: (profile) => profile.callerName,
  caller_id_number: (profile) => profile.callerNumber,
  orig_caller_id_name: (profile) => profile.originalCallerName,
  orig_caller_id_number: (profile) => profile.originalCallerNumber,
  callee_id_name: (profile) => profile.calleeName,
  callee_id_number: (profile) => profile.calleeNumber,
  network_addr: (profile) => profile.networkAddress,
  ani: (profile) => profile.originalCallerNumber,
  destination_number: (profile) => profile.destination,
  rdnis: (profile) => profile.redirectedFrom,
  source: (profile) => profile.source,
  context: (profile) => profile.context,
  profile_index: (profile) => String(profile.index),
};

function profileField(leg: Leg, name: string): string | undefined {
  switch (name) {
    case 'uuid':
      return leg.uuid;
    case 'chan_name':
      return leg.name;
    case 'created_time':
      return String(leg.stamps.created);
    case 'answered_time':
      return String(leg.stamps.answered);
    case 'progress_time':
      return String(leg.stamps.progress);
    case 'progress_media_time':
      return String(leg.stamps.progressMedia);
    case 'bridged_time':
      return String(leg.stamps.bridged);
    case 'hangup_time':
      return String(leg.stamps.hungUp);
    default: {
      const value = PROFILE_FIELDS[name]?.(leg.profile);
      return value === '' ? undefined : value;
    }
  }
}
