// linux/netfilter/nfnetlink_conntrack.h; the types of messages with the subsystem's number, 1, as their upper byte.

export const CT_GET = 0x101;
export const CT_DELETE = 0x102;
export const CT_GET_STATS = 0x105;

export const AF_UNSPEC = 0;
export const AF_INET = 2;

export const CTA_TUPLE_ORIG = 1;
export const CTA_TUPLE_REPLY = 2;
export const CTA_ID = 12;
export const CTA_ZONE = 18;
export const CTA_FILTER = 25;

/** Within CTA_FILTER: which parts of a tuple must agree. */
export const CTA_FILTER_ORIG_FLAGS = 1;
export const FILTER_IP_SRC = 1;

/** Within a tuple, and within its address part. */
export const CTA_TUPLE_IP = 1;
export const CTA_IP_V4_SRC = 1;
export const CTA_IP_V6_SRC = 3;

/** In an answer to CT_GET_STATS. */
export const CTA_STATS_GLOBAL_ENTRIES = 1;
