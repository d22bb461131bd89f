import { HOST_LITTLE_ENDIAN } from "../../kernel/netlink/align.ts";
import type { Encoder } from "../../kernel/netlink/encoder.ts";
import { NFTA_DATA_VALUE, NFTA_EXPR_DATA, NFTA_EXPR_NAME } from "../../enforce/nftables/constants.ts";
import {
  compareByte,
  expression,
  loadMeta,
  loadPayload,
  loadSource,
  mask,
  REGISTER,
  TRANSPORT_HEADER,
  writeRule,
} from "../../enforce/nftables/expressions.ts";
import type { Family } from "../../enforce/ruleset/names.ts";
import type { Rate } from "../../enforce/ruleset/ruleset.ts";
import type { KernelPart, KernelRule } from "./ruleset.ts";

/** Writes a rule as the list of expressions that the kernel runs. */
export function writeKernelRule(e: Encoder, rule: KernelRule): void {
  for (const part of rule) writePart(e, part);
}

function writePart(e: Encoder, part: KernelPart): void {
  switch (part.kind) {
    case "loopback":
      loadMeta(e, META_IIF);
      return compare(e, CMP_EQUAL, hostWord(LOOPBACK_INDEX));
    case "interface":
      loadMeta(e, META_IIFNAME);
      return compare(e, CMP_EQUAL, interfaceName(part.name));
    case "flags":
      loadPayload(e, TRANSPORT_HEADER, TCP_FLAGS_AT, 1);
      bitwise(e, Uint8Array.of(part.set | part.clear));
      return compareByte(e, part.set);
    case "opening":
      expression(e, "ct", () => {
        e.u32(1, REGISTER);
        e.u32(2, CT_STATE);
      });
      bitwise(e, hostWord(CT_STATE_NEW));
      return compare(e, CMP_NOT_EQUAL, hostWord(0));
    case "among":
      loadKey(e, part.family, part.length);
      return expression(e, "lookup", () => {
        e.text(1, part.set);
        e.u32(2, REGISTER);
        if (part.not) e.u32(5, LOOKUP_INVERTED);
      });
    case "count":
      return object(e, NFT_OBJECT_COUNTER, part.counter);
    case "capped":
      return object(e, NFT_OBJECT_LIMIT, part.limit);
    case "bucket":
      loadKey(e, part.family, part.length);
      return dynamic(e, DYNSET_UPDATE, part.set, () => {
        e.nested(7, () => {
          e.text(NFTA_EXPR_NAME, "limit");
          e.nested(NFTA_EXPR_DATA, () => writeLimit(e, part.rate, LIMIT_OVER));
        });
      });
    case "connections":
      loadKey(e, part.family, part.length);
      // Not updated: who has no connection any more is forgotten by the kernel itself.
      return dynamic(e, DYNSET_ADD, part.set, () => {
        e.nested(7, () => {
          e.text(NFTA_EXPR_NAME, "connlimit");
          e.nested(NFTA_EXPR_DATA, () => {
            e.u32(1, part.most);
            e.u32(2, CONNLIMIT_OVER);
          });
        });
      });
    case "ban":
      loadKey(e, part.set.family, part.set.length);
      // Added only: who goes on while banned is not banned longer, as in any other jail.
      return dynamic(e, DYNSET_ADD, part.set.name, () => {
        if (part.timeout !== null) e.u64(6, part.timeout);
      });
    default:
      return writeRule(e, [part]);
  }
}

/** NFTA_LIMIT_RATE, UNIT, BURST, TYPE (0: packets) and FLAGS. */
export function writeLimit(e: Encoder, { packets, seconds, burst }: Rate, flags: number): void {
  e.u64(1, packets);
  e.u64(2, seconds);
  e.u32(3, burst);
  e.u32(4, 0);
  e.u32(5, flags);
}

// linux/netfilter/nf_tables.h and nf_conntrack_common.h. Numbers of attributes stand where they are used.
export const NFT_OBJECT_COUNTER = 1;
export const NFT_OBJECT_LIMIT = 4;
const META_IIF = 4;
const META_IIFNAME = 6;
const LOOPBACK_INDEX = 1;
/** IFNAMSIZ. */
const NAME_BYTES = 16;
const TCP_FLAGS_AT = 13;
const CT_STATE = 0;
/** NF_CT_STATE_BIT(IP_CT_NEW). */
const CT_STATE_NEW = 8;
const CMP_EQUAL = 0;
const CMP_NOT_EQUAL = 1;
const LOOKUP_INVERTED = 1;
const DYNSET_ADD = 0;
const DYNSET_UPDATE = 1;
const LIMIT_OVER = 1;
const CONNLIMIT_OVER = 1;

function loadKey(e: Encoder, family: Family, length: number | null): void {
  loadSource(e, family);
  if (length !== null) mask(e, family, length);
}

function dynamic(e: Encoder, operation: number, set: string, write: () => void): void {
  expression(e, "dynset", () => {
    e.text(1, set);
    e.u32(3, operation);
    e.u32(4, REGISTER);
    write();
  });
}

function object(e: Encoder, type: number, name: string): void {
  expression(e, "objref", () => {
    e.u32(1, type);
    e.text(2, name);
  });
}

function compare(e: Encoder, operation: number, value: Uint8Array): void {
  expression(e, "cmp", () => {
    e.u32(1, REGISTER);
    e.u32(2, operation);
    e.nested(3, () => e.raw(NFTA_DATA_VALUE, value));
  });
}

function bitwise(e: Encoder, bits: Uint8Array): void {
  expression(e, "bitwise", () => {
    e.u32(1, REGISTER);
    e.u32(2, REGISTER);
    e.u32(3, bits.length);
    e.nested(4, () => e.raw(NFTA_DATA_VALUE, bits));
    e.nested(5, () => e.raw(NFTA_DATA_VALUE, new Uint8Array(bits.length)));
  });
}

/** What the kernel keeps in a register as a number has the machine's own order. */
function hostWord(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, HOST_LITTLE_ENDIAN);
  return bytes;
}

function interfaceName(name: string): Uint8Array {
  const bytes = new Uint8Array(NAME_BYTES);
  bytes.set(Buffer.from(name).subarray(0, NAME_BYTES - 1));
  return bytes;
}
