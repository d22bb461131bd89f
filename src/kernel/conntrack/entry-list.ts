import type { AddressTest, ConnectionList, Listed } from "../connection-list.ts";
import { ATTRIBUTE_HEADER } from "../netlink/align.ts";
import type { Encoder } from "../netlink/encoder.ts";
import { attributeLength, findAttribute } from "../netlink/find-attribute.ts";
import { NLM_F_DUMP, NLM_F_REQUEST } from "../netlink/message.ts";
import * as ct from "./constants.ts";

/**
 * The connections that netfilter tracks (linux/netfilter/nfnetlink_conntrack.h):
 *
 *      nfgenmsg │ TUPLE_ORIG { IP { SRC DST } PROTO … } │ TUPLE_REPLY { IP { SRC DST } … } │ … │ ZONE │ ID
 *
 * An entry concerns the address that opened the connection: the source of the original direction, as on the wire, before our own NAT.
 * What this machine opened to an address stays.
 */
export const entryList: ConnectionList = {
  noun: "conntrack entries",
  deletionsATurn: 256,

  writeRequest(e, sequence) {
    const at = e.beginMessage(ct.CT_GET, NLM_F_REQUEST | NLM_F_DUMP, sequence);
    // Both families: to skip one of them, the kernel would search the whole table for the other in one call.
    e.familyHeader(ct.AF_UNSPEC, 0);
    e.endMessage(at);
  },

  concerns(addresses, { view, start, end }) {
    const attributes = start + FAMILY_HEADER;
    return comesFrom(addresses, view, findAttribute(view, attributes, end, ct.CTA_TUPLE_ORIG));
  },

  /** By tuple and number: a newer connection between the same ends is another entry, and stays. */
  writeDeletion(e, sequence, listed) {
    const at = e.beginMessage(ct.CT_DELETE, NLM_F_REQUEST, sequence);
    e.familyHeader(listed.bytes[listed.start]!, 0);
    copyAttribute(e, listed, ct.CTA_TUPLE_ORIG);
    copyAttribute(e, listed, ct.CTA_ZONE);
    copyAttribute(e, listed, ct.CTA_ID);
    e.endMessage(at);
  },
};

/** struct nfgenmsg. */
const FAMILY_HEADER = 4;

/** Tests the source of the tuple at `tuple`; -1 for no tuple. */
function comesFrom(addresses: AddressTest, view: DataView, tuple: number): boolean {
  const ip = inside(view, tuple, ct.CTA_TUPLE_IP);
  const v4 = inside(view, ip, ct.CTA_IP_V4_SRC);
  if (v4 >= 0)
    return (
      attributeLength(view, v4) === ATTRIBUTE_HEADER + 4 && addresses.holdsV4(view, v4 + ATTRIBUTE_HEADER)
    );
  const v6 = inside(view, ip, ct.CTA_IP_V6_SRC);
  return (
    v6 >= 0 &&
    attributeLength(view, v6) === ATTRIBUTE_HEADER + 16 &&
    addresses.holdsV6(view, v6 + ATTRIBUTE_HEADER)
  );
}

function inside(view: DataView, at: number, type: number): number {
  return at < 0 ? -1 : findAttribute(view, at + ATTRIBUTE_HEADER, at + attributeLength(view, at), type);
}

function copyAttribute(e: Encoder, { bytes, view, start, end }: Listed, type: number): void {
  const at = findAttribute(view, start + FAMILY_HEADER, end, type);
  if (at >= 0) e.plain(bytes.subarray(at, at + attributeLength(view, at)));
}
