import { parsePrefix, type Prefix } from "../../core/prefix.ts";

/** A network that no list may hold, and why, as a phrase. */
export interface Exempt {
  readonly prefix: Prefix;
  readonly why: string;
}

/**
 * Networks that are not on the Internet, after RFC 6890 and the registries of IANA that it made. Lists do hold them: bogons
 * are among FireHOL's level 1. A packet from one comes from a neighbour, from this machine, or from nowhere.
 *
 * 64:ff9b::/96 and 2002::/16 are not here: behind them are hosts of the IPv4 Internet.
 */
export const SPECIAL_PURPOSE: readonly Exempt[] = [
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
