import { align, HOST_LITTLE_ENDIAN, MESSAGE_HEADER } from "./align.ts";
import { AttributeReader } from "./attribute.ts";

/** A message in a receive buffer; valid until the buffer is filled again. */
export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** The netlink port of the socket that caused it; 0 for the kernel. */
  readonly port: number;
  readonly bytes: Uint8Array;
  /** The first byte behind the header, and one past the last of the message. */
  readonly start: number;
  readonly end: number;
}

/** The complete messages in `bytes`, in their order, up to one that is cut off or has a wrong length. */
export function* messagesIn(bytes: Uint8Array): Generator<Message> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + MESSAGE_HEADER <= bytes.length) {
    const length = view.getUint32(at, HOST_LITTLE_ENDIAN);
    if (length < MESSAGE_HEADER || at + length > bytes.length) return;
    yield {
      type: view.getUint16(at + 4, HOST_LITTLE_ENDIAN),
      flags: view.getUint16(at + 6, HOST_LITTLE_ENDIAN),
      sequence: view.getUint32(at + 8, HOST_LITTLE_ENDIAN),
      port: view.getUint32(at + 12, HOST_LITTLE_ENDIAN),
      bytes,
      start: at + MESSAGE_HEADER,
      end: at + length,
    };
    at += align(length);
  }
}

/** The attributes of an nfnetlink message, after its four-byte family header. */
export function attributesOf(message: Message): AttributeReader {
  return new AttributeReader(message.bytes, message.start + 4, message.end);
}

// linux/netlink.h
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP_INTR = 0x10;
/** Makes a request to create an object fail when the object exists. */
export const NLM_F_EXCL = 0x200;
export const NLM_F_CAPPED = 0x100;
export const NLM_F_ACK_TLVS = 0x200;
export const NLM_F_DUMP = 0x300;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;
