import { readSync } from "node:fs";
import { fnv1a } from "../../core/fnv1a.ts";

/** What a file began with, as it is kept over a restart: how many bytes, and their hash. */
export interface SavedFingerprint {
  readonly length: number;
  readonly hash: string;
}

/**
 * The first bytes of a file that only grows, up to 256: when they change, it is another file, whatever its inode and
 * size say. They are learnt as the file grows.
 */
export class Fingerprint {
  #bytes: Buffer = Buffer.alloc(0);
  /** What it began with before it was cut to nothing. */
  #former: Buffer = Buffer.alloc(0);

  /** False when the file no longer begins as it did. Learns what is new otherwise. */
  holds(fd: number): boolean {
    const length = readSync(fd, scratch, 0, MAX_BYTES, 0);
    const known = this.#bytes.length;
    if (length < known || scratch.compare(this.#bytes, 0, known, 0, known) !== 0) return false;
    if (length > known) this.#bytes = Buffer.from(scratch.subarray(0, length));
    return true;
  }

  forget(): void {
    this.#former = this.#bytes;
    this.#bytes = Buffer.alloc(0);
  }

  /** True when this file begins as the other does or did, with enough bytes to tell one log from another. */
  copies(other: Fingerprint): boolean {
    if (this.#bytes.length < MAX_BYTES) return false;
    return this.#bytes.equals(other.#bytes) || this.#bytes.equals(other.#former);
  }

  save(): SavedFingerprint {
    return { length: this.#bytes.length, hash: hashOf(this.#bytes) };
  }
}

/** True when the file begins as it did when the fingerprint was saved. */
export function stillBegins(fd: number, saved: SavedFingerprint): boolean {
  const length = readSync(fd, scratch, 0, Math.min(saved.length, MAX_BYTES), 0);
  return length === saved.length && hashOf(scratch.subarray(0, length)) === saved.hash;
}

const MAX_BYTES = 256;
const scratch = Buffer.allocUnsafeSlow(MAX_BYTES);

/** 64 bits, as two of 32 with different beginnings. */
function hashOf(bytes: Uint8Array): string {
  return [0x811c9dc5, 0x01000193].map((beginning) => fnv1a(bytes, beginning).toString(16)).join("-");
}
