import { expect } from "vitest";
import { AttributeReader } from "../../src/kernel/netlink/attribute.ts";

export type Node = readonly [type: string, value: string | readonly Node[]];

/**
 * Netlink attributes as nested lists. Attributes within one are sorted by type, since their order has no meaning; elements of lists all
 * have type 1 and stay in their order.
 */
export function attributeTree(bytes: Uint8Array): readonly Node[] {
  return nodesIn(bytes, new AttributeReader(bytes, 0, bytes.length));
}

/** The bytes of a hexadecimal dump with white space. */
export function dumped(dump: string): Uint8Array {
  return Uint8Array.from(Buffer.from(dump.replaceAll(/\s/g, ""), "hex"));
}

function nodesIn(bytes: Uint8Array, reader: AttributeReader): readonly Node[] {
  const nodes: Node[] = [];
  while (reader.next()) {
    const nested = (bytes[reader.start - 1]! & 0x80) !== 0;
    if (nested) nodes.push([`${reader.type}n`, nodesIn(bytes, reader.nested())]);
    else nodes.push([`${reader.type}`, Buffer.from(reader.raw()).toString("hex")]);
  }
  expect(reader.fault).toBeNull();
  return nodes.toSorted(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
}
