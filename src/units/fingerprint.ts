const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/** Eight hex digits that tell texts apart which somebody has written one after the other: FNV-1a, no secret. */
export function fingerprintOf(text: string): string {
  let hash = OFFSET;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), PRIME);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
