import { type Address, addressFromBytes } from "../../core/address.ts";
import { FOREVER, type Instant } from "../../core/time.ts";
import type { AttributeReader } from "../netlink/attribute.ts";
import type { Encoder } from "../netlink/encoder.ts";
import type { Answer } from "../netlink/errors.ts";
import { attributesOf, type Message } from "../netlink/message.ts";
import * as nft from "./constants.ts";
import { writeElement } from "./set-element.ts";
import { openSession, type Request, type Session } from "./session.ts";

/** Where a set of addresses is. */
export interface SetPlace {
  /** NFPROTO_… of the table. */
  readonly family: number;
  readonly table: string;
  readonly set: string;
}

/** An element: an address, or in a set of intervals the place where one begins or ends. */
export interface SetElement {
  readonly address: Address;
  readonly isEnd: boolean;
  readonly until: Instant;
}

/** Larger sets are not read back: the kernel's time to list a set grows with the square of its size. */
export const READ_BOUND = 100_000;

/**
 * Lists a set through a socket of its own, until `visit` answers false. The kernel tells the time left of an element, to which
 * `now` is added. Answers how the kernel ended the list; `interrupted` when the set changed meanwhile, so that elements may be
 * missing or come twice.
 */
export async function listElements(
  place: SetPlace,
  now: Instant,
  visit: (element: SetElement) => boolean,
): Promise<Answer & { readonly interrupted: boolean }> {
  const session = openSession();
  try {
    return await session.dump(requestOf(place), (message) => {
      for (const element of elementsIn(message, now)) if (!visit(element)) return false;
      return true;
    });
  } finally {
    session.closeAside();
  }
}

/**
 * Looks up the element of a key, or the one around it in a set of intervals. Its end is counted from 0. Null when the set has no such
 * element.
 */
export function lookUpElement(
  session: Session,
  place: SetPlace,
  key: Uint8Array,
  flags = 0,
): SetElement | null {
  let found: SetElement | null = null;
  const request = requestOf(place, (e) =>
    e.nested(nft.NFTA_SET_ELEM_LIST_ELEMENTS, () => writeElement(e, key, { flags })),
  );
  session.ask(request, (message) => {
    for (const element of elementsIn(message, 0)) found = element;
  });
  return found;
}

/** The elements in a message of a list, an answer or a notice. */
export function* elementsIn(message: Message, now: Instant): Generator<SetElement> {
  const reader = attributesOf(message);
  while (reader.next()) {
    if (reader.type !== nft.NFTA_SET_ELEM_LIST_ELEMENTS) continue;
    const list = reader.nested();
    while (list.next()) {
      const element = readElement(list.nested(), now);
      if (element !== null) yield element;
    }
  }
}

function requestOf({ family, table, set }: SetPlace, more: (e: Encoder) => void = () => {}): Request {
  return {
    type: nft.NFT_MSG_GETSETELEM,
    family,
    write: (e) => {
      e.text(nft.NFTA_SET_ELEM_LIST_TABLE, table);
      e.text(nft.NFTA_SET_ELEM_LIST_SET, set);
      more(e);
    },
  };
}

function readElement(reader: AttributeReader, now: Instant): SetElement | null {
  let key: Uint8Array | null = null;
  let [timeout, left, flags] = [0, -1, 0];
  while (reader.next()) {
    if (reader.type === nft.NFTA_SET_ELEM_KEY) {
      const data = reader.nested();
      while (data.next()) if (data.type === nft.NFTA_DATA_VALUE) key = data.raw();
    } else if (reader.type === nft.NFTA_SET_ELEM_FLAGS) flags = reader.u32();
    else if (reader.type === nft.NFTA_SET_ELEM_TIMEOUT) timeout = reader.u64();
    else if (reader.type === nft.NFTA_SET_ELEM_EXPIRATION) left = reader.u64();
  }
  const width = key?.length;
  if (key === null || (width !== 4 && width !== 16)) return null;
  return {
    address: addressFromBytes(key, 0, width),
    isEnd: (flags & nft.NFT_SET_ELEM_INTERVAL_END) !== 0,
    until: timeout > 0 && left >= 0 ? now + left : FOREVER,
  };
}
