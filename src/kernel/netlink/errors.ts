import { systemError } from "../native/system-error.ts";
import { align, HOST_LITTLE_ENDIAN, MESSAGE_HEADER } from "./align.ts";
import { AttributeReader } from "./attribute.ts";
import { type Message, NLM_F_ACK_TLVS, NLM_F_CAPPED, NLMSG_DONE, NLMSG_ERROR } from "./message.ts";

/** The kernel's answer to one message: errno 0 is an acknowledgement. */
export interface Answer {
  readonly errno: number;
  /** The sequence number of the request. */
  readonly sequence: number;
  /** The kernel's own text in the extended acknowledgement, or empty. */
  readonly text: string;
  /** The offset of the refused attribute in the message; -1 when the kernel does not say. */
  readonly offset: number;
}

/** Reads an NLMSG_ERROR with its extended acknowledgement, or an NLMSG_DONE; null for any other message. */
export function answerIn(message: Message): Answer | null {
  if (message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) return null;
  const { bytes, start, end, sequence } = message;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const errno = start + 4 <= end ? -view.getInt32(start, HOST_LITTLE_ENDIAN) : 0;
  let text = "";
  let offset = -1;
  if ((message.flags & NLM_F_ACK_TLVS) !== 0) {
    const reader = new AttributeReader(bytes, start + 4 + echoed(message, view), end);
    while (reader.next()) {
      if (reader.type === NLMSGERR_ATTR_MSG) text = reader.text();
      else if (reader.type === NLMSGERR_ATTR_OFFS) offset = reader.hostU32();
    }
  }
  return { errno: errno === 0 ? 0 : errno, sequence, text, offset };
}

/** The fact of a refusal: what the errno means, and the kernel's own text if it sent one. */
export function factOfAnswer({ errno, text }: Answer): string {
  return text === "" ? systemError(errno).message : `${systemError(errno).message} (${text})`;
}

/** enum nlmsgerr_attrs of linux/netlink.h. */
const NLMSGERR_ATTR_MSG = 1;
const NLMSGERR_ATTR_OFFS = 2;

/** Bytes of our own message between the errno and the attributes: all of it, or only its header when capped. */
function echoed(message: Message, view: DataView): number {
  const at = message.start + 4;
  if (message.type === NLMSG_DONE) return 0;
  if ((message.flags & NLM_F_CAPPED) !== 0 || at + MESSAGE_HEADER > message.end) return MESSAGE_HEADER;
  return align(view.getUint32(at, HOST_LITTLE_ENDIAN));
}
