import { align, ATTRIBUTE_HEADER, HOST_LITTLE_ENDIAN, TYPE_MASK } from "./align.ts";

/**
 * Where an attribute of this type begins, its header included; -1 when there is none, or when a length before it is wrong.
 * For long lists of which most is passed over: it makes no object, where an AttributeReader is one.
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

/** The length of the attribute that begins there, its header included. */
export function attributeLength(view: DataView, at: number): number {
  return view.getUint16(at, HOST_LITTLE_ENDIAN);
}
