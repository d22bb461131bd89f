/** A session's key: four words of a hash. */
export interface SessionKey {
  w0: number;
  w1: number;
  w2: number;
  w3: number;
}

/**
 * Hashes the id of a session, with the place of its filter and the number of its log, into `key`. Four lanes of 32 bits with seeds that an
 * attacker does not know: two ids with one key would share an address.
 */
export function hashSession(id: string, filter: number, log: number, key: SessionKey): void {
  let [a, b, c, d] = [SEEDS[0]! ^ filter, SEEDS[1]! ^ log, SEEDS[2]! ^ id.length, SEEDS[3]!];
  for (let i = 0; i < id.length; i++) {
    const byte = id.charCodeAt(i);
    a = Math.imul(a ^ byte, 0x85ebca6b);
    b = Math.imul(b ^ byte ^ (a >>> 15), 0xc2b2ae35);
    c = Math.imul(c ^ byte ^ (b >>> 13), 0x27d4eb2f);
    d = Math.imul(d ^ byte ^ (c >>> 16), 0x165667b1);
    a = (a << 13) | (a >>> 19);
    a ^= d >>> 11;
  }
  // Never zero, which would make it an IPv4 address for the index.
  key.w0 = mixed(a ^ d) | 1;
  key.w1 = mixed(b ^ a);
  key.w2 = mixed(c ^ b);
  key.w3 = mixed(d ^ c);
}

/** Hashes a user name. */
export function hashUser(name: string): number {
  let hash = SEEDS[3]! ^ name.length;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return mixed(hash);
}

function mixed(word: number): number {
  const once = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return twice ^ (twice >>> 16);
}

const SEEDS = Int32Array.from({ length: 4 }, () => Math.floor(Math.random() * 2 ** 32));
