/** FreeSWITCH escapes all of these, and a CDR has a time in it, which is written with two of them. */
const RAW = /[ :@"]/;
/** The time that every CDR has. */
const STAMP = 'start_stamp';

/**
 * Channel variables as they were, whether the module wrote them plain or percent-encoded (mod_json_cdr's
 * `encode-values`; mod_xml_cdr always encodes). A file is of one kind throughout.
 */
export function variableReader(raw: ReadonlyMap<string, string>): (name: string) => string | undefined {
  if (!isEncoded(raw)) return (name) => raw.get(name);
  return (name) => {
    const value = raw.get(name);
    return value === undefined ? undefined : percentDecoded(value);
  };
}

function isEncoded(raw: ReadonlyMap<string, string>): boolean {
  const stamp = raw.get(STAMP) ?? '';
  if (stamp !== '') return !RAW.test(stamp);
  for (const value of raw.values()) if (RAW.test(value)) return false;
  return true;
}

/** By bytes: a name in Latin-1 is no UTF-8 once it is decoded, and must not spoil the rest of the leg. */
function percentDecoded(text: string): string {
  if (!text.includes('%')) return text;
  const bytes: number[] = [];
  const source = Buffer.from(text, 'utf8');
  for (let at = 0; at < source.length; at += 1) {
    const hex = source[at] === PERCENT ? source.toString('latin1', at + 1, at + 3) : '';
    if (/^[0-9A-Fa-f]{2}$/.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      at += 2;
    } else bytes.push(source[at] ?? 0);
  }
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}

const PERCENT = 0x25;
