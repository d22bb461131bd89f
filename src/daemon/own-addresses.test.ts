import { networkInterfaces } from "node:os";
import { describe, expect, it } from "vitest";
import { formatAddress } from "../core/address.ts";
import { formatPrefix } from "../core/prefix.ts";
import { gatewaysV4, gatewaysV6, ownPrefixes } from "./own-addresses.ts";

describe("own addresses", () => {
  it("include those of every interface, and loopback", () => {
    const own = ownPrefixes().map(formatPrefix);
    const ofInterfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    expect(own).toEqual(
      expect.arrayContaining(["127.0.0.0/8", "::1", ...ofInterfaces.map((a) => a.address)]),
    );
  });

  it("include the gateways of IPv4's routing table", () => {
    const table = [
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
      "eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0",
      "eth0\t000200C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0",
    ].join("\n");
    expect(gatewaysV4(table).map(formatAddress)).toEqual(["192.0.2.1"]);
  });

  it("include the gateways of IPv6's routing table", () => {
    const zero = "0".repeat(32);
    const gateway = "20010db8000000000000000000000001";
    const table = `${zero} 00 ${zero} 00 ${gateway} 00000400 00000001 00000000 00000003     eth0\n${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo\n`;
    expect(gatewaysV6(table).map(formatAddress)).toEqual(["2001:db8::1"]);
  });
});
