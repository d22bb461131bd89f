import { Packet, type PacketBatch } from "../../core/packet.ts";
import {
  align,
  ATTRIBUTE_HEADER,
  HOST_LITTLE_ENDIAN,
  MESSAGE_HEADER,
  TYPE_MASK,
} from "../../kernel/netlink/align.ts";
import { readIpPacket } from "./ip-packet.ts";

/** Counters updated while reading packets. */
export interface LogStats {
  /** Packets lost between the kernel's rule and this process, counted by gaps in the sequence numbers. */
  shed: number;
  /** Logged packets that are not IP, or whose source is not a host address. */
  unusable: number;
}

/**
 * The packets in a datagram of a log group (linux/netfilter/nfnetlink_log.h), parsed in place:
 *
 *      nlmsghdr │ nfgenmsg │ HDR │ PREFIX │ INDEV │ SEQ │ PAYLOAD │ nlmsghdr │ …
 *
 * Allocates nothing per packet. Checks every length; the first invalid one ends the datagram.
 */
export class LogBatch implements PacketBatch {
  readonly packet = new Packet();
  readonly #stats: LogStats;
  readonly #nameOf: (index: number) => string;
  readonly #prefixes = new Prefixes();
  #bytes: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  /** Sequence number of the next packet if none is lost. */
  #expected = 0;
  #interface = 0;

  /** `nameOf` returns the name of an interface by its index. */
  constructor(stats: LogStats, nameOf: (index: number) => string) {
    this.#stats = stats;
    this.#nameOf = nameOf;
  }

  get bytes(): number {
    return this.#bytes.length;
  }

  /** Starts reading a datagram. */
  aim(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
    // The interface may have been renamed.
    this.#interface = 0;
    this.packet.interface = "";
  }

  next(): boolean {
    for (;;) {
      const at = this.#at;
      if (at + MESSAGE_HEADER > this.#bytes.length) return false;
      const length = this.#view.getUint32(at, HOST_LITTLE_ENDIAN);
      if (length < MESSAGE_HEADER || at + length > this.#bytes.length) return false;
      this.#at = at + align(length);
      if (this.#view.getUint16(at + 4, HOST_LITTLE_ENDIAN) !== NFULNL_MSG_PACKET) continue;
      if (this.#read(at + MESSAGE_HEADER + FAMILY_HEADER, at + length)) return true;
      this.#stats.unusable++;
    }
  }

  #read(start: number, end: number): boolean {
    const bytes = this.#bytes;
    const view = this.#view;
    let etherType = 0;
    let payload = 0;
    let payloadEnd = 0;
    let prefixed = false;
    let device = 0;
    for (let at = start; at + ATTRIBUTE_HEADER <= end;) {
      const length = view.getUint16(at, HOST_LITTLE_ENDIAN);
      if (length < ATTRIBUTE_HEADER || at + length > end) break;
      const value = at + ATTRIBUTE_HEADER;
      const size = length - ATTRIBUTE_HEADER;
      switch (view.getUint16(at + 2, HOST_LITTLE_ENDIAN) & TYPE_MASK) {
        case NFULA_PACKET_HDR:
          if (size >= 2) etherType = view.getUint16(value);
          break;
        case NFULA_IFINDEX_INDEV:
          if (size === 4) device = view.getUint32(value);
          break;
        case NFULA_PAYLOAD:
          payload = value;
          payloadEnd = at + length;
          break;
        case NFULA_PREFIX:
          prefixed = true;
          this.packet.prefix = this.#prefixes.text(bytes, value, at + length);
          break;
        case NFULA_SEQ:
          if (size === 4) this.#number(view.getUint32(value));
          break;
      }
      at += align(length);
    }
    if (!prefixed) this.packet.prefix = "";
    if (device !== this.#interface) {
      this.#interface = device;
      this.packet.interface = device === 0 ? "" : this.#nameOf(device);
    }
    return payload > 0 && readIpPacket(bytes, payload, payloadEnd, etherType, this.packet);
  }

  /** Sequence numbers start at 0 when the group is bound, and wrap at 2^32. */
  #number(sequence: number): void {
    this.#stats.shed += (sequence - this.#expected) >>> 0;
    this.#expected = (sequence + 1) >>> 0;
  }
}

/** NFNL_SUBSYS_ULOG and its message. */
const NFULNL_MSG_PACKET = (4 << 8) | 0;
const FAMILY_HEADER = 4;

/** enum nfulnl_attr_type. */
const NFULA_PACKET_HDR = 1;
const NFULA_IFINDEX_INDEV = 4;
const NFULA_PAYLOAD = 9;
const NFULA_PREFIX = 10;
const NFULA_SEQ = 12;

/** Caches prefixes as strings: rules have few, and packets come by the million. */
class Prefixes {
  readonly #known: { readonly bytes: Uint8Array; readonly text: string }[] = [];

  /** The text in bytes[start…end), up to a NUL. */
  text(bytes: Uint8Array, start: number, end: number): string {
    for (const { bytes: known, text } of this.#known) if (same(known, bytes, start, end)) return text;
    const copy = Uint8Array.prototype.slice.call(bytes, start, end);
    const nul = copy.indexOf(0);
    const text = Buffer.from(nul < 0 ? copy : copy.subarray(0, nul)).toString("utf8");
    if (this.#known.length >= MOST_PREFIXES) this.#known.pop();
    this.#known.unshift({ bytes: copy, text });
    return text;
  }
}

/** Enough for the rules of one group. With more, strings are decoded again. */
const MOST_PREFIXES = 16;

function same(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}
