import { wordMask } from "../../core/prefix.ts";
import type { Encoder } from "../../kernel/netlink/encoder.ts";
import type { Family } from "../ruleset/names.ts";
import type { Part, Rate, Rule } from "../ruleset/ruleset.ts";
import {
  NFPROTO_IPV4,
  NFPROTO_IPV6,
  NFTA_DATA_VALUE,
  NFTA_DATA_VERDICT,
  NFTA_EXPR_DATA,
  NFTA_EXPR_NAME,
  NFTA_LIST_ELEM,
  NFTA_VERDICT_CHAIN,
  NFTA_VERDICT_CODE,
} from "./constants.ts";

/** Writes a rule as the list of expressions that the kernel runs, one register between them. */
export function writeRule(e: Encoder, rule: Rule): void {
  for (const part of rule) writePart(e, part);
}

function writePart(e: Encoder, part: Part): void {
  switch (part.kind) {
    case "family":
      loadMeta(e, META_NFPROTO);
      return compareByte(e, part.family === "v4" ? NFPROTO_IPV4 : NFPROTO_IPV6);
    case "source":
      // The kernel would not need it, the chain is for one family only; nft needs it to show 'ip saddr'.
      writePart(e, { kind: "family", family: part.set.family });
      loadSource(e, part.set.family);
      if (part.set.length !== null) mask(e, part.set.family, part.set.length);
      return lookUp(e, part.set.name);
    case "protocol":
      loadMeta(e, META_L4PROTO);
      return compareByte(e, part.protocol);
    case "port":
      loadPayload(e, TRANSPORT_HEADER, 2, 2);
      return lookUp(e, part.set);
    case "rate":
      loadSource(e, part.family);
      return countRate(e, part.set, part.rate);
    case "counter":
      return expression(e, "counter", () => {});
    case "drop":
      return verdict(e, NF_DROP);
    case "return":
      return verdict(e, NFT_RETURN);
    case "jump":
      return verdict(e, NFT_JUMP, part.chain);
    case "goto":
      return verdict(e, NFT_GOTO, part.chain);
    case "reject":
      return part.with === "tcp reset"
        ? reject(e, NFT_REJECT_TCP_RST, 0)
        : reject(e, NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
  }
}

// linux/netfilter/nf_tables.h. Numbers of attributes stand where they are used, in the order of the header's enums.
export const REGISTER = 1;
const VERDICT_REGISTER = 0;
const META_NFPROTO = 15;
const META_L4PROTO = 16;
const NETWORK_HEADER = 1;
export const TRANSPORT_HEADER = 2;
const CMP_EQUAL = 0;
const NF_DROP = 0;
const NFT_JUMP = -3;
const NFT_GOTO = -4;
const NFT_RETURN = -5;
const NFT_REJECT_TCP_RST = 1;
const NFT_REJECT_ICMPX_UNREACH = 2;
const NFT_REJECT_ICMPX_ADMIN_PROHIBITED = 3;
const NFT_DYNSET_OP_UPDATE = 1;

export function loadMeta(e: Encoder, key: number): void {
  expression(e, "meta", () => {
    e.u32(1, REGISTER);
    e.u32(2, key);
  });
}

export function compareByte(e: Encoder, value: number): void {
  expression(e, "cmp", () => {
    e.u32(1, REGISTER);
    e.u32(2, CMP_EQUAL);
    e.nested(3, () => e.u8(NFTA_DATA_VALUE, value));
  });
}

/** RFC 791: the source stands at byte 12; RFC 8200: at byte 8. */
export function loadSource(e: Encoder, family: Family): void {
  if (family === "v4") loadPayload(e, NETWORK_HEADER, 12, 4);
  else loadPayload(e, NETWORK_HEADER, 8, 16);
}

export function loadPayload(e: Encoder, base: number, offset: number, length: number): void {
  expression(e, "payload", () => {
    e.u32(1, REGISTER);
    e.u32(2, base);
    e.u32(3, offset);
    e.u32(4, length);
  });
}

export function mask(e: Encoder, family: Family, length: number): void {
  expression(e, "bitwise", () => {
    e.u32(1, REGISTER);
    e.u32(2, REGISTER);
    e.u32(3, family === "v4" ? 4 : 16);
    e.nested(4, () => {
      if (family === "v4") e.words(NFTA_DATA_VALUE, wordMask(length));
      else {
        const [w0, w1, w2, w3] = [0, 32, 64, 96].map((bits) => wordMask(length - bits));
        e.words(NFTA_DATA_VALUE, w0!, w1, w2, w3);
      }
    });
    e.nested(5, () => {
      if (family === "v4") e.words(NFTA_DATA_VALUE, 0);
      else e.words(NFTA_DATA_VALUE, 0, 0, 0, 0);
    });
  });
}

export function lookUp(e: Encoder, set: string): void {
  expression(e, "lookup", () => {
    e.text(1, set);
    e.u32(2, REGISTER);
  });
}

/** A token bucket for each address in a set that the kernel fills by itself. */
function countRate(e: Encoder, set: string, rate: Rate): void {
  expression(e, "dynset", () => {
    e.text(1, set);
    e.u32(3, NFT_DYNSET_OP_UPDATE);
    e.u32(4, REGISTER);
    e.nested(7, () => {
      e.text(NFTA_EXPR_NAME, "limit");
      e.nested(NFTA_EXPR_DATA, () => {
        e.u64(1, rate.packets);
        e.u64(2, rate.seconds);
        e.u32(3, rate.burst);
        e.u32(4, 0);
        e.u32(5, 0);
      });
    });
  });
}

function verdict(e: Encoder, code: number, chain?: string): void {
  expression(e, "immediate", () => {
    e.u32(1, VERDICT_REGISTER);
    e.nested(2, () => {
      e.nested(NFTA_DATA_VERDICT, () => {
        e.u32(NFTA_VERDICT_CODE, code);
        if (chain !== undefined) e.text(NFTA_VERDICT_CHAIN, chain);
      });
    });
  });
}

function reject(e: Encoder, type: number, code: number): void {
  expression(e, "reject", () => {
    e.u32(1, type);
    e.u8(2, code);
  });
}

export function expression(e: Encoder, name: string, write: () => void): void {
  e.nested(NFTA_LIST_ELEM, () => {
    e.text(NFTA_EXPR_NAME, name);
    e.nested(NFTA_EXPR_DATA, write);
  });
}
