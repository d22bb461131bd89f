/** FNV-1a with 32 bits (Fowler, Noll, Vo). It distinguishes, but resists no attacker. node:crypto would cost the daemon 2 MB. */
export function fnv1a(bytes: Uint8Array, beginning = 0x811c9dc5): number {
  let hash = beginning;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
