import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { type Address, address, parseAddress, V4_MARK } from "../core/address.ts";
import { hostPrefix, parsePrefix, type Prefix } from "../core/prefix.ts";

/** This machine's addresses, its gateways, and loopback: addresses that it must not ban. */
export function ownPrefixes(): Prefix[] {
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .flatMap(({ address: text }) => parseAddress(text.split("%")[0] ?? "") ?? []);
  const gateways = [...gatewaysV4(readOr("/proc/net/route")), ...gatewaysV6(readOr("/proc/net/ipv6_route"))];
  return [...LOOPBACK.flatMap((text) => parsePrefix(text) ?? []), ...[...own, ...gateways].map(hostPrefix)];
}

/** Gateways in /proc/net/route: the third column, eight hex digits, in the machine's own (little-endian) order. */
export function gatewaysV4(table: string): Address[] {
  return columns(table, 2)
    .filter((hex) => /^[0-9A-F]{8}$/i.test(hex) && hex !== "00000000")
    .map((hex) => address(0, 0, V4_MARK, Buffer.from(hex, "hex").readInt32LE()));
}

/** Gateways in /proc/net/ipv6_route: the fifth column, 32 hex digits in network order. */
export function gatewaysV6(table: string): Address[] {
  return columns(table, 4)
    .filter((hex) => /^[0-9a-f]{32}$/i.test(hex) && !/^0+$/.test(hex))
    .flatMap((hex) => parseAddress(hex.replace(/(.{4})(?=.)/g, "$1:")) ?? []);
}

const LOOPBACK = ["127.0.0.0/8", "::1"];

function columns(table: string, n: number): string[] {
  return table.split("\n").map((line) => line.trim().split(/\s+/)[n] ?? "");
}

/** Empty without /proc or IPv6. */
function readOr(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
