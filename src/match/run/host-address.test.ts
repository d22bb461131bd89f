import { expect, it } from "vitest";
import { formatAddress } from "../../core/address.ts";
import { hostAddress } from "./host-address.ts";

it.each([
  ["192.0.2.1", "192.0.2.1"],
  ["192.0.2.1:40000", "192.0.2.1"],
  ["::ffff:192.0.2.1:40000", "192.0.2.1"],
  ["::FFFF:192.0.2.1", "192.0.2.1"],
  ["[2001:db8::1]", "2001:db8::1"],
  ["2001:db8::1:", "2001:db8::1"],
  ["192.0.2.1.", "192.0.2.1"],
  ["client.example.org", null],
  ["x::ffff:192.0.2.1:40000", null],
])("the address in the host %s is %s", (text, address) => {
  const found = hostAddress(text);
  expect(found === null ? null : formatAddress(found)).toBe(address);
});
