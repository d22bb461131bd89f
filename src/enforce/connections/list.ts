import type { Encoder } from "../../kernel/netlink/encoder.ts";
import type { Banned } from "./banned.ts";

/** A list of connections that the kernel keeps: how it is asked for, and how one of them is cut. */
export interface ConnectionList {
  /** What stands in it, in the plural. */
  readonly noun: string;
  /** Orders in one turn of the event loop. */
  readonly ordersATurn: number;
  /** Writes the request for all of it. */
  ask(e: Encoder, sequence: number): void;
  /** Whether one of both ends lies in a banned prefix. */
  concerns(banned: Banned, listed: Listed): boolean;
  /** Writes the order to cut it. */
  order(e: Encoder, sequence: number, listed: Listed): void;
}

/** A message of a list, where it lies in the receive buffer. One object for all of them: nothing of it may be kept. */
export interface Listed {
  bytes: Uint8Array;
  view: DataView;
  /** The first byte behind the netlink header, and one past the last. */
  start: number;
  end: number;
}
