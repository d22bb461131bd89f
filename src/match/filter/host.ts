import { type Address, parseAddress } from "../../core/address.ts";

/** Groups that say whom to ban, the most telling first. */
export const HOST_GROUPS: readonly string[] = ["fid", "ip4", "ip6", "ip", "addr", "host", "dns"];

/** Groups that only an address may fill; a pattern whose text there is none does not match. */
export const ADDRESS_GROUPS: ReadonlySet<string> = new Set(["ip4", "ip6", "addr"]);

/**
 * The address in a host's place. What the sentence around it left on it is taken off: brackets, a full stop or colon
 * behind it, the port of an IPv4 address. Null for a name.
 */
export function hostAddress(text: string): Address | null {
  return parseAddress(text) ?? parseAddress(bareHost(text));
}

const WITH_PORT = /^(\d+\.\d+\.\d+\.\d+):\d+$/;

function bareHost(text: string): string {
  if (text.length > 64) return text;
  let bare = text.replace(/^\[/, "").replace(/[\].-]+$/, "");
  if (bare.endsWith(":") && !bare.endsWith("::")) bare = bare.slice(0, -1);
  if (bare.endsWith(":::")) bare = bare.slice(0, -1);
  return WITH_PORT.exec(bare)?.[1] ?? bare;
}
