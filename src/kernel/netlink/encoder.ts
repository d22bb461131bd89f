import { align, ATTRIBUTE_HEADER, HOST_LITTLE_ENDIAN, MESSAGE_HEADER, NESTED } from "./align.ts";

/**
 * Writes netlink messages and their attributes into one growing buffer, which is reused after `reset`.
 *
 *      begin ┐ nlmsghdr │ family header │ nlattr 1 value pad │ nlattr 2 │ …     └ end: writes the length
 *
 * Numbers in attributes are in network order, as in nfnetlink. Attributes do not allocate: a batch has thousands.
 */
export class Encoder {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 4096) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** The written bytes, valid until the next call of any method. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  /** Discards what was written from `length` on. */
  reset(length = 0): void {
    this.#length = length;
  }

  /** Begins a message and answers its offset; `endMessage` closes it. */
  beginMessage(type: number, flags: number, sequence: number): number {
    const at = this.#claim(MESSAGE_HEADER);
    this.#view.setUint16(at + 4, type, HOST_LITTLE_ENDIAN);
    this.#view.setUint16(at + 6, flags, HOST_LITTLE_ENDIAN);
    this.#view.setUint32(at + 8, sequence, HOST_LITTLE_ENDIAN);
    this.#view.setUint32(at + 12, 0, HOST_LITTLE_ENDIAN);
    return at;
  }

  endMessage(at: number): void {
    this.#view.setUint32(at, this.#length - at, HOST_LITTLE_ENDIAN);
  }

  /** Adds flags to a message that has been written. */
  addFlags(at: number, flags: number): void {
    this.#view.setUint16(
      at + 6,
      this.#view.getUint16(at + 6, HOST_LITTLE_ENDIAN) | flags,
      HOST_LITTLE_ENDIAN,
    );
  }

  /** struct nfgenmsg of linux/netfilter/nfnetlink.h. */
  familyHeader(family: number, resource: number): void {
    const at = this.#claim(4);
    this.#view.setUint8(at, family);
    this.#view.setUint8(at + 1, 0);
    this.#view.setUint16(at + 2, resource);
  }

  /** Bytes without an attribute header, padded. */
  plain(value: Uint8Array): void {
    const at = this.#claim(align(value.length));
    this.#bytes.fill(0, at + value.length, this.#length);
    this.#bytes.set(value, at);
  }

  u8(type: number, value: number): void {
    // The buffer may grow here, which replaces the view.
    const at = this.#attribute(type, 1);
    this.#view.setUint8(at, value);
  }

  u16(type: number, value: number): void {
    const at = this.#attribute(type, 2);
    this.#view.setUint16(at, value);
  }

  u32(type: number, value: number): void {
    const at = this.#attribute(type, 4);
    this.#view.setUint32(at, value);
  }

  /** Integers up to 2^53. */
  u64(type: number, value: number): void {
    const at = this.#attribute(type, 8);
    this.#view.setUint32(at, value / 0x1_0000_0000);
    this.#view.setUint32(at + 4, value >>> 0);
  }

  /** Text, with a final NUL. */
  text(type: number, value: string): void {
    this.raw(type, Buffer.from(`${value}\0`));
  }

  raw(type: number, value: Uint8Array): void {
    const at = this.#attribute(type, value.length);
    this.#bytes.set(value, at);
  }

  /** 32-bit words in network order: an address, without an array for its bytes. */
  words(type: number, w0: number, w1?: number, w2?: number, w3?: number): void {
    const at = this.#attribute(type, w1 === undefined ? 4 : 16);
    this.#view.setInt32(at, w0);
    if (w1 === undefined) return;
    this.#view.setInt32(at + 4, w1);
    this.#view.setInt32(at + 8, w2 ?? 0);
    this.#view.setInt32(at + 12, w3 ?? 0);
  }

  /** Begins an attribute that contains attributes and answers its offset; `end` closes it. */
  begin(type: number): number {
    const at = this.#claim(ATTRIBUTE_HEADER);
    this.#view.setUint16(at + 2, type | NESTED, HOST_LITTLE_ENDIAN);
    return at;
  }

  end(at: number): void {
    const length = this.#length - at;
    if (length > 0xffff)
      throw new RangeError(`Cannot encode an attribute: ${length} bytes are more than 65535`);
    this.#view.setUint16(at, length, HOST_LITTLE_ENDIAN);
  }

  nested(type: number, write: () => void): void {
    const at = this.begin(type);
    write();
    this.end(at);
  }

  /** Writes the header and padding of an attribute of `size` bytes; answers the offset of its value. */
  #attribute(type: number, size: number): number {
    if (size > 0xffff - ATTRIBUTE_HEADER) {
      throw new RangeError(`Cannot encode an attribute: ${size} bytes are more than 65531`);
    }
    const at = this.#claim(ATTRIBUTE_HEADER + align(size));
    this.#view.setUint16(at, ATTRIBUTE_HEADER + size, HOST_LITTLE_ENDIAN);
    this.#view.setUint16(at + 2, type, HOST_LITTLE_ENDIAN);
    for (let i = size; i < align(size); i++) this.#bytes[at + ATTRIBUTE_HEADER + i] = 0;
    return at + ATTRIBUTE_HEADER;
  }

  #claim(size: number): number {
    const at = this.#length;
    if (at + size > this.#bytes.length) this.#grow(at + size);
    this.#length = at + size;
    return at;
  }

  #grow(atLeast: number): void {
    const bytes = new Uint8Array(Math.max(atLeast, this.#bytes.length * 2));
    bytes.set(this.#bytes);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}
