import { V4_MARK } from "../../core/address.ts";
import { PrefixMap } from "../../core/prefix-map.ts";
import type { Prefix } from "../../core/prefix.ts";
import type { AddressTest } from "../../kernel/connection-list.ts";

/** The prefixes of one pass. Looked up for every entry of a long list, so addresses are read where they are in the buffer. */
export class Banned implements AddressTest {
  readonly #prefixes = new PrefixMap<Prefix>();
  /** The same object for all look-ups. */
  readonly #words = { w0: 0, w1: 0, w2: 0, w3: 0 };

  get size(): number {
    return this.#prefixes.size;
  }

  prefixes(): Iterable<Prefix> {
    return this.#prefixes.values();
  }

  /** Answers whether the prefix is new. */
  add(prefix: Prefix): boolean {
    const { size } = this.#prefixes;
    this.#prefixes.set(prefix, prefix);
    return this.#prefixes.size > size;
  }

  delete(prefix: Prefix): void {
    this.#prefixes.delete(prefix);
  }

  /** Whether one of the prefixes contains the IPv4 address at `at`. */
  holdsV4(view: DataView, at: number): boolean {
    return this.#holds(0, 0, V4_MARK, view.getInt32(at));
  }

  /** The same for an IPv6 address; ::ffff:a.b.c.d is the IPv4 address, as for sockets that serve both families. */
  holdsV6(view: DataView, at: number): boolean {
    return this.#holds(
      view.getInt32(at),
      view.getInt32(at + 4),
      view.getInt32(at + 8),
      view.getInt32(at + 12),
    );
  }

  #holds(w0: number, w1: number, w2: number, w3: number): boolean {
    const words = this.#words;
    words.w0 = w0;
    words.w1 = w1;
    words.w2 = w2;
    words.w3 = w3;
    return this.#prefixes.find(words) !== undefined;
  }
}
