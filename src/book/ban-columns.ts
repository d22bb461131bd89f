import { address } from "../core/address.ts";
import type { Ban } from "../core/ban.ts";
import type { Instant } from "../core/time.ts";
import { SharedParticulars } from "./particulars.ts";

/**
 * Bans laid out in columns. As objects, a million of them would be half a gigabyte that the garbage collector walks
 * through again and again; here one takes 37 bytes that it never looks at, and is an object only while somebody looks.
 *
 *      slot      0 1 2 …      one column each: address (16 B), length, since, until, particulars (4 B)
 */
export class BanColumns {
  #words: Int32Array;
  #lengths: Uint8Array;
  #since: Float64Array;
  #until: Float64Array;
  /** Numbers in `#shared`; 0 in slots that are free. */
  #particulars: Int32Array;
  readonly #shared = new SharedParticulars();

  constructor(slots: number) {
    this.#words = new Int32Array(slots * 4);
    this.#lengths = new Uint8Array(slots);
    this.#since = new Float64Array(slots);
    this.#until = new Float64Array(slots);
    this.#particulars = new Int32Array(slots);
  }

  /** How many bans there is room for. */
  get slots(): number {
    return this.#lengths.length;
  }

  /** Makes room for more; what is there keeps its slot. */
  grow(slots: number): void {
    const words = new Int32Array(slots * 4);
    const lengths = new Uint8Array(slots);
    const since = new Float64Array(slots);
    const until = new Float64Array(slots);
    const particulars = new Int32Array(slots);
    words.set(this.#words);
    lengths.set(this.#lengths);
    since.set(this.#since);
    until.set(this.#until);
    particulars.set(this.#particulars);
    this.#words = words;
    this.#lengths = lengths;
    this.#since = since;
    this.#until = until;
    this.#particulars = particulars;
  }

  /** Writes a ban, in the place of what stood there. */
  set(slot: number, ban: Ban): void {
    const { w0, w1, w2, w3 } = ban.prefix.address;
    const w = slot << 2;
    this.#words[w] = w0;
    this.#words[w + 1] = w1;
    this.#words[w + 2] = w2;
    this.#words[w + 3] = w3;
    this.#lengths[slot] = ban.prefix.length;
    this.#since[slot] = ban.since;
    this.#until[slot] = ban.until;
    this.clear(slot);
    this.#particulars[slot] = this.#shared.take(ban);
  }

  /** Lets go of what a slot refers to. */
  clear(slot: number): void {
    this.#shared.release(this.#particulars[slot] as number);
    this.#particulars[slot] = 0;
  }

  at(slot: number): Ban {
    const w = slot << 2;
    const words = this.#words;
    const { target, jail, reason, origin } = this.#shared.at(this.#particulars[slot] as number);
    return {
      prefix: {
        address: address(
          words[w] as number,
          words[w + 1] as number,
          words[w + 2] as number,
          words[w + 3] as number,
        ),
        length: this.#lengths[slot] as number,
      },
      target,
      jail,
      reason,
      since: this.#since[slot] as number,
      until: this.untilOf(slot),
      origin,
    };
  }

  sinceOf(slot: number): Instant {
    return this.#since[slot] as number;
  }

  untilOf(slot: number): Instant {
    return this.#until[slot] as number;
  }

  targetOf(slot: number): string {
    return this.#shared.at(this.#particulars[slot] as number).target;
  }
}
