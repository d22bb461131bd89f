import { addressFromBytes, isV4 } from "../../core/address.ts";
import { type Prefix, prefixOf } from "../../core/prefix.ts";
import { systemError } from "../../kernel/native/system-error.ts";
import type { AttributeReader } from "../../kernel/netlink/attribute.ts";
import type { Encoder } from "../../kernel/netlink/encoder.ts";
import { attributesOf, type Message } from "../../kernel/netlink/message.ts";
import type { FoundSet, NewSet, SetChange, SetElement } from "./sets.ts";

// linux/netfilter/ipset/ip_set.h and nfnetlink.h. Names are the header's.
export const NFNL_SUBSYS_IPSET = 6;
export const IPSET_CMD_CREATE = 2;
export const IPSET_CMD_DESTROY = 3;
export const IPSET_CMD_FLUSH = 4;
export const IPSET_CMD_SWAP = 6;
export const IPSET_CMD_LIST = 7;
export const IPSET_CMD_ADD = 9;
export const IPSET_CMD_DEL = 10;
export const IPSET_CMD_TEST = 11;

const IPSET_ATTR_PROTOCOL = 1;
const IPSET_ATTR_SETNAME = 2;
const IPSET_ATTR_TYPENAME = 3;
const IPSET_ATTR_SETNAME2 = 3;
const IPSET_ATTR_REVISION = 4;
const IPSET_ATTR_FAMILY = 5;
const IPSET_ATTR_FLAGS = 6;
const IPSET_ATTR_DATA = 7;
const IPSET_ATTR_ADT = 8;
const IPSET_ATTR_IP = 1;
const IPSET_ATTR_CIDR = 3;
const IPSET_ATTR_TIMEOUT = 6;
const IPSET_ATTR_HASHSIZE = 18;
const IPSET_ATTR_MAXELEM = 19;
/** Attributes of an element; they follow IPSET_ATTR_CADT_MAX. */
const IPSET_ATTR_NAME = 18;
const IPSET_ATTR_SIZE = 23;
const IPSET_ATTR_ELEMENTS = 24;
const IPSET_ATTR_IPADDR_IPV4 = 1;
const IPSET_ATTR_IPADDR_IPV6 = 2;
const IPSET_FLAG_LIST_HEADER = 4;
/** NLA_F_NET_BYTEORDER: ipset refuses numbers without it. */
const NET = 0x4000;

/** The oldest protocol, which all kernels speak. */
const PROTOCOL = 6;
const NFPROTO_IPV4 = 2;
const NFPROTO_IPV6 = 10;

/** The most members of a list; ours has four. */
const LIST_SIZE = 8;

/** The first attributes of every message. */
export function writeName(e: Encoder, name: string): void {
  e.u8(IPSET_ATTR_PROTOCOL, PROTOCOL);
  e.text(IPSET_ATTR_SETNAME, name);
}

export function writeSecondName(e: Encoder, name: string): void {
  e.text(IPSET_ATTR_SETNAME2, name);
}

export function writeHeadersOnly(e: Encoder): void {
  e.u32(IPSET_ATTR_FLAGS | NET, IPSET_FLAG_LIST_HEADER);
}

/** Revision 0 of a type is in every kernel and sufficient. Each element states its own time-out. */
export function writeShape(e: Encoder, set: NewSet): void {
  e.text(IPSET_ATTR_TYPENAME, set.type);
  e.u8(IPSET_ATTR_REVISION, 0);
  if (set.type === "list:set") {
    e.u8(IPSET_ATTR_FAMILY, 0);
    e.nested(IPSET_ATTR_DATA, () => e.u32(IPSET_ATTR_SIZE | NET, LIST_SIZE));
    return;
  }
  e.u8(IPSET_ATTR_FAMILY, set.family === "v4" ? NFPROTO_IPV4 : NFPROTO_IPV6);
  e.nested(IPSET_ATTR_DATA, () => {
    e.u32(IPSET_ATTR_HASHSIZE | NET, set.buckets);
    e.u32(IPSET_ATTR_MAXELEM | NET, set.capacity);
    e.u32(IPSET_ATTR_TIMEOUT | NET, 0);
  });
}

export function writeMember(e: Encoder, member: string): void {
  e.nested(IPSET_ATTR_DATA, () => e.text(IPSET_ATTR_NAME, member));
}

export function writeElement(e: Encoder, prefix: Prefix, seconds: SetChange["seconds"]): void {
  const { address, length } = prefix;
  const data = e.begin(IPSET_ATTR_DATA);
  const ip = e.begin(IPSET_ATTR_IP);
  const v4 = isV4(address);
  if (v4) e.words(IPSET_ATTR_IPADDR_IPV4 | NET, address.w3);
  else e.words(IPSET_ATTR_IPADDR_IPV6 | NET, address.w0, address.w1, address.w2, address.w3);
  e.end(ip);
  if (length < (v4 ? 32 : 128)) e.u8(IPSET_ATTR_CIDR, length);
  if (seconds !== null) e.u32(IPSET_ATTR_TIMEOUT | NET, seconds);
  e.end(data);
}

/** Reads one message of a list of headers. */
export function readHeader(message: Message): FoundSet | null {
  const reader = attributesOf(message);
  const found = { name: "", type: "", family: 0, capacity: 0, elements: 0, timeouts: false };
  while (reader.next()) {
    if (reader.type === IPSET_ATTR_SETNAME) found.name = reader.text();
    else if (reader.type === IPSET_ATTR_TYPENAME) found.type = reader.text();
    else if (reader.type === IPSET_ATTR_FAMILY) found.family = reader.u8();
    else if (reader.type === IPSET_ATTR_DATA) {
      const data = reader.nested();
      while (data.next()) {
        if (data.type === IPSET_ATTR_MAXELEM) found.capacity = data.u32();
        else if (data.type === IPSET_ATTR_ELEMENTS) found.elements = data.u32();
        else if (data.type === IPSET_ATTR_TIMEOUT) found.timeouts = true;
      }
    }
  }
  if (found.name === "" || found.type === "") return null;
  const family = found.family === NFPROTO_IPV4 ? "v4" : found.family === NFPROTO_IPV6 ? "v6" : null;
  return { ...found, family };
}

/** Reads the elements in one message of a list. */
export function* elementsIn(message: Message): Generator<SetElement> {
  const reader = attributesOf(message);
  while (reader.next()) {
    if (reader.type !== IPSET_ATTR_ADT) continue;
    const list = reader.nested();
    while (list.next()) {
      const element = elementOf(list.nested());
      if (element !== null) yield element;
    }
  }
}

function elementOf(reader: AttributeReader): SetElement | null {
  let bytes: Uint8Array | null = null;
  let length = -1;
  let seconds = 0;
  while (reader.next()) {
    if (reader.type === IPSET_ATTR_IP) {
      const ip = reader.nested();
      while (ip.next()) bytes = ip.raw();
    } else if (reader.type === IPSET_ATTR_CIDR) length = reader.u8();
    else if (reader.type === IPSET_ATTR_TIMEOUT) seconds = reader.u32();
  }
  const width = bytes?.length;
  if (bytes === null || (width !== 4 && width !== 16) || length > width * 8) return null;
  return { prefix: prefixOf(addressFromBytes(bytes, 0, width), length < 0 ? width * 8 : length), seconds };
}

export const IPSET_ERR_BUSY = 4100;
export const IPSET_ERR_EXIST = 4103;
export const IPSET_ERR_REFERENCED = 4108;
export const IPSET_ERR_HASH_FULL = 4352;

/** Facts for ipset's own error numbers, from 4096 on. */
const FACTS: Readonly<Record<number, string>> = {
  4097: "the kernel speaks another protocol of ipset",
  4098: "the kernel does not know the type of the set",
  4099: "there are too many sets",
  4100: "a set of ipset is in use",
  4101: "a set of that name exists",
  4102: "the sets have different types",
  4103: "it is in the set already, or not in it",
  4104: "ipset does not support networks of that length",
  4106: "it is of another family than the set",
  4107: "the set does not support time-outs",
  4108: "the set is in use",
  4352: "the set is full",
  4353: "ipset does not support that address",
};

export function factOf({ errno, text }: { readonly errno: number; readonly text: string }): string {
  const fact = FACTS[errno] ?? systemError(errno).message;
  return text === "" ? fact : `${fact} (${text})`;
}
