import { type Address, isV4 } from "./address.ts";
import { AddressIndex } from "./address-index.ts";
import { mappedLength, type Prefix, prefixOf, wordMask } from "./prefix.ts";

/**
 * A set of networks with a look-up for addresses: one hash table for each prefix length that occurs, so a look-up
 * costs as many probes as there are different lengths and never grows with the number of networks.
 */
export class PrefixSet {
  /** By mapped length, longest first: the most special network answers. */
  readonly #levels: { readonly length: number; readonly index: AddressIndex; used: number }[] = [];

  constructor(prefixes: Iterable<Prefix> = []) {
    for (const prefix of prefixes) this.add(prefix);
  }

  get size(): number {
    return this.#levels.reduce((sum, level) => sum + level.used, 0);
  }

  add(prefix: Prefix): void {
    const { w0, w1, w2, w3 } = prefix.address;
    const length = mappedLength(prefix);
    let level = this.#levels.find((l) => l.length === length);
    if (level === undefined) {
      level = { length, index: new AddressIndex(16), used: 0 };
      this.#levels.push(level);
      this.#levels.sort((a, b) => b.length - a.length);
    }
    if (level.index.find(w0, w1, w2, w3) >= 0) return;
    if (level.used === level.index.slots) level.index.grow(level.used * 2);
    level.index.insert(level.used++, w0, w1, w2, w3);
  }

  /** The longest prefix of the set that holds the address, or null. */
  find(a: Address): Prefix | null {
    for (const { length, index } of this.#levels) {
      if (length < 96 && isV4(a)) return null;
      const slot = index.find(
        a.w0 & wordMask(length),
        a.w1 & wordMask(length - 32),
        a.w2 & wordMask(length - 64),
        a.w3 & wordMask(length - 96),
      );
      if (slot >= 0) return prefixOf(a, isV4(a) ? length - 96 : length);
    }
    return null;
  }

  has(a: Address): boolean {
    return this.find(a) !== null;
  }
}
