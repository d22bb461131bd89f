import { type Address, formatAddress } from "../../core/address.ts";
import { watchReadable } from "../../kernel/native/poll.ts";
import { attributesOf, type Message, messagesIn } from "../../kernel/netlink/message.ts";
import { NETLINK_NETFILTER, type NetlinkSocket, openNetlink } from "../../kernel/netlink/socket.ts";
import type { NftSetName } from "./kind.ts";
import * as nft from "../nftables/constants.ts";
import { labelOf, numberOf } from "./find-set.ts";
import { elementsIn } from "./read-elements.ts";

export interface WatchedSets {
  readonly names: readonly NftSetName[];
  /** The port of the socket by which we change them. */
  readonly ownPort: number;
  /** Whether one of our bans begins there. */
  isOurs(set: NftSetName, address: Address): boolean;
  onLost(fact: string): void;
}

export interface SetWatch {
  /** Takes what waits. Our own changes are told as well: to be called after each, or they fill the socket's buffer. */
  catchUp(): void;
  close(): void;
}

/** Hears what others take out of these sets, by the kernel's notices; what they do with their own elements is passed over. */
export function watchSets(watched: WatchedSets): SetWatch {
  const socket = openNetlink({
    protocol: NETLINK_NETFILTER,
    groups: [nft.NFNLGRP_NFTABLES],
    receiveBuffer: RECEIVE_BUFFER,
  });
  let overrun = false;
  const catchUp = (): void => {
    const read = readNotices(socket, watched);
    overrun ||= read.overrun;
    if (read.fact !== null) watched.onLost(read.fact);
    // What the lost ones said is not known: told only when nothing waits, so that nothing that happens after is missed.
    if (read.empty && overrun) {
      overrun = false;
      watched.onLost("so much changed in the firewall that notices were lost");
    }
  };
  const watch = watchReadable(socket.fd, catchUp);
  watch.unref();
  return {
    catchUp,
    close() {
      watch.close();
      socket.close();
    },
  };
}

function readNotices(socket: NetlinkSocket, watched: WatchedSets) {
  let fact: string | null = null;
  let overrun = false;
  for (let i = 0; i < SHARE; i++) {
    const bytes = socket.receive();
    if (bytes === null) return { fact, overrun, empty: true };
    if (bytes === "lost") overrun = true;
    else if (fact === null) for (const message of messagesIn(bytes)) fact ??= lossIn(message, watched);
  }
  return { fact, overrun, empty: false };
}

const RECEIVE_BUFFER = 4 * 1024 * 1024;

/** Datagrams at once: more than one transaction of ours makes, of some 50 elements each. */
const SHARE = 128;

function lossIn(message: Message, watched: WatchedSets): string | null {
  const type = message.type & 0xff;
  const isLoss =
    type === nft.NFT_MSG_DELTABLE || type === nft.NFT_MSG_DELSET || type === nft.NFT_MSG_DELSETELEM;
  if (!isLoss || message.type >> 8 !== nft.NFNL_SUBSYS_NFTABLES || message.port === watched.ownPort)
    return null;
  const family = message.bytes[message.start];
  let [table, name] = ["", ""];
  const reader = attributesOf(message);
  // In each of these messages 1 is the table's name, and in all but the table's own 2 is the set's.
  while (reader.next()) {
    if (reader.type === 1) table = reader.text();
    else if (reader.type === 2 && type !== nft.NFT_MSG_DELTABLE) name = reader.text();
  }
  const set = watched.names.find(
    (one) =>
      numberOf(one) === family && one.table === table && (type === nft.NFT_MSG_DELTABLE || one.set === name),
  );
  if (set === undefined) return null;
  if (type !== nft.NFT_MSG_DELSETELEM) return `somebody deleted ${labelOf(set)}`;
  for (const { address, isEnd } of elementsIn(message, 0)) {
    if (!isEnd && watched.isOurs(set, address))
      return `somebody took ${formatAddress(address)} out of ${labelOf(set)}`;
  }
  return null;
}
