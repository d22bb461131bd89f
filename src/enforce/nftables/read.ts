import { addressFromBytes } from "../../core/address.ts";
import { StoplogError } from "../../core/errors.ts";
import { type Prefix, prefixOf } from "../../core/prefix.ts";
import { FOREVER, type Instant } from "../../core/time.ts";
import type { AttributeReader } from "../../kernel/netlink/attribute.ts";
import { factOfAnswer } from "../../kernel/netlink/errors.ts";
import { attributesOf, type Message } from "../../kernel/netlink/message.ts";
import type { BanSet } from "../ruleset/names.ts";
import * as nft from "./constants.ts";
import { openSession, type Request, type Session } from "./session.ts";

/** What stands in the kernel under our table's name. */
export interface Found {
  /** The table's flags; null when there is no table. */
  readonly flags: number | null;
  readonly chains: readonly string[];
  readonly sets: readonly FoundSet[];
}

export interface FoundSet {
  readonly name: string;
  readonly flags: number;
  /** Bytes. */
  readonly keyLength: number;
  /** 0 for no bound. */
  readonly size: number;
}

/** Throws a StoplogError when the kernel does not let us look. */
export async function findTable(session: Session, table: string): Promise<Found> {
  let flags: number | null = null;
  const chains: string[] = [];
  const sets: FoundSet[] = [];
  await list(session, nft.NFT_MSG_GETTABLE, (reader) => {
    let name = "";
    let found = 0;
    while (reader.next()) {
      if (reader.type === nft.NFTA_TABLE_NAME) name = reader.text();
      else if (reader.type === nft.NFTA_TABLE_FLAGS) found = reader.u32();
    }
    if (name === table) flags = found;
  });
  if (flags === null) return { flags, chains, sets };
  await list(session, nft.NFT_MSG_GETCHAIN, (reader) => {
    let [name, of] = ["", ""];
    while (reader.next()) {
      if (reader.type === nft.NFTA_CHAIN_TABLE) of = reader.text();
      else if (reader.type === nft.NFTA_CHAIN_NAME) name = reader.text();
    }
    if (of === table) chains.push(name);
  });
  await list(session, nft.NFT_MSG_GETSET, (reader) => {
    const { table: of, set } = readSet(reader);
    if (of === table) sets.push(set);
  });
  return { flags, chains, sets };
}

/** More elements than this are not read back: the kernel needs time that grows with the square of their number. */
export const READ_BOUND = 100_000;

export interface Element {
  readonly prefix: Prefix;
  readonly until: Instant;
}

/**
 * The elements of a set, read through a socket of its own; at most `bound`. Answers null when there are more.
 * The kernel tells the time left; `now` makes an instant of it.
 *
 * A set that changes, or whose hash table grows, shows some elements twice and others not at all, and the kernel does
 * not always say so. So a set is read until a reading brings nothing new, three times at the most.
 */
export async function readElements(
  table: string,
  set: BanSet,
  now: Instant,
  bound: number = READ_BOUND,
): Promise<readonly Element[] | null> {
  const elements = new Map<string, Element>();
  for (let reading = 1; reading <= 3; reading++) {
    const before = elements.size;
    const interrupted = await readOnce(table, set, now, (element) => {
      const { w0, w1, w2, w3 } = element.prefix.address;
      elements.set(`${w0} ${w1} ${w2} ${w3}`, element);
      return elements.size <= bound;
    });
    if (elements.size > bound) return null;
    if (!interrupted && (elements.size === before || elements.size <= ONE_PART)) break;
  }
  return [...elements.values()];
}

/** So few elements are read in one go, and nothing can come between. */
const ONE_PART = 100;

/** Reads until `visit` says no; answers whether the kernel says that something changed meanwhile. */
async function readOnce(
  table: string,
  set: BanSet,
  now: Instant,
  visit: (element: Element) => boolean,
): Promise<boolean> {
  const session = openSession();
  try {
    const ended = await session.dump(elementRequest(table, set.name), (message) => {
      for (const element of elementsIn(message, set, now)) if (!visit(element)) return false;
      return true;
    });
    if (ended.errno !== 0) throw new StoplogError(`Cannot read the set ${set.name}: ${factOfAnswer(ended)}`);
    return ended.interrupted;
  } finally {
    session.closeAside();
  }
}

function elementRequest(table: string, set: string): Request {
  return {
    type: nft.NFT_MSG_GETSETELEM,
    write: (e) => {
      e.text(nft.NFTA_SET_ELEM_LIST_TABLE, table);
      e.text(nft.NFTA_SET_ELEM_LIST_SET, set);
    },
  };
}

/** Whether a prefix stands in a set now, asked for alone. */
export function stands(session: Session, table: string, set: BanSet, prefix: Prefix): boolean {
  return readElement(session, table, set, prefix) !== null;
}

/** One element by its key, with its end counted from 0; null when it is not there. */
export function readElement(session: Session, table: string, set: BanSet, prefix: Prefix): Element | null {
  const { w0, w1, w2, w3 } = prefix.address;
  let found: Element | null = null;
  const { type, write } = elementRequest(table, set.name);
  session.ask(
    {
      type,
      write: (e) => {
        write?.(e);
        e.nested(nft.NFTA_SET_ELEM_LIST_ELEMENTS, () => {
          e.nested(nft.NFTA_LIST_ELEM, () => {
            e.nested(nft.NFTA_SET_ELEM_KEY, () => {
              if (set.family === "v4") e.words(nft.NFTA_DATA_VALUE, w3);
              else e.words(nft.NFTA_DATA_VALUE, w0, w1, w2, w3);
            });
          });
        });
      },
    },
    (message) => {
      for (const element of elementsIn(message, set, 0)) found = element;
    },
  );
  return found;
}

/** The elements in one message of a dump or of an answer. */
export function* elementsIn(message: Message, set: BanSet, now: Instant): Generator<Element> {
  const reader = attributesOf(message);
  while (reader.next()) {
    if (reader.type !== nft.NFTA_SET_ELEM_LIST_ELEMENTS) continue;
    const list = reader.nested();
    while (list.next()) {
      const element = elementOf(list.nested(), set, now);
      if (element !== null) yield element;
    }
  }
}

function elementOf(reader: AttributeReader, set: BanSet, now: Instant): Element | null {
  let key: Uint8Array | null = null;
  let timeout = 0;
  let left = -1;
  while (reader.next()) {
    if (reader.type === nft.NFTA_SET_ELEM_KEY) {
      const data = reader.nested();
      while (data.next()) if (data.type === nft.NFTA_DATA_VALUE) key = data.raw();
    } else if (reader.type === nft.NFTA_SET_ELEM_TIMEOUT) timeout = reader.u64();
    else if (reader.type === nft.NFTA_SET_ELEM_EXPIRATION) left = reader.u64();
  }
  const width = set.family === "v4" ? 4 : 16;
  if (key === null || key.length !== width) return null;
  const address = addressFromBytes(key, 0, width);
  const until = timeout > 0 && left >= 0 ? now + left : FOREVER;
  return { prefix: prefixOf(address, set.length ?? width * 8), until };
}

async function list(session: Session, type: number, visit: (reader: AttributeReader) => void): Promise<void> {
  const answer = await session.dump({ type }, (message) => {
    visit(attributesOf(message));
    return true;
  });
  if (answer.errno === 0) return;
  if (answer.errno === 1) throw new StoplogError("Cannot use nftables: CAP_NET_ADMIN is missing");
  throw new StoplogError(`Cannot use nftables: ${factOfAnswer(answer)}`);
}

function readSet(reader: AttributeReader): { readonly table: string; readonly set: FoundSet } {
  let table = "";
  let name = "";
  let flags = 0;
  let keyLength = 0;
  let size = 0;
  while (reader.next()) {
    if (reader.type === nft.NFTA_SET_TABLE) table = reader.text();
    else if (reader.type === nft.NFTA_SET_NAME) name = reader.text();
    else if (reader.type === nft.NFTA_SET_FLAGS) flags = reader.u32();
    else if (reader.type === nft.NFTA_SET_KEY_LEN) keyLength = reader.u32();
    else if (reader.type === nft.NFTA_SET_DESC) {
      const description = reader.nested();
      while (description.next()) if (description.type === nft.NFTA_SET_DESC_SIZE) size = description.u32();
    }
  }
  return { table, set: { name, flags, keyLength, size } };
}
