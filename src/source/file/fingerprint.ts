import { readSync } from "node:fs";
import { fnv1a } from "../../core/fnv1a.ts";

/** Length and hash of a file's first bytes, as saved across restarts. */
export interface SavedFingerprint {
  readonly length: number;
  readonly hash: string;
}

/**
 * The first bytes of a log file, up to 256. When they change, the file was rewritten, whatever its inode and size say.
 * Grows with the file.
 */
export class Fingerprint {
  #bytes: Buffer = Buffer.alloc(0);
  /** The first bytes before the file was truncated. */
  #former: Buffer = Buffer.alloc(0);

  /** False when the first bytes have changed; otherwise takes in new ones. */
  holds(fd: number): boolean {
    const length = readSync(fd, scratch, 0, MAX_BYTES, 0);
    const known = this.#bytes.length;
    if (length < known || scratch.compare(this.#bytes, 0, known, 0, known) !== 0) return false;
    if (length > known) this.#bytes = Buffer.from(scratch.subarray(0, length));
    return true;
  }

  /** Whether a file of this size has first bytes that are not in it yet. */
  isShorterThan(size: number): boolean {
    return this.#bytes.length < Math.min(size, MAX_BYTES);
  }

  forget(): void {
    this.#former = this.#bytes;
    this.#bytes = Buffer.alloc(0);
  }

  /** True when both files have the same first bytes, now or before the truncation. Needs MAX_BYTES bytes to be sure. */
  copies(other: Fingerprint): boolean {
    if (this.#bytes.length < MAX_BYTES) return false;
    return this.#bytes.equals(other.#bytes) || this.#bytes.equals(other.#former);
  }

  save(): SavedFingerprint {
    return { length: this.#bytes.length, hash: hashOf(this.#bytes) };
  }
}

/** True when the file still has the first bytes of the saved fingerprint. */
export function stillBegins(fd: number, saved: SavedFingerprint): boolean {
  const length = readSync(fd, scratch, 0, Math.min(saved.length, MAX_BYTES), 0);
  return length === saved.length && hashOf(scratch.subarray(0, length)) === saved.hash;
}

/** The fingerprint of a file with these first bytes, at least HEAD_BYTES unless the file is shorter. */
export function saveFingerprint(head: Buffer): SavedFingerprint {
  const bytes = head.subarray(0, MAX_BYTES);
  return { length: bytes.length, hash: hashOf(bytes) };
}

/** True when a file with these first bytes is that of the fingerprint, or has grown from it. */
export function matches(head: Buffer, saved: SavedFingerprint): boolean {
  return head.length >= saved.length && hashOf(head.subarray(0, saved.length)) === saved.hash;
}

const MAX_BYTES = 256;
/** Bytes at the start of a file that a fingerprint is made of. */
export const HEAD_BYTES = MAX_BYTES;
const scratch = Buffer.allocUnsafeSlow(MAX_BYTES);

/** 64 bits: two 32-bit hashes with different seeds. */
function hashOf(bytes: Uint8Array): string {
  return [0x811c9dc5, 0x01000193].map((seed) => fnv1a(bytes, seed).toString(16)).join("-");
}
