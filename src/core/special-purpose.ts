import type { Address } from "./address.ts";
import { parsePrefix, type Prefix, prefixContains, prefixCovers } from "./prefix.ts";

/** A network and why it is treated apart, as a phrase. */
export interface SpecialNetwork {
  readonly prefix: Prefix;
  readonly why: string;
}

/**
 * Networks that are not on the Internet, from RFC 6890 and the IANA registries that it created. A packet from one comes from a
 * neighbour or from this machine, or its source address is forged. Not 64:ff9b::/96 and 2002::/16: hosts of the IPv4 Internet are
 * behind them.
 */
export const SPECIAL_PURPOSE: readonly SpecialNetwork[] = [
  ["0.0.0.0/8", "this network"],
  ["10.0.0.0/8", "private"],
  ["100.64.0.0/10", "shared by carriers"],
  ["127.0.0.0/8", "loopback"],
  ["169.254.0.0/16", "link-local"],
  ["172.16.0.0/12", "private"],
  ["192.0.0.0/24", "assigned to protocols"],
  ["192.168.0.0/16", "private"],
  ["198.18.0.0/15", "for benchmarks"],
  ["224.0.0.0/4", "multicast"],
  ["240.0.0.0/4", "reserved"],
  ["::/128", "unspecified"],
  ["::1/128", "loopback"],
  ["64:ff9b:1::/48", "translated locally"],
  ["100::/64", "discarded"],
  ["2001::/23", "assigned to protocols"],
  ["fc00::/7", "unique local"],
  ["fe80::/10", "link-local"],
  ["ff00::/8", "multicast"],
].map(([text = "", why = ""]) => ({ prefix: parsePrefix(text) as Prefix, why }));

/** Whether every address of the network is reserved for special purposes, and so not on the Internet. */
export function isSpecialPurpose(network: Prefix): boolean {
  return SPECIAL_PURPOSE.some(({ prefix }) => prefixCovers(prefix, network));
}

/** Whether a neighbour on a local network, or this machine, may have the address: private, shared, link-local or loopback. */
export function isLocal(a: Address): boolean {
  return LOCAL.some(({ prefix }) => prefixContains(prefix, a));
}

const LOCAL_USES: ReadonlySet<string> = new Set([
  "private",
  "shared by carriers",
  "loopback",
  "link-local",
  "unique local",
]);
const LOCAL = SPECIAL_PURPOSE.filter(({ why }) => LOCAL_USES.has(why));
