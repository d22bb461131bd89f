import type { Encoder } from "./netlink/encoder.ts";

/** A list of connections that the kernel keeps: how it is requested, and how one of them is deleted. */
export interface ConnectionList {
  /** What is in it, in the plural. */
  readonly noun: string;
  /** How many may be deleted in one turn of the event loop. */
  readonly deletionsATurn: number;
  /** Writes the request for the whole list. */
  writeRequest(e: Encoder, sequence: number): void;
  /** Whether an end of the connection is one of these addresses. */
  concerns(addresses: AddressTest, listed: Listed): boolean;
  /** Writes the message that deletes the connection. */
  writeDeletion(e: Encoder, sequence: number, listed: Listed): void;
}

/** Tests addresses where they are in a buffer: no object is made for an entry of a long list. */
export interface AddressTest {
  /** An IPv4 address of four bytes. */
  holdsV4(view: DataView, at: number): boolean;
  /** An IPv6 address of 16 bytes; ::ffff:a.b.c.d is the IPv4 address. */
  holdsV6(view: DataView, at: number): boolean;
}

/** One message of a list, in the receive buffer. The same object is used for every message: keep nothing of it. */
export interface Listed {
  bytes: Uint8Array;
  view: DataView;
  /** The first byte behind the netlink header, and one past the last. */
  start: number;
  end: number;
}
