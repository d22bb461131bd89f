import { V4_MARK } from "../core/address.ts";
import type { Ban } from "../core/ban.ts";
import type { Instant } from "../core/time.ts";
import { SharedParticulars } from "./particulars.ts";

/** A ban that is filled again for each ban of a walk. A consumer copies what it keeps, prefix and address too. */
export type MutableBan = Writable<Ban>;

export function emptyBan(): MutableBan {
  return {
    prefix: { address: { w0: 0, w1: 0, w2: 0, w3: 0 }, length: 0 },
    target: "",
    jail: "",
    reason: "",
    since: 0,
    until: 0,
    origin: "",
  };
}

/**
 * Bans in columns. A million bans as objects take half a gigabyte, which the garbage collector scans again and again; in columns a ban takes
 * 37 bytes that it does not scan. An object is made only to return a ban.
 *
 *      slot      0 1 2 …      one column each: address (16 B), length, since, until, particulars (4 B)
 */
export class BanColumns {
  #columns: Columns;
  readonly #shared = new SharedParticulars();

  constructor(slots: number) {
    this.#columns = columnsFor(slots);
  }

  /** Bans there is room for. */
  get slots(): number {
    return this.#columns.lengths.length;
  }

  /** Makes room for more. Bans keep their slots. */
  grow(slots: number): void {
    const before = this.#columns;
    const columns = columnsFor(slots);
    columns.words.set(before.words);
    columns.lengths.set(before.lengths);
    columns.since.set(before.since);
    columns.until.set(before.until);
    columns.particulars.set(before.particulars);
    this.#columns = columns;
  }

  /** Writes a ban over the previous content of a slot. */
  set(slot: number, ban: Ban): void {
    const { w0, w1, w2, w3 } = ban.prefix.address;
    const w = slot << 2;
    this.#columns.words[w] = w0;
    this.#columns.words[w + 1] = w1;
    this.#columns.words[w + 2] = w2;
    this.#columns.words[w + 3] = w3;
    this.#columns.lengths[slot] = ban.prefix.length;
    this.#columns.since[slot] = ban.since;
    this.#columns.until[slot] = ban.until;
    this.clear(slot);
    this.#columns.particulars[slot] = this.#shared.take(ban);
  }

  /** Releases the particulars of a slot. */
  clear(slot: number): void {
    this.#shared.release(this.#columns.particulars[slot] as number);
    this.#columns.particulars[slot] = 0;
  }

  at(slot: number): Ban {
    const ban = emptyBan();
    this.read(slot, ban);
    return ban;
  }

  /** Fills an existing object. */
  read(slot: number, ban: MutableBan): void {
    const w = slot << 2;
    const { words, lengths, particulars, since } = this.#columns;
    const { prefix } = ban;
    prefix.address.w0 = words[w] as number;
    prefix.address.w1 = words[w + 1] as number;
    prefix.address.w2 = words[w + 2] as number;
    prefix.address.w3 = words[w + 3] as number;
    prefix.length = lengths[slot] as number;
    const { target, jail, reason, origin } = this.#shared.at(particulars[slot] as number);
    ban.target = target;
    ban.jail = jail;
    ban.reason = reason;
    ban.origin = origin;
    ban.since = since[slot] as number;
    ban.until = this.untilOf(slot);
  }

  /** False for a slot that never held a ban or was cleared. */
  isUsed(slot: number): boolean {
    return this.#columns.particulars[slot] !== 0;
  }

  lengthOf(slot: number): number {
    return this.#columns.lengths[slot] as number;
  }

  isV4(slot: number): boolean {
    const { words } = this.#columns;
    const w = slot << 2;
    return words[w] === 0 && words[w + 1] === 0 && words[w + 2] === V4_MARK;
  }

  sinceOf(slot: number): Instant {
    return this.#columns.since[slot] as number;
  }

  untilOf(slot: number): Instant {
    return this.#columns.until[slot] as number;
  }

  targetOf(slot: number): string {
    return this.#shared.at(this.#columns.particulars[slot] as number).target;
  }

  jailOf(slot: number): string {
    return this.#shared.at(this.#columns.particulars[slot] as number).jail;
  }
}

interface Columns {
  readonly words: Int32Array;
  readonly lengths: Uint8Array;
  readonly since: Float64Array;
  readonly until: Float64Array;
  /** Numbers in `#shared`; 0 in unused slots. */
  readonly particulars: Int32Array;
}

/** One buffer: the kernel maps large buffers, whose pages take no memory until they are written. */
function columnsFor(slots: number): Columns {
  const room = new ArrayBuffer(slots * 37);
  return {
    since: new Float64Array(room, 0, slots),
    until: new Float64Array(room, slots * 8, slots),
    words: new Int32Array(room, slots * 16, slots * 4),
    particulars: new Int32Array(room, slots * 32, slots),
    lengths: new Uint8Array(room, slots * 36, slots),
  };
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] extends object ? Writable<T[Key]> : T[Key] };
