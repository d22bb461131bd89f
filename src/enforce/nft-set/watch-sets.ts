import { type Address, formatAddress } from "../../core/address.ts";
import { attributesOf, type Message } from "../../kernel/netlink/message.ts";
import * as nft from "../../kernel/nftables/constants.ts";
import { type NoticeReader, readNotices } from "../../kernel/nftables/notices.ts";
import { elementsIn } from "../../kernel/nftables/read-elements.ts";
import type { NftSetName } from "./kind.ts";
import { labelOf, numberOf } from "./find-set.ts";

export interface WatchedSets {
  readonly names: readonly NftSetName[];
  /** The port of the socket that makes our own changes. */
  readonly ownPort: number;
  /** Whether one of our bans begins at this address. */
  readonly isOurs: (set: NftSetName, address: Address) => boolean;
  readonly onLost: (fact: string) => void;
  /** Called when another program changed tables, chains or rules, of whichever table. */
  readonly onRules: () => void;
}

/** Reports what others take out of these sets. What they do with their own elements is skipped. */
export function watchSets(watched: WatchedSets): NoticeReader {
  const { ownPort, onLost } = watched;
  return readNotices({ ownPort, onLost, lossIn: (message) => lossIn(message, watched) });
}

function lossIn(message: Message, watched: WatchedSets): string | null {
  const type = message.type & 0xff;
  if (RULES.has(type)) watched.onRules();
  const isLoss =
    type === nft.NFT_MSG_DELTABLE || type === nft.NFT_MSG_DELSET || type === nft.NFT_MSG_DELSETELEM;
  if (!isLoss) return null;
  const family = message.bytes[message.start];
  let [table, name] = ["", ""];
  const reader = attributesOf(message);
  // Attribute 1 is the table's name in each of these messages; attribute 2 is the set's, except in a table's message.
  while (reader.next()) {
    if (reader.type === 1) table = reader.text();
    else if (reader.type === 2 && type !== nft.NFT_MSG_DELTABLE) name = reader.text();
  }
  const set = watched.names.find(
    (one) =>
      numberOf(one) === family && one.table === table && (type === nft.NFT_MSG_DELTABLE || one.set === name),
  );
  if (set === undefined) return null;
  if (type !== nft.NFT_MSG_DELSETELEM) return `another program deleted ${labelOf(set)}`;
  for (const { address, isEnd } of elementsIn(message, 0)) {
    if (!isEnd && watched.isOurs(set, address))
      return `another program removed ${formatAddress(address)} from ${labelOf(set)}`;
  }
  return null;
}

const RULES: ReadonlySet<number> = new Set([
  nft.NFT_MSG_NEWTABLE,
  nft.NFT_MSG_DELTABLE,
  nft.NFT_MSG_NEWCHAIN,
  nft.NFT_MSG_DELCHAIN,
  nft.NFT_MSG_NEWRULE,
  nft.NFT_MSG_DELRULE,
]);
