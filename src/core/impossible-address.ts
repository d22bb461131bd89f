import { type Address, isV4 } from "./address.ts";
import type { Prefix } from "./prefix.ts";

/**
 * What an address is from which no packet of a client comes, as 'the … address': unspecified, broadcast, multicast, or link-local. Null for
 * any other. Link-local addresses name a neighbor only together with an interface, and the gateway answers from one: a ban of it would take
 * the network away. RFC 6890 lists them.
 */
export function impossible(a: Address): ImpossibleKind | null {
  const { w0, w1, w2, w3 } = a;
  if (isV4(a)) {
    const first = w3 >>> 24;
    if (first === 0) return "unspecified";
    if (first === 169 && w3 >>> 16 === 0xa9fe) return "link-local";
    if (first < 224) return null;
    if (first < 240) return "multicast";
    return w3 >>> 0 === 0xffffffff ? "broadcast" : null;
  }
  const top = w0 >>> 16;
  if (top >= 0xff00) return "multicast";
  if (top >= 0xfe80 && top < 0xfec0) return "link-local";
  return w0 === 0 && w1 === 0 && w2 === 0 && w3 === 0 ? "unspecified" : null;
}

export type ImpossibleKind = "unspecified" | "broadcast" | "multicast" | "link-local";

/** As `impossible`, for a network all of whose addresses are of that kind. */
export function impossibleNetwork({ address, length }: Prefix): ImpossibleKind | null {
  const kind = impossible(address);
  if (kind === null) return null;
  return length >= LEAST_LENGTH[kind][isV4(address) ? "v4" : "v6"] ? kind : null;
}

/** The length of the whole block of each kind. */
const LEAST_LENGTH = {
  unspecified: { v4: 8, v6: 128 },
  broadcast: { v4: 32, v6: 128 },
  multicast: { v4: 4, v6: 8 },
  "link-local": { v4: 16, v6: 10 },
} as const;
