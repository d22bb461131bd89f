import { describe, expect, it } from "vitest";
import { parseAddress } from "./address.ts";
import { parsePrefix } from "./prefix.ts";
import { isLocal, isSpecialPurpose } from "./special-purpose.ts";

describe("special-purpose networks", () => {
  it.each([
    ["10.1.2.3", true, true],
    ["172.31.255.255", true, true],
    ["100.64.0.1", true, true],
    ["127.0.0.1", true, true],
    ["::1", true, true],
    ["fe80::1", true, true],
    ["fd00::1", true, true],
    ["224.0.0.1", true, false],
    ["0.0.0.0", true, false],
    ["8.8.8.8", false, false],
    ["172.32.0.1", false, false],
    ["2606:4700::1", false, false],
    ["64:ff9b::808:808", false, false],
  ])("%s: special %s, local %s", (text, special, local) => {
    expect([isSpecialPurpose(parsePrefix(text)!), isLocal(parseAddress(text)!)]).toEqual([special, local]);
  });

  it("takes a network for special only as a whole", () => {
    expect(isSpecialPurpose(parsePrefix("10.0.0.0/7")!)).toBe(false);
    expect(isSpecialPurpose(parsePrefix("10.128.0.0/9")!)).toBe(true);
  });
});
