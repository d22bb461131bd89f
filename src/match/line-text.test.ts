import { describe, expect, it } from "vitest";
import { formatAddress } from "../core/address.ts";
import { compileFilter } from "./filter/filter.ts";
import { createMatcher } from "./matcher.ts";
import { fixedZone } from "./time/time-zone.ts";

const { filter } = compileFilter({
  name: "test",
  failregex: ["^failure from <HOST>$", "^refused <ADDR> twice$", "^no <IP6>$"],
  ignoreregex: [],
  goodregex: [],
});

function addresses(text: string, engine: "fast" | "naive"): string[] {
  const bytes = Buffer.from(text, "latin1");
  const found: string[] = [];
  createMatcher([filter!], { engine }).scan(
    { bytes, start: 0, end: bytes.length, backlog: false },
    { now: 0, zone: fixedZone(0) },
    ({ address }) => found.push(address === null ? "name" : formatAddress(address)),
  );
  return found;
}

describe.each(["fast", "naive"] as const)("the %s engine", (engine) => {
  it("takes CR LF for a line end", () => {
    const text = "failure from 192.0.2.1\r\nx\r\nrefused 192.0.2.2 twice\r\nfailure from 192.0.2.3\n";
    expect(addresses(text, engine)).toEqual(["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
  });

  it("reads the address before a scope", () => {
    const text =
      "failure from fe80::1%eth0\nrefused [fe80::2%br-lan.5] twice\nno fe80::3%2\nrefused fe80::4% twice\n";
    expect(addresses(text, engine)).toEqual(["fe80::1", "fe80::2", "fe80::3"]);
  });
});
