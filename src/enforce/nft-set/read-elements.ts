import { type Address, addressFromBytes, addressToBytes } from "../../core/address.ts";
import { StoplogError } from "../../core/errors.ts";
import { FOREVER, type Instant } from "../../core/time.ts";
import { factOfAnswer } from "../../kernel/netlink/errors.ts";
import { attributesOf, type Message } from "../../kernel/netlink/message.ts";
import * as nft from "../nftables/constants.ts";
import { READ_BOUND } from "../nftables/read.ts";
import { openSession, type Session } from "../nftables/session.ts";
import { type FoundSet, labelOf, numberOf } from "./find-set.ts";
import { writeKey } from "./write-elements.ts";

/** An element: an address, or where an interval begins or ends. */
export interface SetElement {
  readonly address: Address;
  readonly isEnd: boolean;
  readonly until: Instant;
}

/** All elements, through a socket of its own. Rejects with a StoplogError when there are too many to be read. */
export async function readElements(set: FoundSet, now: Instant): Promise<readonly SetElement[]> {
  const session = openSession();
  const elements: SetElement[] = [];
  try {
    const ended = await session.dump(
      { type: nft.NFT_MSG_GETSETELEM, family: numberOf(set.name), write: (e) => writeNames(e, set) },
      (message) => {
        for (const element of elementsIn(message, now)) elements.push(element);
        return elements.length <= 2 * READ_BOUND;
      },
    );
    if (ended.errno !== 0) throw new StoplogError(`Cannot read ${labelOf(set.name)}: ${factOfAnswer(ended)}`);
  } finally {
    session.closeAside();
  }
  if (elements.length > 2 * READ_BOUND)
    throw new StoplogError(`Cannot read ${labelOf(set.name)}: it has more than ${READ_BOUND} elements`);
  return elements;
}

/** The element of that key, or the one around it in a set of intervals; null when there is none. */
export function readElement(
  session: Session,
  set: FoundSet,
  key: Address | Uint8Array,
  flags = 0,
): SetElement | null {
  let found: SetElement | null = null;
  const bytes = key instanceof Uint8Array ? key : addressToBytes(key);
  session.ask(
    {
      type: nft.NFT_MSG_GETSETELEM,
      family: numberOf(set.name),
      write: (e) => {
        writeNames(e, set);
        e.nested(nft.NFTA_SET_ELEM_LIST_ELEMENTS, () => writeKey(e, bytes, { flags }));
      },
    },
    (message) => {
      for (const element of elementsIn(message, 0)) found = element;
    },
  );
  return found;
}

/** The elements in a message of a list, an answer or a notice. */
export function* elementsIn(message: Message, now: Instant): Generator<SetElement> {
  const reader = attributesOf(message);
  while (reader.next()) {
    if (reader.type !== nft.NFTA_SET_ELEM_LIST_ELEMENTS) continue;
    const list = reader.nested();
    while (list.next()) {
      const element = elementOf(list.nested(), now);
      if (element !== null) yield element;
    }
  }
}

function elementOf(reader: ReturnType<typeof attributesOf>, now: Instant): SetElement | null {
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

function writeNames(e: Parameters<typeof writeKey>[0], { name }: FoundSet): void {
  e.text(nft.NFTA_SET_ELEM_LIST_TABLE, name.table);
  e.text(nft.NFTA_SET_ELEM_LIST_SET, name.set);
}
