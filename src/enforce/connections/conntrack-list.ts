import { ATTRIBUTE_HEADER } from "../../kernel/netlink/align.ts";
import type { Encoder } from "../../kernel/netlink/encoder.ts";
import { attributeLength, findAttribute } from "../../kernel/netlink/find-attribute.ts";
import { NLM_F_DUMP, NLM_F_REQUEST } from "../../kernel/netlink/message.ts";
import type { Banned } from "./banned.ts";
import * as ct from "./ctnetlink.ts";
import type { ConnectionList, Listed } from "./list.ts";

/**
 * The connections that netfilter tracks (linux/netfilter/nfnetlink_conntrack.h):
 *
 *      nfgenmsg │ TUPLE_ORIG { IP { SRC DST } PROTO … } │ TUPLE_REPLY { IP { SRC DST } … } │ … │ ZONE │ ID
 *
 * An entry is cut when packets of the banned address belong to it: the source of its first direction, or, when we opened it,
 * that of the answers. Both are as on the wire before our own NAT, which is where bans are enforced as well; the
 * destinations are never looked at, since of them NAT may have made addresses of ours.
 */
export const conntrackList: ConnectionList = {
  noun: "conntrack entries",
  ordersATurn: 256,

  ask(e, sequence) {
    const at = e.beginMessage(ct.CT_GET, NLM_F_REQUEST | NLM_F_DUMP, sequence);
    // Both families: told to pass over one, the kernel would look for the other through the whole table in one call.
    e.familyHeader(ct.AF_UNSPEC, 0);
    e.endMessage(at);
  },

  concerns(banned, { view, start, end }) {
    const attributes = start + FAMILY_HEADER;
    return (
      comesFrom(banned, view, findAttribute(view, attributes, end, ct.CTA_TUPLE_ORIG)) ||
      comesFrom(banned, view, findAttribute(view, attributes, end, ct.CTA_TUPLE_REPLY))
    );
  },

  /** By tuple and number: a new connection between the same ends is another entry, and stays. */
  order(e, sequence, listed) {
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

/** Whether the source of the tuple that begins at `tuple` is banned; -1 for no tuple. */
function comesFrom(banned: Banned, view: DataView, tuple: number): boolean {
  const ip = inside(view, tuple, ct.CTA_TUPLE_IP);
  const v4 = inside(view, ip, ct.CTA_IP_V4_SRC);
  if (v4 >= 0)
    return attributeLength(view, v4) === ATTRIBUTE_HEADER + 4 && banned.holdsV4(view, v4 + ATTRIBUTE_HEADER);
  const v6 = inside(view, ip, ct.CTA_IP_V6_SRC);
  return (
    v6 >= 0 &&
    attributeLength(view, v6) === ATTRIBUTE_HEADER + 16 &&
    banned.holdsV6(view, v6 + ATTRIBUTE_HEADER)
  );
}

function inside(view: DataView, at: number, type: number): number {
  return at < 0 ? -1 : findAttribute(view, at + ATTRIBUTE_HEADER, at + attributeLength(view, at), type);
}

function copyAttribute(e: Encoder, { bytes, view, start, end }: Listed, type: number): void {
  const at = findAttribute(view, start + FAMILY_HEADER, end, type);
  if (at >= 0) e.plain(bytes.subarray(at, at + attributeLength(view, at)));
}
