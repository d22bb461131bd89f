import { LF } from "../../core/ascii.ts";

/** A journal entry: the requested fields in latin1 (one character a byte), truncated at `maxValue`. */
export type JournalEntry = ReadonlyMap<string, string>;

/**
 * Reads the Journal Export Format (systemd.io/JOURNAL_EXPORT_FORMATS) in chunks of any size. Unlike JSON, this format carries
 * arbitrary bytes and long fields unchanged.
 *
 *      NAME=text LF     or     NAME LF | size, 64 bits little-endian | bytes | LF     …     LF ends the entry
 *
 * Bounded: keeps only the requested fields, and at most `maxValue` bytes of each.
 */
export class ExportReader {
  readonly #fields: ReadonlySet<string>;
  readonly #maxValue: number;
  readonly #onEntry: (entry: JournalEntry) => void;
  #entry = new Map<string, string>();
  /** Bytes of an incomplete element; at most `maxValue` and a name. */
  #carry: Buffer = Buffer.alloc(0);
  /** Bytes to skip; Infinity means up to the next LF. */
  #skip = 0;
  /** True while the skipped bytes belong to a requested field. */
  #shedding = false;
  /** Bytes of requested fields beyond `maxValue`. */
  shedBytes = 0;

  constructor(fields: ReadonlySet<string>, maxValue: number, onEntry: (entry: JournalEntry) => void) {
    this.#fields = fields;
    this.#maxValue = maxValue;
    this.#onEntry = onEntry;
  }

  push(chunk: Buffer): void {
    const bytes = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    let at = 0;
    while (at < bytes.length) {
      const next = this.#skip > 0 ? this.#skipSome(bytes, at) : this.#element(bytes, at);
      if (next < 0) break;
      at = next;
    }
    this.#carry = at === bytes.length ? NOTHING : Buffer.from(bytes.subarray(at));
  }

  #skipSome(bytes: Buffer, at: number): number {
    if (this.#skip === Infinity) {
      const lf = bytes.indexOf(LF, at);
      if (this.#shedding) this.shedBytes += (lf < 0 ? bytes.length : lf) - at;
      if (lf >= 0) this.#skip = 0;
      return lf < 0 ? bytes.length : lf + 1;
    }
    const skipped = Math.min(this.#skip, bytes.length - at);
    this.#skip -= skipped;
    return at + skipped;
  }

  /** Reads one field, or the LF that ends the entry. Returns the offset of the next element, or -1 when this one is incomplete. */
  #element(bytes: Buffer, at: number): number {
    const lf = bytes.indexOf(LF, at);
    const end = lf < 0 ? bytes.length : lf;
    if (end === at) {
      const entry = this.#entry;
      this.#entry = new Map();
      if (entry.size > 0) this.#onEntry(entry);
      return at + 1;
    }
    const found = bytes.indexOf(EQUALS, at);
    const equals = found < end ? found : -1;
    if (lf < 0) {
      if (end - at <= this.#maxValue + MAX_NAME) return -1;
      this.#shedding = equals >= 0 && this.#keep(bytes, at, equals, equals + 1, end);
      this.#skip = Infinity;
      return end;
    }
    if (equals < 0) return this.#binary(bytes, at, lf);
    this.#keep(bytes, at, equals, equals + 1, lf);
    return lf + 1;
  }

  #binary(bytes: Buffer, name: number, nameEnd: number): number {
    const start = nameEnd + 1 + 8;
    if (bytes.length < start) return -1;
    const size = bytes.readUInt32LE(nameEnd + 1) + bytes.readUInt32LE(nameEnd + 5) * 2 ** 32;
    const shown = Math.min(size, this.#maxValue);
    if (bytes.length < start + shown) return -1;
    if (this.#keep(bytes, name, nameEnd, start, start + shown)) this.shedBytes += size - shown;
    this.#skip = size - shown + 1; // and the LF after it
    return start + shown;
  }

  /** True when the field was requested. */
  #keep(bytes: Buffer, name: number, nameEnd: number, start: number, end: number): boolean {
    const field = bytes.toString("latin1", name, Math.min(nameEnd, name + MAX_NAME));
    if (!this.#fields.has(field) || this.#entry.has(field)) return false; // the first of two equal fields counts
    const kept = Math.min(end, start + this.#maxValue);
    this.#entry.set(field, bytes.toString("latin1", start, kept));
    this.shedBytes += end - kept;
    return true;
  }
}

const EQUALS = 61;
/** The journal limits field names to 64 bytes. */
const MAX_NAME = 64;
const NOTHING = Buffer.alloc(0);
