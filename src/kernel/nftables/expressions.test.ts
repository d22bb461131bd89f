import { describe, expect, it } from "vitest";
import { attributeTree, dumped } from "../../../test/support/attribute-tree.ts";
import { Encoder } from "../netlink/encoder.ts";
import { writeRule } from "./expressions.ts";

/**
 * The list of expressions (without its header), recorded with nft 1.0.6 on Linux 6.18 in a namespace made by `unshare -n`:
 *
 *     nft add table inet stoplog; nft add chain inet stoplog default_verdict; nft add chain inet stoplog default_v4
 *     nft 'add set inet stoplog default_v4_24 { type ipv4_addr; flags timeout; }'
 *     strace -e trace=sendmsg -e write=all nft 'add rule inet stoplog default_v4 ip saddr & 255.255.255.0 @default_v4_24 goto default_verdict'
 */
const RECORDED = `
  24 00 01 80 09 00 01 00  6d 65 74 61 00 00 00 00  14 00 02 80 08 00 02 00
  00 00 00 0f 08 00 01 00  00 00 00 01 2c 00 01 80  08 00 01 00 63 6d 70 00
  20 00 02 80 08 00 01 00  00 00 00 01 08 00 02 00  00 00 00 00 0c 00 03 80
  05 00 01 00 02 00 00 00  34 00 01 80 0c 00 01 00  70 61 79 6c 6f 61 64 00
  24 00 02 80 08 00 01 00  00 00 00 01 08 00 02 00  00 00 00 01 08 00 03 00
  00 00 00 0c 08 00 04 00  00 00 00 04 4c 00 01 80  0c 00 01 00 62 69 74 77
  69 73 65 00 3c 00 02 80  08 00 01 00 00 00 00 01  08 00 02 00 00 00 00 01
  08 00 06 00 00 00 00 00  08 00 03 00 00 00 00 04  0c 00 04 80 08 00 01 00
  ff ff ff 00 0c 00 05 80  08 00 01 00 00 00 00 00`;

describe("a rule in expressions", () => {
  it("is what nft writes for a network's source, except for the order of attributes", () => {
    const e = new Encoder();
    writeRule(e, [{ kind: "source", set: { name: "default_v4_24", family: "v4", length: 24 } }]);
    const ours = attributeTree(e.bytes);
    const theirs = attributeTree(dumped(RECORDED));
    // The last of ours is the look-up in the set; nft also writes that bitwise is boolean (6: 0), which is the default.
    expect(JSON.stringify(ours.slice(0, -1))).toBe(JSON.stringify(theirs).replace(',["6","00000000"]', ""));
  });

  it("masks every length of both families", () => {
    const maskOf = (family: "v4" | "v6", length: number): string => {
      const e = new Encoder();
      writeRule(e, [{ kind: "source", set: { name: "t", family, length } }]);
      const text = JSON.stringify(attributeTree(e.bytes));
      return /\["4n",\[\["1","([0-9a-f]+)"\]\]\]/.exec(text)?.[1] ?? "";
    };
    expect([0, 1, 8, 24, 31].map((length) => maskOf("v4", length))).toEqual([
      "00000000",
      "80000000",
      "ff000000",
      "ffffff00",
      "fffffffe",
    ]);
    expect([0, 33, 64, 127].map((length) => maskOf("v6", length))).toEqual([
      "0".repeat(32),
      `ffffffff80000000${"0".repeat(16)}`,
      `${"f".repeat(16)}${"0".repeat(16)}`,
      `${"f".repeat(31)}e`,
    ]);
  });
});
