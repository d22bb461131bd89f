/**
 * 32 bits of FNV-1a (Fowler, Noll, Vo). It tells things apart and withstands nobody; a hash of node:crypto would cost the daemon 2 MB.
 */
export function fnv1a(bytes: Uint8Array, beginning = 0x811c9dc5): number {
  let hash = beginning;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
