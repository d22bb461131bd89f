import { isV4, parseAddress } from "../../core/address.ts";
import { formatPrefix, prefixOf } from "../../core/prefix.ts";

/** What counts as one client: its IPv4 address, or the /64 of its IPv6 address, which a client usually has as a whole. */
export function senderOf(text: string): string {
  const address = parseAddress(text.replace(/%.*/, ""));
  if (address === null) return text;
  return formatPrefix(prefixOf(address, isV4(address) ? 32 : 64));
}
