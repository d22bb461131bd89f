import type { Family } from "../../core/family.ts";
import type { PortRange } from "../../core/packet.ts";
import type { Ranges } from "../../core/ranges.ts";
import type { Batch } from "../netlink/batch.ts";
import type { Encoder } from "../netlink/encoder.ts";
import { NLM_F_APPEND, NLM_F_CREATE } from "../netlink/message.ts";
import * as nft from "./constants.ts";
import { ANONYMOUS_SET, hostWord, interfaceName, writeLimit, writeRule } from "./expressions.ts";
import type { Chain, Field, Rate, SetId } from "./rule.ts";
import { writeElement } from "./set-element.ts";

/** A set as it is made. Elements follow in messages of their own. */
export interface SetSpec {
  readonly name: string;
  readonly key: SetKey;
  /** NFT_SET_…, combined. */
  readonly flags: number;
  /** The kernel refuses more elements than this. */
  readonly size?: number;
  /** Milliseconds until the kernel removes an element that does not say its own. */
  readonly timeout?: number | null;
}

export type SetKey = Family | Field;

export interface NamedObject {
  readonly name: string;
  /** NFT_OBJECT_… */
  readonly type: number;
}

/** Writes what one table of family inet consists of into a batch, in the order of the calls. */
export class TableWriter {
  readonly #batch: Batch;
  readonly #table: string;

  constructor(batch: Batch, table: string) {
    this.#batch = batch;
    this.#table = table;
  }

  /** Makes the table, or changes the flags of one that exists; `null` leaves its flags as they are. */
  table(flags: number | null): void {
    this.#message(nft.NFT_MSG_NEWTABLE, NLM_F_CREATE, (e) => {
      e.text(nft.NFTA_TABLE_NAME, this.#table);
      if (flags !== null) e.u32(nft.NFTA_TABLE_FLAGS, flags);
    });
  }

  deleteTable(): void {
    this.#message(nft.NFT_MSG_DELTABLE, 0, (e) => e.text(nft.NFTA_TABLE_NAME, this.#table));
  }

  /** Makes the chain without its rules, so that others can jump to it. */
  chain({ name, base }: Chain): void {
    this.#message(nft.NFT_MSG_NEWCHAIN, NLM_F_CREATE, (e) => {
      e.text(nft.NFTA_CHAIN_TABLE, this.#table);
      e.text(nft.NFTA_CHAIN_NAME, name);
      if (base === null) return;
      e.nested(nft.NFTA_CHAIN_HOOK, () => {
        e.u32(nft.NFTA_HOOK_HOOKNUM, nft.NF_INET_PRE_ROUTING);
        e.u32(nft.NFTA_HOOK_PRIORITY, base.priority);
      });
      e.u32(nft.NFTA_CHAIN_POLICY, nft.NF_ACCEPT);
      e.text(nft.NFTA_CHAIN_TYPE, "filter");
    });
  }

  deleteChain(name: string): void {
    this.#message(nft.NFT_MSG_DELCHAIN, 0, (e) => {
      e.text(nft.NFTA_CHAIN_TABLE, this.#table);
      e.text(nft.NFTA_CHAIN_NAME, name);
    });
  }

  /** Appends the chain's rules. */
  rules({ name, rules }: Chain): void {
    for (const rule of rules) {
      this.#message(nft.NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, (e) => {
        e.text(nft.NFTA_RULE_TABLE, this.#table);
        e.text(nft.NFTA_RULE_CHAIN, name);
        e.nested(nft.NFTA_RULE_EXPRESSIONS, () => writeRule(e, rule));
      });
    }
  }

  /** Chains that may jump to each other: all of them exist before the first rule. */
  chains(chains: readonly Chain[]): void {
    for (const chain of chains) this.chain(chain);
    for (const chain of chains) this.rules(chain);
  }

  /** Removes all rules of a chain. */
  flushChain(name: string): void {
    this.#message(nft.NFT_MSG_DELRULE, 0, (e) => {
      e.text(nft.NFTA_RULE_TABLE, this.#table);
      e.text(nft.NFTA_RULE_CHAIN, name);
    });
  }

  set({ name, key, flags, size, timeout }: SetSpec): SetId {
    const id = this.#batch.nextId();
    const { type, length } = KEYS[key];
    this.#message(nft.NFT_MSG_NEWSET, NLM_F_CREATE, (e) => {
      e.text(nft.NFTA_SET_TABLE, this.#table);
      e.text(nft.NFTA_SET_NAME, name);
      e.u32(nft.NFTA_SET_FLAGS, flags);
      e.u32(nft.NFTA_SET_KEY_TYPE, type);
      e.u32(nft.NFTA_SET_KEY_LEN, length);
      e.u32(nft.NFTA_SET_ID, id);
      if (timeout !== undefined && timeout !== null) e.u64(nft.NFTA_SET_TIMEOUT, timeout);
      if (size !== undefined) e.nested(nft.NFTA_SET_DESC, () => e.u32(nft.NFTA_SET_DESC_SIZE, size));
      if (key === "interface") e.raw(nft.NFTA_SET_USERDATA, HOST_BYTE_ORDER);
    });
    return { id };
  }

  deleteSet(name: string): void {
    this.#message(nft.NFT_MSG_DELSET, 0, (e) => {
      e.text(nft.NFTA_SET_TABLE, this.#table);
      e.text(nft.NFTA_SET_NAME, name);
    });
  }

  /** Removes all elements of a set: a delete that names none. */
  flushSet(name: string): void {
    this.#message(nft.NFT_MSG_DELSETELEM, 0, (e) => {
      e.text(nft.NFTA_SET_ELEM_LIST_TABLE, this.#table);
      e.text(nft.NFTA_SET_ELEM_LIST_SET, name);
    });
  }

  /** Adds addresses, given as words in network order: one word each for IPv4, four for IPv6; at most ELEMENTS_A_MESSAGE. */
  addAddresses(set: string, family: Family, words: Uint32Array): void {
    this.#addresses(nft.NFT_MSG_NEWSETELEM, { set, family, words });
  }

  deleteAddresses(set: string, family: Family, words: Uint32Array): void {
    this.#addresses(nft.NFT_MSG_DELSETELEM, { set, family, words });
  }

  /** Adds sorted ranges of addresses to a set of intervals. */
  addRanges(set: string, { words, bounds }: Ranges): void {
    const each = words * 2;
    for (let from = 0; from < bounds.length; from += RANGES_A_MESSAGE * each) {
      this.#elements(nft.NFT_MSG_NEWSETELEM, set, (e) => {
        const to = Math.min(bounds.length, from + RANGES_A_MESSAGE * each);
        for (let at = from; at < to; at += each) {
          const last = bounds.subarray(at + words, at + each);
          writeInterval(e, addressBytes(bounds.subarray(at, at + words)), addressBytes(last));
        }
      });
    }
  }

  /** Adds sorted ranges of ports to a set of intervals. */
  addPorts(set: string | SetId, ranges: readonly PortRange[]): void {
    this.#elements(nft.NFT_MSG_NEWSETELEM, set, (e) => {
      for (const { first, last } of ranges) writeInterval(e, portBytes(first), portBytes(last));
    });
  }

  anonymousPorts(ranges: readonly PortRange[]): SetId {
    const set = this.#anonymousSet("port", nft.NFT_SET_INTERVAL);
    this.addPorts(set, ranges);
    return set;
  }

  anonymousProtocols(protocols: readonly number[]): SetId {
    return this.#anonymousKeys(
      "protocol",
      protocols.map((protocol) => Uint8Array.of(protocol)),
    );
  }

  anonymousInterfaces(names: readonly string[]): SetId {
    return this.#anonymousKeys("interface", names.map(interfaceName));
  }

  /** Makes a named counter. One that exists keeps what it has counted. */
  counter(name: string): void {
    this.#message(nft.NFT_MSG_NEWOBJ, NLM_F_CREATE, (e) => {
      this.#object(e, { name, type: nft.NFT_OBJECT_COUNTER });
      e.nested(nft.NFTA_OBJ_DATA, () => {});
    });
  }

  /** Makes a named limit, which lets through what is within the rate. */
  limit(name: string, rate: Rate): void {
    this.#message(nft.NFT_MSG_NEWOBJ, NLM_F_CREATE, (e) => {
      this.#object(e, { name, type: nft.NFT_OBJECT_LIMIT });
      e.nested(nft.NFTA_OBJ_DATA, () => writeLimit(e, rate, false));
    });
  }

  deleteObject(object: NamedObject): void {
    this.#message(nft.NFT_MSG_DELOBJ, 0, (e) => this.#object(e, object));
  }

  #anonymousKeys(key: SetKey, keys: readonly Uint8Array[]): SetId {
    const set = this.#anonymousSet(key, 0);
    this.#elements(nft.NFT_MSG_NEWSETELEM, set, (e) => {
      for (const bytes of keys) writeElement(e, bytes);
    });
    return set;
  }

  #anonymousSet(key: SetKey, flags: number): SetId {
    return this.set({
      name: ANONYMOUS_SET,
      key,
      flags: nft.NFT_SET_ANONYMOUS | nft.NFT_SET_CONSTANT | flags,
    });
  }

  #addresses(type: number, { set, family, words }: Addresses): void {
    this.#elements(type, set, (e) => {
      const each = family === "v4" ? 1 : 4;
      for (let at = 0; at < words.length; at += each) {
        const element = e.begin(nft.NFTA_LIST_ELEM);
        const key = e.begin(nft.NFTA_SET_ELEM_KEY);
        if (each === 1) e.words(nft.NFTA_DATA_VALUE, words[at]! | 0);
        else e.words(nft.NFTA_DATA_VALUE, words[at]! | 0, words[at + 1]! | 0, words[at + 2], words[at + 3]);
        e.end(key);
        e.end(element);
      }
    });
  }

  #elements(type: number, set: string | SetId, write: (e: Encoder) => void): void {
    this.#message(type, type === nft.NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, (e) => {
      e.text(nft.NFTA_SET_ELEM_LIST_TABLE, this.#table);
      e.text(nft.NFTA_SET_ELEM_LIST_SET, typeof set === "string" ? set : ANONYMOUS_SET);
      if (typeof set !== "string") e.u32(nft.NFTA_SET_ELEM_LIST_SET_ID, set.id);
      e.nested(nft.NFTA_SET_ELEM_LIST_ELEMENTS, () => write(e));
    });
  }

  #object(e: Encoder, { name, type }: NamedObject): void {
    e.text(nft.NFTA_OBJ_TABLE, this.#table);
    e.text(nft.NFTA_OBJ_NAME, name);
    e.u32(nft.NFTA_OBJ_TYPE, type);
  }

  #message(type: number, flags: number, write: (e: Encoder) => void): void {
    const at = this.#batch.begin(type, flags, nft.NFPROTO_INET);
    write(this.#batch.encoder);
    this.#batch.end(at);
  }
}

/** Addresses in one message: at most 40 bytes each with a timeout, in a list that must stay below 64 KiB. */
export const ELEMENTS_A_MESSAGE = 1000;

/** Two elements of at most 36 bytes each. */
const RANGES_A_MESSAGE = 500;

/** The kernel's length of a key in bytes, and nft's number for its type. */
const KEYS: Readonly<Record<SetKey, { readonly type: number; readonly length: number }>> = {
  v4: { type: nft.TYPE_IPV4_ADDRESS, length: 4 },
  v6: { type: nft.TYPE_IPV6_ADDRESS, length: 16 },
  port: { type: nft.TYPE_PORT, length: 2 },
  protocol: { type: nft.TYPE_PROTOCOL, length: 1 },
  interface: { type: nft.TYPE_INTERFACE_NAME, length: 16 },
};

/**
 * Notes that nft keeps with a set: a type, a length and a value. Type 0 is the byte order of its keys, and value 1 the host's;
 * without it nft prints the names of interfaces as empty strings.
 */
const HOST_BYTE_ORDER = Uint8Array.of(0, 4, ...hostWord(1));

interface Addresses {
  readonly set: string;
  readonly family: Family;
  readonly words: Uint32Array;
}

/** An interval is one element where it begins, and one marked INTERVAL_END just behind its last key. */
function writeInterval(e: Encoder, first: Uint8Array, last: Uint8Array): void {
  writeElement(e, first);
  const behind = nextKey(last);
  if (behind !== null) writeElement(e, behind, { flags: nft.NFT_SET_ELEM_INTERVAL_END });
}

/** The key behind a key; null behind the last of all. */
function nextKey(key: Uint8Array): Uint8Array | null {
  const next = key.slice();
  for (let i = next.length - 1; i >= 0; i--) {
    next[i]! += 1;
    if (next[i] !== 0) return next;
  }
  return null;
}

function addressBytes(words: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => view.setUint32(i * 4, word));
  return bytes;
}

function portBytes(port: number): Uint8Array {
  return Uint8Array.of(port >> 8, port & 0xff);
}
