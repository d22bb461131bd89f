import type { Encoder } from "../netlink/encoder.ts";
import * as nft from "./constants.ts";

export interface ElementSpec {
  /** NFT_SET_ELEM_… */
  readonly flags?: number;
  /** Milliseconds; 0 for a permanent element, null to leave it out of the message. */
  readonly timeout?: number | null;
}

/** Writes an element of a set by the bytes of its key. */
export function writeElement(
  e: Encoder,
  key: Uint8Array,
  { flags = 0, timeout = null }: ElementSpec = {},
): void {
  const element = e.begin(nft.NFTA_LIST_ELEM);
  const data = e.begin(nft.NFTA_SET_ELEM_KEY);
  e.raw(nft.NFTA_DATA_VALUE, key);
  e.end(data);
  if (flags !== 0) e.u32(nft.NFTA_SET_ELEM_FLAGS, flags);
  if (timeout !== null) e.u64(nft.NFTA_SET_ELEM_TIMEOUT, timeout);
  e.end(element);
}
