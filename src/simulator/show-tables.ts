import type { Core } from './core.ts';
import { localDateOf } from './event-bus.ts';
import { jsonBytes, fromBytes } from './event.ts';
import type { Leg } from './leg.ts';

type Row = Readonly<Record<string, string>>;

/** No sound, but the columns are there. */
const CODEC_COLUMNS = {
  read_codec: 'PCMU',
  read_rate: '8000',
  read_bit_rate: '64000',
  write_codec: 'PCMU',
  write_rate: '8000',
  write_bit_rate: '64000',
} as const;

/** The columns that `show calls` has of each leg, and `show channels` has too. */
function callColumns(leg: Leg): Row {
  const { profile } = leg;
  const createdSeconds = Math.floor(leg.stamps.created / 1_000_000);
  return {
    uuid: leg.uuid,
    direction: leg.direction,
    created: localDateOf(createdSeconds),
    created_epoch: String(createdSeconds),
    name: leg.name,
    state: leg.runningState,
    cid_name: profile.callerName,
    cid_num: profile.callerNumber,
    ip_addr: profile.networkAddress,
    dest: profile.destination,
    presence_id: leg.variable('presence_id') ?? '',
    presence_data: leg.variable('presence_data') ?? '',
    accountcode: leg.variable('accountcode') ?? '',
    callstate: leg.callState,
    callee_name: profile.calleeName,
    callee_num: profile.calleeNumber,
    callee_direction: leg.stamps.bridged > 0 ? 'SEND' : '',
    call_uuid: leg.callUuid === leg.uuid && leg.bridgedWith === undefined ? '' : leg.callUuid,
    sent_callee_name: leg.bridgedWith === undefined ? '' : profile.calleeName,
    sent_callee_num: leg.bridgedWith === undefined ? '' : profile.calleeNumber,
  };
}

/** Strings only, no time of answer, and listed until DESTROY. */
function channelRow(core: Core, leg: Leg): Row {
  const call = callColumns(leg);
  const { profile } = leg;
  const of = (...names: readonly string[]): Row =>
    Object.fromEntries(names.map((name) => [name, call[name] ?? '']));
  return {
    ...of(
      'uuid',
      'direction',
      'created',
      'created_epoch',
      'name',
      'state',
      'cid_name',
      'cid_num',
      'ip_addr',
      'dest',
    ),
    application: leg.application[0],
    application_data: leg.application[1],
    dialplan: profile.dialplan,
    context: profile.context,
    ...CODEC_COLUMNS,
    secure: '',
    hostname: core.switchname,
    ...of('presence_id', 'presence_data', 'accountcode', 'callstate', 'callee_name', 'callee_num'),
    ...of('callee_direction', 'call_uuid', 'sent_callee_name', 'sent_callee_num'),
    initial_cid_name: profile.originalCallerName,
    initial_cid_num: profile.originalCallerNumber,
    initial_ip_addr: profile.networkAddress,
    initial_dest: leg.variable('sip_req_user') ?? profile.destination,
    initial_dialplan: profile.dialplan,
    initial_context: profile.context,
  };
}

/** A bridged pair is one row; a leg alone is one too, with nothing on the other side. */
function callRows(core: Core): Row[] {
  const rows: Row[] = [];
  for (const leg of core.legs.values()) {
    const other = leg.bridgedWith;
    if (other?.other?.uuid === leg.uuid && other.other.role === 'originatee') continue;
    const { call_uuid = '', sent_callee_name = '', sent_callee_num = '', ...mine } = callColumns(leg);
    const row: Record<string, string> = { ...mine, call_uuid, hostname: core.switchname };
    Object.assign(row, { sent_callee_name, sent_callee_num });
    const { call_uuid: _, ...theirs } = other === undefined ? callColumns(leg) : callColumns(other);
    for (const [name, value] of Object.entries(theirs)) row[`b_${name}`] = other === undefined ? '' : value;
    row['call_created_epoch'] = other === undefined ? '' : String(Math.floor(leg.stamps.bridged / 1_000_000));
    rows.push(row);
  }
  return rows;
}

/** FreeSWITCH has a task of its own from the start; those of calls follow. */
function taskRows(core: Core): Row[] {
  const own = {
    task_id: '3',
    task_desc: 'limit_hash_cleanup',
    task_group: 'mod_hash',
    task_runtime: String(Math.floor(core.nowMicros() / 1_000_000) + 362),
  };
  const scheduled = core.scheduler.tasks().map((task) => ({
    task_id: String(task.id),
    task_desc: task.description,
    task_group: task.group,
    task_runtime: String(task.runtimeSeconds),
  }));
  return [own, ...scheduled].map((row) => ({ ...row, task_sql_manager: '0', hostname: core.hostname }));
}

/** The table as it was when the fault was set, for each FreeSWITCH. */
const FROZEN = new WeakMap<Core, Row[]>();

/** `show channels|calls|tasks [count] [as json]` from the core's database, with the faults that table has. */
export function show(core: Core, argument: string): string {
  const words = argument.trim().split(/\s+/);
  const table = words[0] ?? '';
  const { channelTable } = core.faults;
  if (channelTable === 'disabled') return '-ERR SQL disabled, no data available!\n';
  if (channelTable !== 'frozen') FROZEN.delete(core);
  let rows: Row[];
  if (table === 'channels') rows = channelRows(core);
  else if (table === 'calls' || table === 'bridged_calls' || table === 'detailed_calls')
    rows = callRows(core);
  else if (table === 'tasks') rows = taskRows(core);
  else
    return '-USAGE: codec|endpoint|application|api|dialplan|file|timer|calls [count]|channels [count|like <match string>]|calls|detailed_calls|bridged_calls|detailed_bridged_calls|aliases|complete|chat|management|modules|nat_map|say|interfaces|interface_types|tasks|limits|status\n';
  const isCount = words[1] === 'count';
  if (!argument.trim().endsWith(' as json')) return isCount ? `\n${rows.length} total.\n` : asText(rows);
  if (rows.length === 0) return '{"row_count": 0}\n';
  return fromBytes(jsonBytes({ row_count: rows.length, rows: isCount ? [] : rows }));
}

function channelRows(core: Core): Row[] {
  const live = (): Row[] => [...core.legs.values()].map((leg) => channelRow(core, leg));
  switch (core.faults.channelTable) {
    case 'empty':
      return [];
    case 'frozen': {
      const frozen = FROZEN.get(core) ?? live();
      FROZEN.set(core, frozen);
      return frozen;
    }
    case 'live':
    case 'disabled':
      return live();
  }
}

/** The old form: comma-separated and nothing escaped, which is why nobody should parse it. */
function asText(rows: readonly Row[]): string {
  const [first] = rows;
  const lines = rows.map((row) => Object.values(row).join(','));
  const table = first === undefined ? '' : `${Object.keys(first).join(',')}\n${lines.join('\n')}\n`;
  return `${table}\n${rows.length} total.\n`;
}
