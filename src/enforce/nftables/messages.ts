import type { Batch } from "../../kernel/netlink/batch.ts";
import { NLM_F_APPEND, NLM_F_CREATE } from "../../kernel/netlink/message.ts";
import type { PortRange } from "../enforcer.ts";
import type { BanSet } from "../ruleset/names.ts";
import { type Chain, type HelperSet, PRIORITY, type Rule } from "../ruleset/ruleset.ts";
import * as nft from "./constants.ts";
import { writeRule } from "./expressions.ts";

/** The messages that make and take away what holds the bans. All of them go into a batch, in the order of the calls. */
export class TableWriter {
  readonly #batch: Batch;
  readonly #table: string;
  #nextSetId = 1;

  constructor(batch: Batch, table: string) {
    this.#batch = batch;
    this.#table = table;
  }

  table(flags: number): void {
    this.#message(nft.NFT_MSG_NEWTABLE, NLM_F_CREATE, () => {
      this.#e.text(nft.NFTA_TABLE_NAME, this.#table);
      if (flags !== 0) this.#e.u32(nft.NFTA_TABLE_FLAGS, flags);
    });
  }

  deleteTable(): void {
    this.#message(nft.NFT_MSG_DELTABLE, 0, () => this.#e.text(nft.NFTA_TABLE_NAME, this.#table));
  }

  chain({ name, base }: Chain): void {
    this.#message(nft.NFT_MSG_NEWCHAIN, NLM_F_CREATE, () => {
      this.#e.text(nft.NFTA_CHAIN_TABLE, this.#table);
      this.#e.text(nft.NFTA_CHAIN_NAME, name);
      if (!base) return;
      this.#e.nested(nft.NFTA_CHAIN_HOOK, () => {
        this.#e.u32(nft.NFTA_HOOK_HOOKNUM, nft.NF_INET_PRE_ROUTING);
        this.#e.u32(nft.NFTA_HOOK_PRIORITY, PRIORITY);
      });
      this.#e.u32(nft.NFTA_CHAIN_POLICY, nft.NF_ACCEPT);
      this.#e.text(nft.NFTA_CHAIN_TYPE, "filter");
    });
  }

  deleteChain(name: string): void {
    this.#message(nft.NFT_MSG_DELCHAIN, 0, () => {
      this.#e.text(nft.NFTA_CHAIN_TABLE, this.#table);
      this.#e.text(nft.NFTA_CHAIN_NAME, name);
    });
  }

  /** Takes all rules out of a chain. */
  flushChain(name: string): void {
    this.#message(nft.NFT_MSG_DELRULE, 0, () => {
      this.#e.text(nft.NFTA_RULE_TABLE, this.#table);
      this.#e.text(nft.NFTA_RULE_CHAIN, name);
    });
  }

  rules({ name, rules }: Chain): void {
    for (const rule of rules) this.#rule(name, rule);
  }

  banSet({ name, family }: BanSet, size: number): void {
    const { keyType, keyLength } = keyOf(family);
    this.#set(name, { keyType, keyLength, flags: nft.NFT_SET_TIMEOUT, size });
  }

  helperSet(set: HelperSet): void {
    if (set.kind === "ports") {
      this.#set(set.name, { keyType: nft.TYPE_PORT, keyLength: 2, flags: nft.NFT_SET_INTERVAL });
      this.#portElements(set.name, set.ranges);
    } else {
      const { keyType, keyLength } = keyOf(set.family);
      const flags = nft.NFT_SET_EVAL | nft.NFT_SET_TIMEOUT;
      this.#set(set.name, { keyType, keyLength, flags, size: set.size, timeout: set.timeout * 1000 });
    }
  }

  deleteSet(name: string): void {
    this.#message(nft.NFT_MSG_DELSET, 0, () => {
      this.#e.text(nft.NFTA_SET_TABLE, this.#table);
      this.#e.text(nft.NFTA_SET_NAME, name);
    });
  }

  /** A delete without elements takes all. */
  flushSet(name: string): void {
    this.#message(nft.NFT_MSG_DELSETELEM, 0, () => {
      this.#e.text(nft.NFTA_SET_ELEM_LIST_TABLE, this.#table);
      this.#e.text(nft.NFTA_SET_ELEM_LIST_SET, name);
    });
  }

  get #e() {
    return this.#batch.encoder;
  }

  #message(type: number, flags: number, write: () => void): void {
    const at = this.#batch.begin(type, flags, nft.NFPROTO_INET);
    write();
    this.#batch.end(at);
  }

  #rule(chain: string, rule: Rule): void {
    this.#message(nft.NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, () => {
      this.#e.text(nft.NFTA_RULE_TABLE, this.#table);
      this.#e.text(nft.NFTA_RULE_CHAIN, chain);
      this.#e.nested(nft.NFTA_RULE_EXPRESSIONS, () => writeRule(this.#e, rule));
    });
  }

  #set(name: string, shape: SetShape): void {
    this.#message(nft.NFT_MSG_NEWSET, NLM_F_CREATE, () => {
      this.#e.text(nft.NFTA_SET_TABLE, this.#table);
      this.#e.text(nft.NFTA_SET_NAME, name);
      this.#e.u32(nft.NFTA_SET_FLAGS, shape.flags);
      this.#e.u32(nft.NFTA_SET_KEY_TYPE, shape.keyType);
      this.#e.u32(nft.NFTA_SET_KEY_LEN, shape.keyLength);
      // Asked for by the kernel; tells the sets of one batch apart.
      this.#e.u32(nft.NFTA_SET_ID, this.#nextSetId++);
      if (shape.timeout !== undefined) this.#e.u64(nft.NFTA_SET_TIMEOUT, shape.timeout);
      const { size } = shape;
      if (size !== undefined) {
        this.#e.nested(nft.NFTA_SET_DESC, () => this.#e.u32(nft.NFTA_SET_DESC_SIZE, size));
      }
    });
  }

  /** An interval is an element where it begins and one, marked as an end, behind its last. */
  #portElements(set: string, ranges: readonly PortRange[]): void {
    this.#message(nft.NFT_MSG_NEWSETELEM, NLM_F_CREATE, () => {
      this.#e.text(nft.NFTA_SET_ELEM_LIST_TABLE, this.#table);
      this.#e.text(nft.NFTA_SET_ELEM_LIST_SET, set);
      this.#e.nested(nft.NFTA_SET_ELEM_LIST_ELEMENTS, () => {
        for (const { first, last } of ranges) {
          this.#portElement(first, 0);
          if (last < 65535) this.#portElement(last + 1, nft.NFT_SET_ELEM_INTERVAL_END);
        }
      });
    });
  }

  #portElement(port: number, flags: number): void {
    this.#e.nested(nft.NFTA_LIST_ELEM, () => {
      this.#e.nested(nft.NFTA_SET_ELEM_KEY, () => this.#e.u16(nft.NFTA_DATA_VALUE, port));
      if (flags !== 0) this.#e.u32(nft.NFTA_SET_ELEM_FLAGS, flags);
    });
  }
}

interface SetShape {
  readonly keyType: number;
  readonly keyLength: number;
  readonly flags: number;
  readonly size?: number;
  /** Milliseconds. */
  readonly timeout?: number;
}

function keyOf(family: BanSet["family"]): { readonly keyType: number; readonly keyLength: number } {
  return family === "v4"
    ? { keyType: nft.TYPE_IPV4_ADDRESS, keyLength: 4 }
    : { keyType: nft.TYPE_IPV6_ADDRESS, keyLength: 16 };
}
