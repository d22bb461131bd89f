import { endianness } from "node:os";

/** NLMSG_ALIGN and NLA_ALIGN of linux/netlink.h: messages and attributes begin on 4-byte boundaries. */
export function align(length: number): number {
  return (length + 3) & ~3;
}

/** Netlink headers are in the host's byte order; only payloads that come from packets are in network order. */
export const HOST_LITTLE_ENDIAN: boolean = endianness() === "LE";

/** struct nlmsghdr: u32 length, u16 type, u16 flags, u32 sequence, u32 port. */
export const MESSAGE_HEADER = 16;

/** struct nlattr: u16 length, header included, and u16 type. */
export const ATTRIBUTE_HEADER = 4;

/** NLA_F_NESTED and NLA_TYPE_MASK. */
export const NESTED = 0x8000;
export const TYPE_MASK = 0x3fff;
