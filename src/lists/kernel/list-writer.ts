import type { Encoder } from "../../kernel/netlink/encoder.ts";
import type { Batch } from "../../kernel/netlink/batch.ts";
import { NLM_F_APPEND, NLM_F_CREATE } from "../../kernel/netlink/message.ts";
import type { Family } from "../../enforce/ruleset/names.ts";
import type { Part } from "../../enforce/ruleset/ruleset.ts";
import * as nft from "../../enforce/nftables/constants.ts";
import { writeRule } from "../../enforce/nftables/expressions.ts";
import { TableWriter } from "../../enforce/nftables/messages.ts";
import {
  BASE_CHAIN,
  FAMILIES,
  type Generation,
  type ListSet,
  type ListSpec,
  PRIORITY,
  sourceChain,
  verdictChain,
  widthOf,
} from "./ruleset.ts";

/** The messages that make and take away what lists consist of, into a batch. */
export class ListWriter {
  readonly plain: TableWriter;
  readonly #batch: Batch;
  readonly #table: string;
  #nextSetId = 1;

  constructor(batch: Batch, table: string) {
    this.plain = new TableWriter(batch, table);
    this.#batch = batch;
    this.#table = table;
  }

  baseChain(): void {
    this.#message(nft.NFT_MSG_NEWCHAIN, NLM_F_CREATE, (e) => {
      e.text(nft.NFTA_CHAIN_TABLE, this.#table);
      e.text(nft.NFTA_CHAIN_NAME, BASE_CHAIN);
      e.nested(nft.NFTA_CHAIN_HOOK, () => {
        e.u32(nft.NFTA_HOOK_HOOKNUM, nft.NF_INET_PRE_ROUTING);
        e.u32(nft.NFTA_HOOK_PRIORITY, PRIORITY);
      });
      e.u32(nft.NFTA_CHAIN_POLICY, nft.NF_ACCEPT);
      e.text(nft.NFTA_CHAIN_TYPE, "filter");
    });
  }

  chain(name: string): void {
    this.plain.chain({ name, base: false, rules: [] });
  }

  /** The lists in their order, each with the generation that is in force. */
  baseRules(lists: Iterable<{ readonly name: string; readonly generation: Generation }>): void {
    for (const { name, generation } of lists) {
      for (const family of FAMILIES) {
        this.#rule(BASE_CHAIN, [
          { kind: "family", family },
          { kind: "jump", chain: sourceChain(name, family, generation) },
        ]);
      }
    }
  }

  /** Asks sets of one list and family, the most special networks first: hosts are what there is most of. */
  sourceRules(list: string, family: Family, generation: Generation, sets: readonly ListSet[]): void {
    const width = widthOf(family);
    for (const { name, length } of sets.toSorted((a, b) => b.length - a.length || a.part - b.part)) {
      const set = { name, target: list, family, length: length === width ? null : length, spare: false };
      this.#rule(sourceChain(list, family, generation), [
        { kind: "source", set },
        { kind: "goto", chain: verdictChain(list) },
      ]);
    }
  }

  verdictRules({ name, verdict }: ListSpec): void {
    const chain = verdictChain(name);
    switch (verdict) {
      case "drop":
        return this.#rule(chain, [{ kind: "drop" }], name);
      case "count":
        return this.#rule(chain, [{ kind: "return" }], name);
      case "reject":
        // Counted in a rule of its own: what is rejected differs, what is counted does not.
        this.#rule(chain, [], name);
        this.#rule(chain, [
          { kind: "protocol", protocol: TCP },
          { kind: "reject", with: "tcp reset" },
        ]);
        return this.#rule(chain, [{ kind: "reject", with: "admin-prohibited" }]);
    }
  }

  /** A counter that is there keeps what it has counted. */
  counter(name: string): void {
    this.#message(nft.NFT_MSG_NEWOBJ, NLM_F_CREATE, (e) => {
      this.#counterName(e, name);
      e.nested(nft.NFTA_OBJ_DATA, () => {});
    });
  }

  deleteCounter(name: string): void {
    this.#message(nft.NFT_MSG_DELOBJ, 0, (e) => this.#counterName(e, name));
  }

  /** For exactly so many elements: the kernel then takes a hash table that never grows. */
  set({ name, family }: ListSet, size: number): void {
    this.#message(nft.NFT_MSG_NEWSET, NLM_F_CREATE, (e) => {
      e.text(nft.NFTA_SET_TABLE, this.#table);
      e.text(nft.NFTA_SET_NAME, name);
      e.u32(nft.NFTA_SET_FLAGS, 0);
      e.u32(nft.NFTA_SET_KEY_TYPE, family === "v4" ? nft.TYPE_IPV4_ADDRESS : nft.TYPE_IPV6_ADDRESS);
      e.u32(nft.NFTA_SET_KEY_LEN, widthOf(family) / 8);
      e.u32(nft.NFTA_SET_ID, this.#nextSetId++);
      e.nested(nft.NFTA_SET_DESC, () => e.u32(nft.NFTA_SET_DESC_SIZE, size));
    });
  }

  /** Elements from one place of an array of words to another; at most ELEMENTS_A_MESSAGE. */
  elements(set: ListSet, firsts: Uint32Array, from: number, to: number): void {
    this.#elements(nft.NFT_MSG_NEWSETELEM, set, firsts.subarray(from, to));
  }

  deleteElements(set: ListSet, firsts: Uint32Array, from: number, to: number): void {
    this.#elements(nft.NFT_MSG_DELSETELEM, set, firsts.subarray(from, to));
  }

  #elements(type: number, { name, family }: ListSet, firsts: Uint32Array): void {
    this.#message(type, type === nft.NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, (e) => {
      e.text(nft.NFTA_SET_ELEM_LIST_TABLE, this.#table);
      e.text(nft.NFTA_SET_ELEM_LIST_SET, name);
      const list = e.begin(nft.NFTA_SET_ELEM_LIST_ELEMENTS);
      for (let at = 0; at < firsts.length; at += family === "v4" ? 1 : 4) {
        const element = e.begin(nft.NFTA_LIST_ELEM);
        const key = e.begin(nft.NFTA_SET_ELEM_KEY);
        if (family === "v4") e.words(nft.NFTA_DATA_VALUE, firsts[at]! | 0);
        else {
          e.words(nft.NFTA_DATA_VALUE, firsts[at]! | 0, firsts[at + 1]! | 0, firsts[at + 2], firsts[at + 3]);
        }
        e.end(key);
        e.end(element);
      }
      e.end(list);
    });
  }

  #counterName(e: Encoder, name: string): void {
    e.text(nft.NFTA_OBJ_TABLE, this.#table);
    e.text(nft.NFTA_OBJ_NAME, name);
    e.u32(nft.NFTA_OBJ_TYPE, nft.NFT_OBJECT_COUNTER);
  }

  /** With a counter, that is asked for after what the rule matches and before what it does. */
  #rule(chain: string, parts: readonly Part[], counter?: string): void {
    this.#message(nft.NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, (e) => {
      e.text(nft.NFTA_RULE_TABLE, this.#table);
      e.text(nft.NFTA_RULE_CHAIN, chain);
      e.nested(nft.NFTA_RULE_EXPRESSIONS, () => {
        if (counter !== undefined) countIn(e, counter);
        writeRule(e, parts);
      });
    });
  }

  #message(type: number, flags: number, write: (e: Encoder) => void): void {
    const at = this.#batch.begin(type, flags, nft.NFPROTO_INET);
    write(this.#batch.encoder);
    this.#batch.end(at);
  }
}

/** An element in a message takes 28 bytes at the most, and a list of them must stay below 64 KiB. */
export const ELEMENTS_A_MESSAGE = 1000;

/** IANA's protocol number. */
const TCP = 6;

/** NFTA_OBJREF_IMM_TYPE and NFTA_OBJREF_IMM_NAME. */
function countIn(e: Encoder, name: string): void {
  e.nested(nft.NFTA_LIST_ELEM, () => {
    e.text(nft.NFTA_EXPR_NAME, "objref");
    e.nested(nft.NFTA_EXPR_DATA, () => {
      e.u32(1, nft.NFT_OBJECT_COUNTER);
      e.text(2, name);
    });
  });
}
