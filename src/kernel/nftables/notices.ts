import { watchReadable } from "../native/poll.ts";
import { attributesOf, type Message, messagesIn } from "../netlink/message.ts";
import { NETLINK_NETFILTER, openNetlink } from "../netlink/socket.ts";
import * as nft from "./constants.ts";

export interface NoticeReader {
  /** Reads what waits. Our own changes come back as notices too: call this after each, or they fill the socket's buffer. */
  catchUp(): void;
  close(): void;
}

export interface NoticeOptions {
  /** The netlink port of the socket that makes our own changes, whose notices are skipped. */
  readonly ownPort: number;
  /** The loss that a notice of nf_tables reports, as a phrase; null for none. */
  readonly lossIn: (message: Message) => string | null;
  readonly onLost: (fact: string) => void;
}

/**
 * Reads the kernel's notices of changes in nf_tables. When there were more than the socket could hold, the kernel says so once and
 * then drops every notice until the socket has been emptied. So an overrun is reported once nothing waits any more: a caller that
 * then repairs its table misses nothing that happens later.
 */
export function readNotices({ ownPort, lossIn, onLost }: NoticeOptions): NoticeReader {
  const socket = openNetlink({
    protocol: NETLINK_NETFILTER,
    groups: [nft.NFNLGRP_NFTABLES],
    receiveBuffer: RECEIVE_BUFFER,
  });
  let overrun = false;
  const catchUp = (): void => {
    let fact: string | null = null;
    for (let i = 0; i < DATAGRAMS_A_TURN; i++) {
      const bytes = socket.receive();
      if (bytes === null) {
        // The lost notices may have said anything, so the worst is assumed.
        if (overrun) fact ??= "so much changed in the firewall that notices were lost";
        overrun = false;
        break;
      }
      if (bytes === "lost") overrun = true;
      else if (fact === null) {
        for (const message of messagesIn(bytes)) {
          const isOthers = message.port !== ownPort && message.type >> 8 === nft.NFNL_SUBSYS_NFTABLES;
          if (isOthers) fact ??= lossIn(message);
        }
      }
    }
    if (fact !== null) onLost(fact);
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

const RECEIVE_BUFFER = 4 * 1024 * 1024;

/** More than one transaction of ours makes, with some 50 elements in each. */
const DATAGRAMS_A_TURN = 128;

/** What a notice says was done to a table of family inet; null for any other notice. */
export function tableLoss(message: Message, table: string): string | null {
  const what = CHANGES[message.type & 0xff];
  if (what === undefined || message.bytes[message.start] !== nft.NFPROTO_INET) return null;
  const reader = attributesOf(message);
  // In each of these messages attribute 1 is the table's name.
  while (reader.next()) {
    if (reader.type === nft.NFTA_TABLE_NAME)
      return reader.text() === table ? `another program ${what} table inet ${table}` : null;
  }
  return null;
}

/** What is added counts too: a rule before ours, a chain's policy, or the flag that puts a table to sleep let packets pass. */
const CHANGES: Readonly<Record<number, string>> = {
  [nft.NFT_MSG_NEWTABLE]: "changed the",
  [nft.NFT_MSG_NEWCHAIN]: "added or changed a chain of",
  [nft.NFT_MSG_NEWRULE]: "added a rule to",
  [nft.NFT_MSG_NEWSET]: "added a set to",
  [nft.NFT_MSG_NEWSETELEM]: "added elements to",
  [nft.NFT_MSG_DELTABLE]: "deleted the",
  [nft.NFT_MSG_DELCHAIN]: "deleted a chain of",
  [nft.NFT_MSG_DELRULE]: "deleted a rule of",
  [nft.NFT_MSG_DELSET]: "deleted a set of",
  [nft.NFT_MSG_DELSETELEM]: "deleted elements of",
};
