import type { Batch } from "../../kernel/netlink/batch.ts";
import type { Encoder } from "../../kernel/netlink/encoder.ts";
import { NLM_F_APPEND, NLM_F_CREATE } from "../../kernel/netlink/message.ts";
import type { Ranges } from "../../core/ranges.ts";
import * as nft from "../../enforce/nftables/constants.ts";
import { TableWriter } from "../../enforce/nftables/messages.ts";
import type { Family } from "../../enforce/ruleset/names.ts";
import type { Rate } from "../../enforce/ruleset/ruleset.ts";
import { NFT_OBJECT_COUNTER, NFT_OBJECT_LIMIT, writeKernelRule, writeLimit } from "./expressions.ts";
import { CAP, type CountSet, type IgnoredSet, type KernelBase, type KernelChain } from "./ruleset.ts";

/** The messages that make what the kernel counts in, into a batch. What is like that of bans goes through `plain`. */
export class KernelTableWriter {
  readonly plain: TableWriter;
  readonly #batch: Batch;
  readonly #table: string;
  /** Apart from those of `plain`. */
  #nextSetId = 100_000;

  constructor(batch: Batch, table: string) {
    this.plain = new TableWriter(batch, table);
    this.#batch = batch;
    this.#table = table;
  }

  baseChain({ name, priority }: KernelBase): void {
    this.#message(nft.NFT_MSG_NEWCHAIN, NLM_F_CREATE, (e) => {
      e.text(nft.NFTA_CHAIN_TABLE, this.#table);
      e.text(nft.NFTA_CHAIN_NAME, name);
      e.nested(nft.NFTA_CHAIN_HOOK, () => {
        e.u32(nft.NFTA_HOOK_HOOKNUM, nft.NF_INET_PRE_ROUTING);
        e.u32(nft.NFTA_HOOK_PRIORITY, priority);
      });
      e.u32(nft.NFTA_CHAIN_POLICY, nft.NF_ACCEPT);
      e.text(nft.NFTA_CHAIN_TYPE, "filter");
    });
  }

  chain(name: string): void {
    this.plain.chain({ name, base: false, rules: [] });
  }

  rules({ name, rules }: KernelChain): void {
    for (const rule of rules) {
      this.#message(nft.NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, (e) => {
        e.text(nft.NFTA_RULE_TABLE, this.#table);
        e.text(nft.NFTA_RULE_CHAIN, name);
        e.nested(nft.NFTA_RULE_EXPRESSIONS, () => writeKernelRule(e, rule));
      });
    }
  }

  countSet({ name, family, size, timeout }: CountSet): void {
    const flags = nft.NFT_SET_EVAL | (timeout === null ? 0 : nft.NFT_SET_TIMEOUT);
    this.#set(name, family, flags, (e) => {
      if (timeout !== null) e.u64(nft.NFTA_SET_TIMEOUT, timeout * 1000);
      e.nested(nft.NFTA_SET_DESC, () => e.u32(nft.NFTA_SET_DESC_SIZE, size));
    });
  }

  ignoredSet({ name, family }: IgnoredSet): void {
    this.#set(name, family, nft.NFT_SET_INTERVAL, () => {});
  }

  /** Sorted ranges: an interval is an element where it begins and one, marked as an end, behind its last. */
  ignored({ name }: IgnoredSet, { words, bounds }: Ranges): void {
    const each = words * 2;
    for (let from = 0; from < bounds.length; from += RANGES_A_MESSAGE * each) {
      this.#message(nft.NFT_MSG_NEWSETELEM, NLM_F_CREATE, (e) => {
        e.text(nft.NFTA_SET_ELEM_LIST_TABLE, this.#table);
        e.text(nft.NFTA_SET_ELEM_LIST_SET, name);
        e.nested(nft.NFTA_SET_ELEM_LIST_ELEMENTS, () => {
          const to = Math.min(bounds.length, from + RANGES_A_MESSAGE * each);
          for (let at = from; at < to; at += each) {
            element(e, bounds.subarray(at, at + words), false);
            const behind = next(bounds.subarray(at + words, at + each));
            if (behind !== null) element(e, behind, true);
          }
        });
      });
    }
  }

  /** A counter that is there keeps what it has counted. */
  counter(name: string): void {
    this.#message(NFT_MSG_NEWOBJ, NLM_F_CREATE, (e) => {
      this.#object(e, name, NFT_OBJECT_COUNTER);
      e.nested(NFTA_OBJ_DATA, () => {});
    });
  }

  /** How many bans all jails together may make. */
  cap(rate: Rate): void {
    this.#message(NFT_MSG_NEWOBJ, NLM_F_CREATE, (e) => {
      this.#object(e, CAP, NFT_OBJECT_LIMIT);
      e.nested(NFTA_OBJ_DATA, () => writeLimit(e, rate, 0));
    });
  }

  deleteCounter(name: string): void {
    this.#message(NFT_MSG_DELOBJ, 0, (e) => this.#object(e, name, NFT_OBJECT_COUNTER));
  }

  deleteCap(): void {
    this.#message(NFT_MSG_DELOBJ, 0, (e) => this.#object(e, CAP, NFT_OBJECT_LIMIT));
  }

  #set(name: string, family: Family, flags: number, more: (e: Encoder) => void): void {
    this.#message(nft.NFT_MSG_NEWSET, NLM_F_CREATE, (e) => {
      e.text(nft.NFTA_SET_TABLE, this.#table);
      e.text(nft.NFTA_SET_NAME, name);
      e.u32(nft.NFTA_SET_FLAGS, flags);
      e.u32(nft.NFTA_SET_KEY_TYPE, family === "v4" ? nft.TYPE_IPV4_ADDRESS : nft.TYPE_IPV6_ADDRESS);
      e.u32(nft.NFTA_SET_KEY_LEN, family === "v4" ? 4 : 16);
      e.u32(nft.NFTA_SET_ID, this.#nextSetId++);
      more(e);
    });
  }

  #object(e: Encoder, name: string, type: number): void {
    e.text(NFTA_OBJ_TABLE, this.#table);
    e.text(NFTA_OBJ_NAME, name);
    e.u32(NFTA_OBJ_TYPE, type);
  }

  #message(type: number, flags: number, write: (e: Encoder) => void): void {
    const at = this.#batch.begin(type, flags, nft.NFPROTO_INET);
    write(this.#batch.encoder);
    this.#batch.end(at);
  }
}

// linux/netfilter/nf_tables.h
const NFT_MSG_NEWOBJ = 18;
const NFT_MSG_DELOBJ = 20;
const NFTA_OBJ_TABLE = 1;
const NFTA_OBJ_NAME = 2;
const NFTA_OBJ_TYPE = 3;
const NFTA_OBJ_DATA = 4;

/** Two elements of 36 bytes at the most each, in a list below 64 KiB. */
const RANGES_A_MESSAGE = 500;

function element(e: Encoder, words: Uint32Array, isEnd: boolean): void {
  e.nested(nft.NFTA_LIST_ELEM, () => {
    e.nested(nft.NFTA_SET_ELEM_KEY, () => {
      if (words.length === 1) e.words(nft.NFTA_DATA_VALUE, words[0]! | 0);
      else e.words(nft.NFTA_DATA_VALUE, words[0]! | 0, words[1]! | 0, words[2]! | 0, words[3]! | 0);
    });
    if (isEnd) e.u32(nft.NFTA_SET_ELEM_FLAGS, nft.NFT_SET_ELEM_INTERVAL_END);
  });
}

/** The address behind an address; null behind the last of all. */
function next(words: Uint32Array): Uint32Array | null {
  const after = words.slice();
  for (let i = after.length - 1; i >= 0; i--) {
    after[i]! += 1;
    if (after[i] !== 0) return after;
  }
  return null;
}
