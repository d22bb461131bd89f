import { AddressIndex } from "../../core/address-index.ts";
import type { Address } from "../../core/address.ts";
import { LruList } from "../../core/lru-list.ts";
import type { Instant } from "../../core/time.ts";
import type { SessionKey } from "./session-key.ts";

/**
 * Sessions in columns, by a key of 128 bits, in the order of their last line. At `capacity` the session without a line for the longest time
 * is forgotten and counted. A session takes about 60 bytes, whatever its lines contain.
 *
 *      slot     at: time of the last line     host: address     state: bits of SessionState     user: hash of the first user name
 */
export class SessionTable {
  /** Sessions that made room for others. */
  forgotten = 0;
  readonly #capacity: number;
  readonly #index: AddressIndex;
  readonly #order: LruList;
  readonly #free: number[] = [];
  #slots: number;
  #size = 0;
  #at: Float64Array;
  #host: Int32Array;
  #state: Uint8Array;
  #user: Int32Array;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#slots = Math.min(FIRST_SLOTS, capacity);
    this.#index = new AddressIndex(this.#slots);
    this.#order = new LruList(this.#slots);
    this.#at = new Float64Array(this.#slots);
    this.#host = new Int32Array(this.#slots * 4);
    this.#state = new Uint8Array(this.#slots);
    this.#user = new Int32Array(this.#slots);
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes held by the columns. */
  get bytes(): number {
    const { byteLength } = this.#at;
    const columns = byteLength + this.#host.byteLength + this.#state.byteLength + this.#user.byteLength;
    return this.#index.bytes + this.#order.bytes + columns;
  }

  /** The slot of the session, or -1. */
  find({ w0, w1, w2, w3 }: SessionKey): number {
    return this.#index.find(w0, w1, w2, w3);
  }

  /** Begins a session that is not in the table. */
  add({ w0, w1, w2, w3 }: SessionKey): number {
    if (this.#size >= this.#capacity) {
      this.forgotten++;
      this.remove(this.#order.stalest);
    }
    const slot = this.#free.pop() ?? this.#size;
    if (slot >= this.#slots) this.#grow();
    this.#size++;
    this.#index.insert(slot, w0, w1, w2, w3);
    this.#order.add(slot);
    this.#state[slot] = 0;
    return slot;
  }

  remove(slot: number): void {
    this.#index.remove(slot);
    this.#order.remove(slot);
    this.#free.push(slot);
    this.#size--;
  }

  /** Notes a line of the session. */
  touch(slot: number, at: Instant): void {
    this.#order.touch(slot);
    this.#at[slot] = at;
  }

  /** The time of its last line. */
  lastAt(slot: number): Instant {
    return this.#at[slot]!;
  }

  /** The address that a line of the session named last; null for none. */
  hostOf(slot: number): Address | null {
    if (!this.has(slot, SessionState.hasHost)) return null;
    const host = this.#host;
    const i = slot * 4;
    return { w0: host[i]!, w1: host[i + 1]!, w2: host[i + 2]!, w3: host[i + 3]! };
  }

  setHost(slot: number, { w0, w1, w2, w3 }: Address): void {
    const host = this.#host;
    const i = slot * 4;
    host[i] = w0;
    host[i + 1] = w1;
    host[i + 2] = w2;
    host[i + 3] = w3;
    this.set(slot, SessionState.hasHost, true);
  }

  has(slot: number, bit: number): boolean {
    return (this.#state[slot]! & bit) !== 0;
  }

  set(slot: number, bit: number, isSet: boolean): void {
    this.#state[slot] = isSet ? this.#state[slot]! | bit : this.#state[slot]! & ~bit;
  }

  /** Notes a user name by its hash: whether it is not the first one is all that is asked. */
  noteUser(slot: number, hash: number): void {
    if (!this.has(slot, SessionState.hasUser)) {
      this.#user[slot] = hash;
      this.set(slot, SessionState.hasUser, true);
    } else if (this.#user[slot] !== (hash | 0)) this.set(slot, SessionState.severalUsers, true);
  }

  #grow(): void {
    this.#slots = Math.min(this.#capacity, this.#slots * 2);
    this.#index.grow(this.#slots);
    this.#order.grow(this.#slots);
    this.#at = grown(this.#at, new Float64Array(this.#slots));
    this.#host = grown(this.#host, new Int32Array(this.#slots * 4));
    this.#state = grown(this.#state, new Uint8Array(this.#slots));
    this.#user = grown(this.#user, new Int32Array(this.#slots));
  }
}

/** Bits. */
export const SessionState = {
  hasHost: 1,
  /** A failure without an address waits for a line that names one. */
  isPending: 2,
  hasUser: 4,
  severalUsers: 8,
} as const;

const FIRST_SLOTS = 64;

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}
