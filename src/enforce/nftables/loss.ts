import { attributesOf, messagesIn } from "../../netlink/message.ts";
import { NETLINK_NETFILTER, type NetlinkSocket, openNetlink } from "../../netlink/socket.ts";
import { watchReadable } from "../../native/poll.ts";
import * as nft from "./constants.ts";

/**
 * Hears what others take away from our table, by the kernel's own notices. Only needed where the table is not ours
 * alone. Our own changes come too, marked with our port, and are passed over.
 */
export function watchLoss(table: string, ownPort: number, onLost: (fact: string) => void): { close(): void } {
  const socket = openNetlink({
    protocol: NETLINK_NETFILTER,
    groups: [nft.NFNLGRP_NFTABLES],
    receiveBuffer: RECEIVE_BUFFER,
  });
  const watch = watchReadable(socket.fd, () => {
    const fact = readNotices(socket, table, ownPort);
    if (fact !== null) onLost(fact);
  });
  watch.unref();
  return {
    close() {
      watch.close();
      socket.close();
    },
  };
}

/** Reads what waits, at most a share; the first loss among it, or null. */
export function readNotices(socket: NetlinkSocket, table: string, ownPort: number): string | null {
  let fact: string | null = null;
  for (let i = 0; i < SHARE; i++) {
    const bytes = socket.receive();
    if (bytes === null) break;
    if (bytes === "lost") {
      // What was in the lost notices is not known, so the worst is taken for true.
      fact ??= "so much changed in the firewall that notices were lost";
      continue;
    }
    for (const message of messagesIn(bytes)) {
      if (message.port === ownPort || message.type >> 8 !== nft.NFNL_SUBSYS_NFTABLES) continue;
      const kind = LOSSES[message.type & 0xff];
      if (kind === undefined || fact !== null) continue;
      const reader = attributesOf(message);
      // In each of these messages attribute 1 is the table's name.
      while (reader.next()) {
        if (reader.type === 1 && reader.text() === table)
          fact = `somebody deleted ${kind} table inet ${table}`;
      }
    }
  }
  return fact;
}

const RECEIVE_BUFFER = 4 * 1024 * 1024;

/** Datagrams in one turn of the event loop. */
const SHARE = 64;

const LOSSES: Readonly<Record<number, string>> = {
  [nft.NFT_MSG_DELTABLE]: "the",
  [nft.NFT_MSG_DELCHAIN]: "a chain of",
  [nft.NFT_MSG_DELRULE]: "a rule of",
  [nft.NFT_MSG_DELSET]: "a set of",
  [nft.NFT_MSG_DELSETELEM]: "elements of",
};
