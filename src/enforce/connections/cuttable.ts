import type { Answer } from "../../kernel/netlink/errors.ts";
import type { NetlinkSocket } from "../../kernel/netlink/socket.ts";
import type { Banned } from "./banned.ts";

/** A kind of connection that the kernel can cut. */
export interface Cuttable {
  readonly noun: "conntrack entries" | "TCP sockets" | "UDP sockets";
  /** The netlink protocol for it. */
  readonly protocol: number;
  /**
   * Cuts the connections with a banned end, in short turns of the event loop. It ends early when `stopped` answers true. Rejects when
   * a netlink socket does not work.
   */
  cut(banned: Banned, link: Link, stopped: () => boolean): Promise<Cut>;
  /** What this kernel lacks permanently, when it gives this answer; null when the answer means something else. */
  lack(doing: Doing, errno: number): string | null;
}

export type Doing = "list" | "cut";

/** Two sockets: while the kernel lists on one, it deletes on the other. */
export interface Link {
  readonly list: NetlinkSocket;
  readonly deletions: NetlinkSocket;
}

export interface Cut {
  /** Connections that were cut. */
  readonly cut: number;
  /** Connections that the kernel refused to cut; one that ended by itself is not counted. */
  readonly refused: number;
  /** The first refusal to list or to cut; null for none. */
  readonly trouble: { readonly doing: Doing; readonly answer: Answer } | null;
}
