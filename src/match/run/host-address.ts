import { type Address, parseAddress } from "../../core/address.ts";

/**
 * The address that a host group holds; null for a name. Removes what the sentence around it left: brackets, a full stop or colon
 * behind it, the port of an IPv4 address.
 */
export function hostAddress(text: string): Address | null {
  return parseAddress(text) ?? parseAddress(bareHost(text));
}

const WITH_PORT = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+):\d+$/i;

function bareHost(text: string): string {
  if (text.length > 64) return text;
  let bare = text.replace(/^\[/, "").replace(/[\].-]+$/, "");
  if (bare.endsWith(":") && !bare.endsWith("::")) bare = bare.slice(0, -1);
  if (bare.endsWith(":::")) bare = bare.slice(0, -1);
  return WITH_PORT.exec(bare)?.[1] ?? bare;
}
