import { type Address, isV4 } from "./address.ts";
import { AddressIndex } from "./address-index.ts";
import { isHost, mappedLength, type Prefix, prefixCovers, prefixOf, wordMask } from "./prefix.ts";

/**
 * Values by network, and the networks that contain an address. There is one hash table for each prefix length that occurs, so
 * a look-up takes as many probes as there are different lengths, whatever the number of networks.
 */
export class PrefixMap<V> {
  /** By mapped length, longest prefix first. */
  readonly #levels: Level<V>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(prefix: Prefix): V | undefined {
    const { w0, w1, w2, w3 } = prefix.address;
    const level = this.#level(mappedLength(prefix));
    const slot = level?.index.find(w0, w1, w2, w3) ?? -1;
    return level === undefined || slot < 0 ? undefined : level.values[slot];
  }

  set(prefix: Prefix, value: V): void {
    const { w0, w1, w2, w3 } = prefix.address;
    const level = this.#level(mappedLength(prefix)) ?? this.#newLevel(mappedLength(prefix));
    const found = level.index.find(w0, w1, w2, w3);
    if (found >= 0) level.values[found] = value;
    else this.#insert(level, prefix, value);
  }

  /** Sets the value of a prefix that is known to have none. */
  add(prefix: Prefix, value: V): void {
    this.#insert(this.#level(mappedLength(prefix)) ?? this.#newLevel(mappedLength(prefix)), prefix, value);
  }

  delete(prefix: Prefix): boolean {
    const { w0, w1, w2, w3 } = prefix.address;
    const level = this.#level(mappedLength(prefix));
    const slot = level?.index.find(w0, w1, w2, w3) ?? -1;
    if (level === undefined || slot < 0) return false;
    level.index.remove(slot);
    level.values[slot] = undefined;
    level.free.push(slot);
    if (level.free.length === level.values.length) this.#levels.splice(this.#levels.indexOf(level), 1);
    this.#size--;
    return true;
  }

  /** The value of the longest prefix that contains the address and whose value matches. */
  find(a: Address, wanted: (value: V) => boolean = () => true): V | undefined {
    for (const level of this.#levels) {
      if (level.length < 96 && isV4(a)) return undefined;
      const slot = slotIn(level, a);
      if (slot < 0) continue;
      const value = level.values[slot];
      if (value !== undefined && wanted(value)) return value;
    }
    return undefined;
  }

  /** The map may change meanwhile: values that stay are yielded once. */
  *values(): Generator<V> {
    for (const level of this.#levels.slice()) {
      for (const value of level.values) if (value !== undefined) yield value;
    }
  }

  #insert(level: Level<V>, { address: { w0, w1, w2, w3 } }: Prefix, value: V): void {
    const slot = level.free.pop() ?? level.values.length;
    if (slot === level.index.slots) level.index.grow(slot * 2);
    level.index.insert(slot, w0, w1, w2, w3);
    level.values[slot] = value;
    this.#size++;
  }

  #level(length: number): Level<V> | undefined {
    for (const level of this.#levels) if (level.length === length) return level;
    return undefined;
  }

  #newLevel(length: number): Level<V> {
    const level: Level<V> = { length, index: new AddressIndex(16), values: [], free: [] };
    this.#levels.push(level);
    this.#levels.sort((a, b) => b.length - a.length);
    return level;
  }
}

/** A set of networks, searched by address. */
export class PrefixSet {
  readonly #map = new PrefixMap<Prefix>();

  constructor(prefixes: Iterable<Prefix> = []) {
    for (const prefix of prefixes) this.add(prefix);
  }

  get size(): number {
    return this.#map.size;
  }

  add(prefix: Prefix): void {
    this.#map.set(prefix, prefixOf(prefix.address, prefix.length));
  }

  /** Whether a network of the set overlaps this one. Searches the whole set, unless the network is a single address. */
  meets(network: Prefix): boolean {
    if (this.has(network.address)) return true;
    if (isHost(network)) return false;
    for (const prefix of this.#map.values()) if (prefixCovers(network, prefix)) return true;
    return false;
  }

  /** The longest prefix of the set that contains the address, or null. */
  find(a: Address): Prefix | null {
    return this.#map.find(a) ?? null;
  }

  has(a: Address): boolean {
    return this.#map.find(a) !== undefined;
  }

  values(): Iterable<Prefix> {
    return this.#map.values();
  }
}

interface Level<V> {
  /** Mapped: 96 to 128 for IPv4. IPv6 prefixes may have the same length, but never the same address. */
  readonly length: number;
  readonly index: AddressIndex;
  readonly values: (V | undefined)[];
  readonly free: number[];
}

function slotIn<V>(level: Level<V>, a: Address): number {
  const { length, index } = level;
  if (length === 128) return index.find(a.w0, a.w1, a.w2, a.w3);
  return index.find(
    a.w0 & wordMask(length),
    a.w1 & wordMask(length - 32),
    a.w2 & wordMask(length - 64),
    a.w3 & wordMask(length - 96),
  );
}
