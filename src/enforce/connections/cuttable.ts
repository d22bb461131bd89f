import type { Answer } from "../../kernel/netlink/errors.ts";
import type { NetlinkSocket } from "../../kernel/netlink/socket.ts";
import type { Banned } from "./banned.ts";

/** A kind of connections that the kernel can be told to cut. */
export interface Cuttable {
  readonly noun: "conntrack entries" | "TCP sockets" | "UDP sockets";
  /** The netlink protocol that they are cut by. */
  readonly protocol: number;
  /**
   * Cuts those of which one end is banned, in short turns of the event loop. `stopped` is asked in each and ends it early.
   * Rejects when a socket does not work.
   */
  cut(banned: Banned, link: Link, stopped: () => boolean): Promise<Cut>;
  /** What the kernel lacks for it, for good, when it answers so; null when the answer means something else. */
  lack(doing: Doing, errno: number): string | null;
}

export type Doing = "list" | "cut";

/** Two sockets: while the kernel lists on one, it takes orders on the other. */
export interface Link {
  readonly list: NetlinkSocket;
  readonly orders: NetlinkSocket;
}

export interface Cut {
  /** Connections that were cut. */
  readonly cut: number;
  /** Those that the kernel would not cut; one that had ended by itself is neither. */
  readonly refused: number;
  /** Why the kernel did not list, or did not cut the first that it refused; null when all went well. */
  readonly trouble: { readonly doing: Doing; readonly answer: Answer } | null;
}
