import { describe, expect, it } from "vitest";
import { countElements } from "./guard.ts";

describe("countElements()", () => {
  it("counts only the elements of ban sets", () => {
    const set = (name: string, elem?: readonly unknown[]): object => ({
      set: { family: "inet", name, elem },
    });
    const listing = {
      nftables: [
        { metainfo: { version: "1.0.6" } },
        { table: { name: "stoplog" } },
        set("default_v4", [{ elem: { val: "198.51.100.1", timeout: 60 } }, "198.51.100.2"]),
        set("default_v6", ["2001:db8::1"]),
        set("default_v6_48"),
        set("something-else", ["192.0.2.1"]),
        { rule: { chain: "prerouting" } },
      ],
    };
    expect(countElements(JSON.stringify(listing))).toEqual({ ipv4: 2, ipv6: 1 });
  });
});
