import { describe, expect, it } from "vitest";
import { impossible, impossibleNetwork } from "./impossible-address.ts";
import { parseAddress } from "./address.ts";
import { parsePrefix } from "./prefix.ts";

describe("an address from which no packet of a client comes", () => {
  it.each([
    ["0.0.0.0", "unspecified"],
    ["0.1.2.3", "unspecified"],
    ["255.255.255.255", "broadcast"],
    ["224.0.0.1", "multicast"],
    ["239.255.255.255", "multicast"],
    ["169.254.1.1", "link-local"],
    ["::", "unspecified"],
    ["fe80::1", "link-local"],
    ["febf::1", "link-local"],
    ["ff02::1", "multicast"],
    ["::ffff:224.0.0.1", "multicast"],
  ])("is %s: %s", (text, kind) => expect(impossible(parseAddress(text)!)).toBe(kind));

  it.each([
    "1.0.0.0",
    "169.253.255.255",
    "223.255.255.255",
    "240.0.0.1",
    "127.0.0.1",
    "::1",
    "fec0::1",
    "2001:db8::1",
    "10.0.0.255",
  ])("is not %s", (text) => expect(impossible(parseAddress(text)!)).toBeNull());

  it("is one in a network of such addresses, not in a wider one", () => {
    const kinds = ["224.0.0.0/4", "ff00::/8", "fe80::/10", "0.0.0.0/8", "::/128"].map((text) =>
      impossibleNetwork(parsePrefix(text)!),
    );
    expect(kinds).toEqual(["multicast", "multicast", "link-local", "unspecified", "unspecified"]);
    for (const text of ["0.0.0.0/0", "224.0.0.0/3", "::/0", "fe80::/9"])
      expect(impossibleNetwork(parsePrefix(text)!)).toBeNull();
  });
});
