import { align, ATTRIBUTE_HEADER, HOST_LITTLE_ENDIAN, TYPE_MASK } from "./align.ts";

/**
 * Iterates over the attributes in a range of bytes:
 *
 *      const reader = new AttributeReader(bytes, start, end);
 *      while (reader.next()) if (reader.type === 1) name = reader.text();
 *
 * Every length is checked before it is used. The first fault ends the walk and is kept in `fault`; a value of the wrong size reads as
 * 0. Nothing throws.
 */
export class AttributeReader {
  /** What is wrong with the bytes, as a phrase; null for nothing. */
  fault: string | null = null;
  type = 0;
  /** The value: its first byte, and one past its last. */
  start = 0;
  end = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #next: number;
  readonly #limit: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#next = start;
    this.#limit = Math.min(end, bytes.length);
  }

  next(): boolean {
    const at = this.#next;
    if (this.fault !== null || at >= this.#limit) return false;
    if (at + ATTRIBUTE_HEADER > this.#limit) return this.#stop("an attribute's header is cut off");
    const length = this.#view.getUint16(at, HOST_LITTLE_ENDIAN);
    if (length < ATTRIBUTE_HEADER) return this.#stop(`an attribute says it has ${length} bytes`);
    if (at + length > this.#limit) return this.#stop("an attribute is longer than what holds it");
    this.type = this.#view.getUint16(at + 2, HOST_LITTLE_ENDIAN) & TYPE_MASK;
    this.start = at + ATTRIBUTE_HEADER;
    this.end = at + length;
    this.#next = at + align(length);
    return true;
  }

  get length(): number {
    return this.end - this.start;
  }

  u8(): number {
    return this.#sized(1) ? this.#view.getUint8(this.start) : 0;
  }

  u16(): number {
    return this.#sized(2) ? this.#view.getUint16(this.start) : 0;
  }

  u32(): number {
    return this.#sized(4) ? this.#view.getUint32(this.start) : 0;
  }

  /** A number in the host's byte order, as in the attributes of extended acknowledgements. */
  hostU32(): number {
    return this.#sized(4) ? this.#view.getUint32(this.start, HOST_LITTLE_ENDIAN) : 0;
  }

  /** Exact up to 2^53, beyond that the nearest number. */
  u64(): number {
    if (!this.#sized(8)) return 0;
    return this.#view.getUint32(this.start) * 0x1_0000_0000 + this.#view.getUint32(this.start + 4);
  }

  /** Text up to its NUL. */
  text(): string {
    let end = this.start;
    while (end < this.end && this.#bytes[end] !== 0) end++;
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + this.start, end - this.start).toString(
      "latin1",
    );
  }

  /** A view of the value, not a copy. */
  raw(): Uint8Array {
    return this.#bytes.subarray(this.start, this.end);
  }

  nested(): AttributeReader {
    return new AttributeReader(this.#bytes, this.start, this.end);
  }

  #sized(size: number): boolean {
    return this.length === size || this.#stop(`attribute ${this.type} has ${this.length} bytes, not ${size}`);
  }

  #stop(fault: string): false {
    this.fault ??= fault;
    return false;
  }
}
