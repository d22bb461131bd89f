import { watchReadable } from "../../kernel/native/poll.ts";
import { attributesOf, type Message, messagesIn } from "../../kernel/netlink/message.ts";
import { NETLINK_NETFILTER, type NetlinkSocket, openNetlink } from "../../kernel/netlink/socket.ts";
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
  const notices = new Notices(socket, table, ownPort);
  const watch = watchReadable(socket.fd, () => {
    const fact = notices.read();
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

/**
 * Reads notices. When there were more than the socket could hold, the kernel says so once and then drops all that
 * comes, in silence, until everything was fetched: so an overrun is told only when nothing waits any more, and
 * whoever acts on it misses nothing that happens after.
 */
export class Notices {
  readonly #socket: NetlinkSocket;
  readonly #table: string;
  readonly #ownPort: number;
  #overrun = false;

  constructor(socket: NetlinkSocket, table: string, ownPort: number) {
    this.#socket = socket;
    this.#table = table;
    this.#ownPort = ownPort;
  }

  /** Takes what waits, at most a share of it; answers a loss among it, or null. */
  read(): string | null {
    let fact: string | null = null;
    for (let i = 0; i < SHARE; i++) {
      const bytes = this.#socket.receive();
      if (bytes === null) {
        // What the lost notices said is not known, so the worst is taken for true.
        if (this.#overrun) fact ??= "so much changed in the firewall that notices were lost";
        this.#overrun = false;
        break;
      }
      if (bytes === "lost") this.#overrun = true;
      else for (const message of messagesIn(bytes)) fact ??= this.#lossIn(message);
    }
    return fact;
  }

  #lossIn(message: Message): string | null {
    if (message.port === this.#ownPort || message.type >> 8 !== nft.NFNL_SUBSYS_NFTABLES) return null;
    const kind = LOSSES[message.type & 0xff];
    if (kind === undefined) return null;
    const reader = attributesOf(message);
    // In each of these messages attribute 1 is the table's name.
    while (reader.next()) {
      if (reader.type === 1) {
        return reader.text() === this.#table ? `somebody deleted ${kind} table inet ${this.#table}` : null;
      }
    }
    return null;
  }
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
