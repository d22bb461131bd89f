import { type Address, address, V4_MARK } from "../../core/address.ts";

/** A log-in from another machine. */
export interface Login {
  readonly address: Address;
  /** The process whose end ends the session. */
  readonly pid: number;
}

/**
 * The remote log-ins in /run/utmp (utmp(5)), which sshd, login and others write as root:
 *
 *      0 type   4 process   8 line (32)   40 id   44 user (32)   76 host (256)   332 exit   336 session   340 time   348 address (16)
 *
 * 64-bit ARM has a wider time, so the address is at 360 and a record has 400 bytes instead of 384. Only the binary address counts: the
 * text before it may come from users (utempter).
 */
export function loginsInUtmp(bytes: Buffer, isArm64: boolean): readonly Login[] {
  const [size, at] = isArm64 ? [400, 360] : [384, 348];
  const logins: Login[] = [];
  for (let start = 0; start + size <= bytes.length; start += size) {
    if (bytes.readInt16LE(start) !== USER_PROCESS) continue;
    const found = addressAt(bytes, start + at);
    if (found !== null) logins.push({ address: found, pid: bytes.readInt32LE(start + 4) });
  }
  return logins;
}

const USER_PROCESS = 7;

/** In network order; an IPv4 address has only its first word. Null for a local log-in. */
function addressAt(bytes: Buffer, at: number): Address | null {
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = [0, 4, 8, 12].map((offset) => bytes.readInt32BE(at + offset));
  if ((w1 | w2 | w3) !== 0) return address(w0, w1, w2, w3);
  return w0 === 0 ? null : address(0, 0, V4_MARK, w0);
}
