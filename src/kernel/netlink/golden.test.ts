import { describe, expect, it } from "vitest";
import type { AttributeReader } from "./attribute.ts";
import { Batch } from "./batch.ts";
import { Encoder } from "./encoder.ts";
import { attributesOf, messagesIn, NLM_F_CREATE } from "./message.ts";

/**
 * Recorded with nft 1.0.6 on Linux 6.18, in a namespace made by `unshare -n`:
 *
 *     nft add table inet stoplog
 *     nft 'add set inet stoplog default_v4 { type ipv4_addr; flags timeout; }'
 *     strace -e trace=sendmsg -e write=all nft 'add element inet stoplog default_v4 { 192.0.2.1 timeout 1h, 192.0.2.2 timeout 1h }'
 */
const RECORDED = bytes(`
  14 00 00 00 10 00 01 00  00 00 00 00 00 00 00 00
  00 00 00 0a 74 00 00 00  0c 0a 01 04 01 00 00 00
  00 00 00 00 01 00 00 00  0c 00 01 00 73 74 6f 70
  6c 6f 67 00 0f 00 02 00  64 65 66 61 75 6c 74 5f
  76 34 00 00 08 00 04 00  00 00 00 01 3c 00 03 80
  1c 00 01 80 0c 00 04 00  00 00 00 00 00 36 ee 80
  0c 00 01 80 08 00 01 00  c0 00 02 01 1c 00 02 80
  0c 00 04 00 00 00 00 00  00 36 ee 80 0c 00 01 80
  08 00 01 00 c0 00 02 02  14 00 00 00 11 00 01 00
  02 00 00 00 00 00 00 00  00 00 00 0a`);

describe("a batch of nf_tables", () => {
  it("is byte for byte what nft writes, except for the request to acknowledge", () => {
    const e = new Encoder(8);
    const batch = new Batch(e, 10, 0);
    const at = batch.begin(12, NLM_F_CREATE, 1);
    e.text(1, "stoplog");
    e.text(2, "default_v4");
    e.u32(4, 1);
    e.nested(3, () => {
      [0xc0000201, 0xc0000202].forEach((address, i) => {
        e.nested(i + 1, () => {
          e.u64(4, 3_600_000);
          e.nested(1, () => e.words(1, address));
        });
      });
    });
    batch.end(at);
    const written = Uint8Array.from(batch.finish().bytes);
    // NLM_F_ACK of the last message.
    expect(written[26]).toBe(RECORDED[26]! | 4);
    written[26] = RECORDED[26]!;
    expect(hex(written)).toBe(hex(RECORDED));
  });

  it("is read back", () => {
    const [begin, add, end, ...rest] = [...messagesIn(RECORDED)];
    expect([begin?.type, add?.type, end?.type, rest]).toEqual([0x10, 0xa0c, 0x11, []]);
    const reader = attributesOf(add!);
    const found: unknown[] = [];
    while (reader.next()) {
      if (reader.type === 3) found.push(keysIn(reader.nested()));
      else found.push(reader.type === 4 ? reader.u32() : reader.text());
    }
    expect(found).toEqual(["stoplog", "default_v4", 1, ["c0000201 3600000", "c0000202 3600000"]]);
    expect(reader.fault).toBeNull();
  });

  it("finds its messages by their sequence numbers", () => {
    const batch = new Batch(new Encoder(), 10, 100);
    for (let i = 0; i < 3; i++) batch.end(batch.begin(0, 0, 1));
    expect([100, 101, 103, 104].map((sequence) => batch.indexOf(sequence))).toEqual([-1, 0, 2, -1]);
    expect(batch.finish().nextSequence).toBe(105);
  });
});

function keysIn(list: AttributeReader): readonly string[] {
  const keys: string[] = [];
  while (list.next()) {
    const element = list.nested();
    let key = "";
    let timeout = 0;
    while (element.next()) {
      if (element.type === 4) timeout = element.u64();
      else {
        const data = element.nested();
        while (data.next()) key = Buffer.from(data.raw()).toString("hex");
      }
    }
    keys.push(`${key} ${timeout}`);
  }
  return keys;
}

function bytes(dump: string): Uint8Array {
  return Uint8Array.from(Buffer.from(dump.replaceAll(/\s/g, ""), "hex"));
}

/** Four bytes a line, so that a failing comparison shows the place. */
function hex(written: Uint8Array): string {
  return Buffer.from(written).toString("hex").replaceAll(/.{8}/g, "$&\n");
}
