import { Encoder } from "../../src/kernel/netlink/encoder.ts";
import { type Message, messagesIn, NLMSG_ERROR } from "../../src/kernel/netlink/message.ts";
import type { NetlinkSocket } from "../../src/kernel/netlink/socket.ts";

/**
 * A netlink socket with a function in the place of the kernel: it gets the messages of each datagram and answers with datagrams.
 * Requests and answers are real bytes, so everything above the socket runs as usual.
 */
export function fakeNetlink(answer: (messages: readonly Message[]) => readonly Uint8Array[]): NetlinkSocket {
  const waiting: Uint8Array[] = [];
  return {
    fd: -1,
    port: 4711,
    send(bytes) {
      waiting.push(...answer([...messagesIn(Uint8Array.from(bytes))]));
    },
    receive: () => waiting.shift() ?? null,
    close() {},
    closeAside() {},
  };
}

/** The kernel's answer to a message: 0 acknowledges it; else an errno, with the offset of the refused attribute. */
export function fakeAnswer(
  to: Message,
  errno: number,
  extended?: { text?: string; offset?: number },
): Uint8Array {
  const body = new Encoder();
  const flags = extended === undefined ? 0x100 : 0x300;
  const at = body.beginMessage(NLMSG_ERROR, flags, to.sequence);
  const bytes = Buffer.alloc(20);
  bytes.writeInt32LE(-errno);
  bytes.writeUInt32LE(to.end - to.start + 16, 4);
  bytes.writeUInt16LE(to.type, 8);
  bytes.writeUInt16LE(to.flags, 10);
  bytes.writeUInt32LE(to.sequence, 12);
  body.plain(bytes);
  if (extended?.text !== undefined) body.text(1, extended.text);
  if (extended?.offset !== undefined) {
    const offset = Buffer.alloc(4);
    offset.writeUInt32LE(extended.offset);
    body.raw(2, offset);
  }
  body.endMessage(at);
  return Uint8Array.from(body.bytes);
}
