import { align, ATTRIBUTE_HEADER, HOST_LITTLE_ENDIAN, TYPE_MASK } from "./align.ts";

/**
 * The offset of the first attribute of a type, at its header; -1 when the type does not occur, or a length before it is wrong.
 * For long lists of which most is skipped: unlike an AttributeReader it does not allocate.
 */
export function findAttribute(view: DataView, start: number, end: number, type: number): number {
  for (let at = start; at + ATTRIBUTE_HEADER <= end;) {
    const length = attributeLength(view, at);
    if (length < ATTRIBUTE_HEADER || at + length > end) return -1;
    if ((view.getUint16(at + 2, HOST_LITTLE_ENDIAN) & TYPE_MASK) === type) return at;
    at += align(length);
  }
  return -1;
}

/** The length of an attribute, its header included. */
export function attributeLength(view: DataView, at: number): number {
  return view.getUint16(at, HOST_LITTLE_ENDIAN);
}
