import type { Family } from "../../core/family.ts";
import { wordMask } from "../../core/prefix.ts";
import { HOST_LITTLE_ENDIAN } from "../netlink/align.ts";
import type { Encoder } from "../netlink/encoder.ts";
import * as nft from "./constants.ts";
import type { AddressSet, Field, Log, Part, Rate, Rule, SetId } from "./rule.ts";

/** Writes a rule as the list of expressions that the kernel runs. One register carries the values between them. */
export function writeRule(e: Encoder, rule: Rule): void {
  for (const part of rule) writePart(e, part);
}

/** The attributes of a limit, as an expression and as a named object have them. */
export function writeLimit(e: Encoder, { packets, seconds, burst }: Rate, over: boolean): void {
  e.u64(nft.NFTA_LIMIT_RATE, packets);
  e.u64(nft.NFTA_LIMIT_UNIT, seconds);
  e.u32(nft.NFTA_LIMIT_BURST, burst);
  e.u32(nft.NFTA_LIMIT_TYPE, nft.NFT_LIMIT_PKTS);
  e.u32(nft.NFTA_LIMIT_FLAGS, over ? nft.NFT_LIMIT_F_INV : 0);
}

/** An interface's name, padded with NUL to the kernel's IFNAMSIZ. */
export function interfaceName(name: string): Uint8Array {
  const bytes = new Uint8Array(IFNAMSIZ);
  bytes.set(Buffer.from(name).subarray(0, IFNAMSIZ - 1));
  return bytes;
}

const IFNAMSIZ = 16;

/** The loopback interface has this index in every network namespace. */
const LOOPBACK_IFINDEX = 1;

/** Offsets in headers: RFC 9293 and RFC 768, RFC 791, RFC 8200. */
const DESTINATION_PORT = 2;
const TCP_FLAGS = 13;
const IPV4_SOURCE = 12;
const IPV6_SOURCE = 8;

function writePart(e: Encoder, part: Part): void {
  switch (part.kind) {
    case "family":
      loadMeta(e, nft.NFT_META_NFPROTO);
      return compareByte(e, part.family === "v4" ? nft.NFPROTO_IPV4 : nft.NFPROTO_IPV6);
    case "loopback":
      loadMeta(e, nft.NFT_META_IIF);
      return compare(e, nft.NFT_CMP_EQ, hostWord(LOOPBACK_IFINDEX));
    case "interface":
      loadField(e, "interface");
      return compare(e, nft.NFT_CMP_EQ, interfaceName(part.name));
    case "protocol":
      loadField(e, "protocol");
      return compareByte(e, part.protocol);
    case "port":
      loadField(e, "port");
      return lookUp(e, part.set);
    case "any of":
      loadField(e, part.field);
      return lookUp(e, part.set);
    case "flags":
      loadPayload(e, { base: nft.NFT_PAYLOAD_TRANSPORT_HEADER, offset: TCP_FLAGS, length: 1 });
      bitwiseAnd(e, Uint8Array.of(part.set | part.clear));
      return compareByte(e, part.set);
    case "new connection":
      expression(e, "ct", () => {
        e.u32(nft.NFTA_CT_DREG, nft.NFT_REG_1);
        e.u32(nft.NFTA_CT_KEY, nft.NFT_CT_STATE);
      });
      bitwiseAnd(e, hostWord(nft.NF_CT_STATE_NEW_BIT));
      return compare(e, nft.NFT_CMP_NEQ, hostWord(0));
    case "source":
      // The kernel does not need the family in a chain that only one family reaches; nft needs it to print 'ip saddr'.
      writePart(e, { kind: "family", family: part.set.family });
      loadSource(e, part.set);
      return lookUp(e, part.set.name, part.not);
    case "limit":
      return expression(e, "limit", () => writeLimit(e, part.rate, part.over));
    case "limit object":
      return objectReference(e, nft.NFT_OBJECT_LIMIT, part.name);
    case "source limit":
      loadSource(e, part.set);
      return dynamicSet(e, nft.NFT_DYNSET_OP_UPDATE, part.set, () =>
        dynamicExpression(e, "limit", () => writeLimit(e, part.rate, part.over)),
      );
    case "source connections":
      loadSource(e, part.set);
      // Added, not updated: the kernel itself removes an address that has no connection left.
      return dynamicSet(e, nft.NFT_DYNSET_OP_ADD, part.set, () =>
        dynamicExpression(e, "connlimit", () => {
          e.u32(nft.NFTA_CONNLIMIT_COUNT, part.over);
          e.u32(nft.NFTA_CONNLIMIT_FLAGS, nft.NFT_CONNLIMIT_F_INV);
        }),
      );
    case "add source":
      loadSource(e, part.set);
      return dynamicSet(e, nft.NFT_DYNSET_OP_ADD, part.set, () => {
        if (part.timeout !== null) e.u64(nft.NFTA_DYNSET_TIMEOUT, part.timeout);
      });
    case "counter":
      return expression(e, "counter", () => {});
    case "counter object":
      return objectReference(e, nft.NFT_OBJECT_COUNTER, part.name);
    case "log":
      return log(e, part.log);
    case "jump":
      return verdict(e, nft.NFT_JUMP, part.chain);
    case "goto":
      return verdict(e, nft.NFT_GOTO, part.chain);
    case "drop":
      return verdict(e, nft.NF_DROP);
    case "return":
      return verdict(e, nft.NFT_RETURN);
    case "reject":
      return part.with === "tcp reset"
        ? reject(e, nft.NFT_REJECT_TCP_RST, 0)
        : reject(e, nft.NFT_REJECT_ICMPX_UNREACH, nft.NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
  }
}

function loadField(e: Encoder, field: Field): void {
  switch (field) {
    case "interface":
      return loadMeta(e, nft.NFT_META_IIFNAME);
    case "protocol":
      return loadMeta(e, nft.NFT_META_L4PROTO);
    case "port":
      return loadPayload(e, { base: nft.NFT_PAYLOAD_TRANSPORT_HEADER, offset: DESTINATION_PORT, length: 2 });
  }
}

function loadMeta(e: Encoder, key: number): void {
  expression(e, "meta", () => {
    e.u32(nft.NFTA_META_DREG, nft.NFT_REG_1);
    e.u32(nft.NFTA_META_KEY, key);
  });
}

interface Payload {
  readonly base: number;
  readonly offset: number;
  readonly length: number;
}

function loadPayload(e: Encoder, { base, offset, length }: Payload): void {
  expression(e, "payload", () => {
    e.u32(nft.NFTA_PAYLOAD_DREG, nft.NFT_REG_1);
    e.u32(nft.NFTA_PAYLOAD_BASE, base);
    e.u32(nft.NFTA_PAYLOAD_OFFSET, offset);
    e.u32(nft.NFTA_PAYLOAD_LEN, length);
  });
}

/** The source address, masked to the set's prefix length. */
function loadSource(e: Encoder, { family, length }: AddressSet): void {
  const base = nft.NFT_PAYLOAD_NETWORK_HEADER;
  if (family === "v4") loadPayload(e, { base, offset: IPV4_SOURCE, length: 4 });
  else loadPayload(e, { base, offset: IPV6_SOURCE, length: 16 });
  if (length !== null) bitwiseAnd(e, maskOf(family, length));
}

function maskOf(family: Family, length: number): Uint8Array {
  const words = family === "v4" ? [0] : [0, 32, 64, 96];
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((bits, i) => view.setInt32(i * 4, wordMask(length - bits)));
  return bytes;
}

function bitwiseAnd(e: Encoder, mask: Uint8Array): void {
  expression(e, "bitwise", () => {
    e.u32(nft.NFTA_BITWISE_SREG, nft.NFT_REG_1);
    e.u32(nft.NFTA_BITWISE_DREG, nft.NFT_REG_1);
    e.u32(nft.NFTA_BITWISE_LEN, mask.length);
    e.nested(nft.NFTA_BITWISE_MASK, () => e.raw(nft.NFTA_DATA_VALUE, mask));
    e.nested(nft.NFTA_BITWISE_XOR, () => e.raw(nft.NFTA_DATA_VALUE, new Uint8Array(mask.length)));
  });
}

function compareByte(e: Encoder, value: number): void {
  compare(e, nft.NFT_CMP_EQ, Uint8Array.of(value));
}

function compare(e: Encoder, operation: number, value: Uint8Array): void {
  expression(e, "cmp", () => {
    e.u32(nft.NFTA_CMP_SREG, nft.NFT_REG_1);
    e.u32(nft.NFTA_CMP_OP, operation);
    e.nested(nft.NFTA_CMP_DATA, () => e.raw(nft.NFTA_DATA_VALUE, value));
  });
}

/** A number in the machine's own byte order, as the kernel keeps it in a register. */
export function hostWord(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, HOST_LITTLE_ENDIAN);
  return bytes;
}

function lookUp(e: Encoder, set: string | SetId, not = false): void {
  expression(e, "lookup", () => {
    e.text(nft.NFTA_LOOKUP_SET, typeof set === "string" ? set : ANONYMOUS_SET);
    e.u32(nft.NFTA_LOOKUP_SREG, nft.NFT_REG_1);
    if (typeof set !== "string") e.u32(nft.NFTA_LOOKUP_SET_ID, set.id);
    if (not) e.u32(nft.NFTA_LOOKUP_FLAGS, nft.NFT_LOOKUP_F_INV);
  });
}

/** The kernel puts a number in the place of `%d`. */
export const ANONYMOUS_SET = "__set%d";

/** Adds the loaded address to a set that the kernel fills by itself, with what `write` says about the element. */
function dynamicSet(e: Encoder, operation: number, { name }: AddressSet, write: () => void): void {
  expression(e, "dynset", () => {
    e.text(nft.NFTA_DYNSET_SET_NAME, name);
    e.u32(nft.NFTA_DYNSET_OP, operation);
    e.u32(nft.NFTA_DYNSET_SREG_KEY, nft.NFT_REG_1);
    write();
  });
}

/** An expression that the kernel keeps for each element of the set. */
function dynamicExpression(e: Encoder, name: string, write: () => void): void {
  e.nested(nft.NFTA_DYNSET_EXPR, () => {
    e.text(nft.NFTA_EXPR_NAME, name);
    e.nested(nft.NFTA_EXPR_DATA, write);
  });
}

function objectReference(e: Encoder, type: number, name: string): void {
  expression(e, "objref", () => {
    e.u32(nft.NFTA_OBJREF_IMM_TYPE, type);
    e.text(nft.NFTA_OBJREF_IMM_NAME, name);
  });
}

function log(e: Encoder, { group, prefix, snaplen, threshold }: Log): void {
  expression(e, "log", () => {
    e.text(nft.NFTA_LOG_PREFIX, prefix);
    e.u16(nft.NFTA_LOG_GROUP, group);
    e.u32(nft.NFTA_LOG_SNAPLEN, snaplen);
    e.u16(nft.NFTA_LOG_QTHRESHOLD, threshold);
  });
}

function verdict(e: Encoder, code: number, chain?: string): void {
  expression(e, "immediate", () => {
    e.u32(nft.NFTA_IMMEDIATE_DREG, nft.NFT_REG_VERDICT);
    e.nested(nft.NFTA_IMMEDIATE_DATA, () => {
      e.nested(nft.NFTA_DATA_VERDICT, () => {
        e.u32(nft.NFTA_VERDICT_CODE, code);
        if (chain !== undefined) e.text(nft.NFTA_VERDICT_CHAIN, chain);
      });
    });
  });
}

function reject(e: Encoder, type: number, code: number): void {
  expression(e, "reject", () => {
    e.u32(nft.NFTA_REJECT_TYPE, type);
    e.u8(nft.NFTA_REJECT_ICMP_CODE, code);
  });
}

function expression(e: Encoder, name: string, write: () => void): void {
  e.nested(nft.NFTA_LIST_ELEM, () => {
    e.text(nft.NFTA_EXPR_NAME, name);
    e.nested(nft.NFTA_EXPR_DATA, write);
  });
}
