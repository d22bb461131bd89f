import { describe, expect, it } from "vitest";
import { attributeTree, dumped } from "../../../test/support/attribute-tree.ts";
import { Batch } from "../../kernel/netlink/batch.ts";
import { Encoder } from "../../kernel/netlink/encoder.ts";
import { attributesOf, messagesIn } from "../../kernel/netlink/message.ts";
import * as nft from "../../kernel/nftables/constants.ts";
import { TableWriter } from "../../kernel/nftables/table-writer.ts";
import type { LogRule } from "./log-rule.ts";
import { writeLogRules } from "./log-table.ts";

/**
 * The rule's list of expressions (without its header), recorded with nft 1.0.6 on Linux 6.18 in a namespace made by `unshare -n`:
 *
 *     nft add table inet stoplog_log
 *     nft add chain inet stoplog_log prerouting '{ type filter hook prerouting priority -305; policy accept; }'
 *     strace -e trace=sendmsg -e write=all nft 'add rule inet stoplog_log prerouting iifname { "eth0", "ppp0" } meta l4proto { 6 }
 *         tcp flags & 0x12 == 0x2 th dport { 22, 8000-8080 } limit rate over 100/second
 *         log prefix "synflood: " group 5 snaplen 128 queue-threshold 100 return'
 */
const RECORDED = `
  24 00 01 80 09 00 01 00  6d 65 74 61 00 00 00 00  14 00 02 80 08 00 02 00
  00 00 00 06 08 00 01 00  00 00 00 01 30 00 01 80  0b 00 01 00 6c 6f 6f 6b
  75 70 00 00 20 00 02 80  08 00 02 00 00 00 00 01  0c 00 01 00 5f 5f 73 65
  74 25 64 00 08 00 04 00  00 00 00 01 24 00 01 80  09 00 01 00 6d 65 74 61
  00 00 00 00 14 00 02 80  08 00 02 00 00 00 00 10  08 00 01 00 00 00 00 01
  2c 00 01 80 08 00 01 00  63 6d 70 00 20 00 02 80  08 00 01 00 00 00 00 01
  08 00 02 00 00 00 00 00  0c 00 03 80 05 00 01 00  06 00 00 00 34 00 01 80
  0c 00 01 00 70 61 79 6c  6f 61 64 00 24 00 02 80  08 00 01 00 00 00 00 01
  08 00 02 00 00 00 00 02  08 00 03 00 00 00 00 0d  08 00 04 00 00 00 00 01
  4c 00 01 80 0c 00 01 00  62 69 74 77 69 73 65 00  3c 00 02 80 08 00 01 00
  00 00 00 01 08 00 02 00  00 00 00 01 08 00 06 00  00 00 00 00 08 00 03 00
  00 00 00 01 0c 00 04 80  05 00 01 00 12 00 00 00  0c 00 05 80 05 00 01 00
  00 00 00 00 2c 00 01 80  08 00 01 00 63 6d 70 00  20 00 02 80 08 00 01 00
  00 00 00 01 08 00 02 00  00 00 00 00 0c 00 03 80  05 00 01 00 02 00 00 00
  34 00 01 80 0c 00 01 00  70 61 79 6c 6f 61 64 00  24 00 02 80 08 00 01 00
  00 00 00 01 08 00 02 00  00 00 00 02 08 00 03 00  00 00 00 02 08 00 04 00
  00 00 00 02 30 00 01 80  0b 00 01 00 6c 6f 6f 6b  75 70 00 00 20 00 02 80
  08 00 02 00 00 00 00 01  0c 00 01 00 5f 5f 73 65  74 25 64 00 08 00 04 00
  00 00 00 02 44 00 01 80  0a 00 01 00 6c 69 6d 69  74 00 00 00 34 00 02 80
  0c 00 01 00 00 00 00 00  00 00 00 64 0c 00 02 00  00 00 00 00 00 00 00 01
  08 00 03 00 00 00 00 05  08 00 04 00 00 00 00 00  08 00 05 00 00 00 00 01
  38 00 01 80 08 00 01 00  6c 6f 67 00 2c 00 02 80  0f 00 02 00 73 79 6e 66
  6c 6f 6f 64 3a 20 00 00  06 00 01 00 00 05 00 00  08 00 03 00 00 00 00 80
  06 00 04 00 00 64 00 00  30 00 01 80 0e 00 01 00  69 6d 6d 65 64 69 61 74
  65 00 00 00 1c 00 02 80  08 00 01 00 00 00 00 00  10 00 02 80 0c 00 02 80
  08 00 01 00 ff ff ff fb`;

const RULE: LogRule = {
  jail: "synflood",
  group: 5,
  protocols: [6],
  ports: [
    { first: 8000, last: 8080 },
    { first: 22, last: 22 },
  ],
  flags: { set: 2, clear: 16 },
  interfaces: ["eth0", "ppp0"],
  over: { packets: 100, seconds: 1 },
};

describe("the table of log rules", () => {
  it("has rules as nft writes them, apart from the order of attributes", () => {
    const [, rule] = expressionsIn(written([RULE]));
    // nft also writes that bitwise is boolean (6: 0), which is the default.
    const theirs = JSON.stringify(attributeTree(dumped(RECORDED))).replace(',["6","00000000"]', "");
    expect(JSON.stringify(attributeTree(rule!))).toBe(theirs);
  });

  it("has an anonymous set, with a number of its own, for each list of values in a rule", () => {
    const two = { ...RULE, protocols: [6, 17], flags: null };
    const ids = [...messagesIn(written([two, two]))].flatMap((message) => {
      if ((message.type & 0xff) !== nft.NFT_MSG_NEWSET) return [];
      const reader = attributesOf(message);
      while (reader.next()) if (reader.type === nft.NFTA_SET_ID) return [reader.u32()];
      return [];
    });
    expect(ids).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

function written(rules: readonly LogRule[]): Uint8Array {
  const batch = new Batch(new Encoder(), nft.NFNL_SUBSYS_NFTABLES, 1);
  writeLogRules(new TableWriter(batch, "stoplog_log"), rules);
  return Uint8Array.from(batch.finish().bytes);
}

function expressionsIn(bytes: Uint8Array): readonly Uint8Array[] {
  return [...messagesIn(bytes)].flatMap((message) => {
    if ((message.type & 0xff) !== nft.NFT_MSG_NEWRULE) return [];
    const reader = attributesOf(message);
    while (reader.next())
      if (reader.type === nft.NFTA_RULE_EXPRESSIONS) return [Uint8Array.from(reader.raw())];
    return [];
  });
}
