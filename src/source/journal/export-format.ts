import { LF } from "../../core/ascii.ts";

/** An entry of the journal: the fields that were asked for, one character a byte (latin1), cut at the bound. */
export type JournalEntry = ReadonlyMap<string, string>;

/**
 * Reads the Journal Export Format (systemd.io/JOURNAL_EXPORT_FORMATS) in chunks of any size. It is chosen over JSON since
 * it carries any bytes as they are, and long fields too.
 *
 *      NAME=text LF     or     NAME LF | size, 64 bits little-endian | bytes | LF     …     LF ends the entry
 *
 * Bounded: of each field at most `maxValue` bytes are kept, and only of fields that are asked for.
 */
export class ExportReader {
  readonly #wanted: ReadonlySet<string>;
  readonly #maxValue: number;
  readonly #onEntry: (entry: JournalEntry) => void;
  #entry = new Map<string, string>();
  /** Bytes of an element that is not whole yet; at most `maxValue` and a name. */
  #carry: Buffer = Buffer.alloc(0);
  /** Bytes to pass over; Infinity is up to the next LF. */
  #skip = 0;
  /** True while they belong to a field that was asked for. */
  #shedding = false;
  /** Bytes of such fields that were too many. */
  shedBytes = 0;

  constructor(wanted: ReadonlySet<string>, maxValue: number, onEntry: (entry: JournalEntry) => void) {
    this.#wanted = wanted;
    this.#maxValue = maxValue;
    this.#onEntry = onEntry;
  }

  push(chunk: Buffer): void {
    const bytes = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    let at = 0;
    while (at < bytes.length) {
      const next = this.#skip > 0 ? this.#pass(bytes, at) : this.#element(bytes, at);
      if (next < 0) break;
      at = next;
    }
    this.#carry = at === bytes.length ? NOTHING : Buffer.from(bytes.subarray(at));
  }

  #pass(bytes: Buffer, at: number): number {
    if (this.#skip === Infinity) {
      const lf = bytes.indexOf(LF, at);
      if (this.#shedding) this.shedBytes += (lf < 0 ? bytes.length : lf) - at;
      if (lf >= 0) this.#skip = 0;
      return lf < 0 ? bytes.length : lf + 1;
    }
    const passed = Math.min(this.#skip, bytes.length - at);
    this.#skip -= passed;
    return at + passed;
  }

  /** One field, or the LF that ends the entry. Answers where the next begins, -1 when this one is not whole yet. */
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
    this.#skip = size - shown + 1; // and the LF behind it
    return start + shown;
  }

  /** True when the field was asked for. */
  #keep(bytes: Buffer, name: number, nameEnd: number, start: number, end: number): boolean {
    const field = bytes.toString("latin1", name, Math.min(nameEnd, name + MAX_NAME));
    if (!this.#wanted.has(field) || this.#entry.has(field)) return false; // of a field that is there twice, the first counts
    const kept = Math.min(end, start + this.#maxValue);
    this.#entry.set(field, bytes.toString("latin1", start, kept));
    this.shedBytes += end - kept;
    return true;
  }
}

const EQUALS = 61;
/** Names of fields have 64 bytes at most. */
const MAX_NAME = 64;
const NOTHING = Buffer.alloc(0);
