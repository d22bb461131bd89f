import { HOST_LITTLE_ENDIAN } from "../../kernel/netlink/align.ts";
import { Encoder } from "../../kernel/netlink/encoder.ts";
import { AttributeReader } from "../../kernel/netlink/attribute.ts";
import { messagesIn, NLM_F_REQUEST } from "../../kernel/netlink/message.ts";
import type { NetlinkSocket } from "../../kernel/netlink/socket.ts";

/**
 * Looks up interface names by index in the kernel (rtnetlink(7)). Caches them for ten seconds, because an interface may be
 * renamed, and gets a new index when it is created again.
 */
export class LinkNames {
  readonly #socket: NetlinkSocket;
  readonly #encoder = new Encoder(64);
  readonly #known = new Map<number, string>();
  readonly #now: () => number;
  #since = 0;

  /** `socket` is of NETLINK_ROUTE; the caller closes it. `now` is in ms. */
  constructor(socket: NetlinkSocket, now: () => number = () => performance.now()) {
    this.#socket = socket;
    this.#now = now;
  }

  /** The interface's name; empty when there is no such interface. */
  of(index: number): string {
    const now = this.#now();
    if (now - this.#since > KEPT || this.#known.size >= MOST) {
      this.#known.clear();
      this.#since = now;
    }
    let name = this.#known.get(index);
    if (name === undefined) {
      name = this.#ask(index);
      this.#known.set(index, name);
    }
    return name;
  }

  #ask(index: number): string {
    const encoder = this.#encoder;
    encoder.reset();
    const at = encoder.beginMessage(RTM_GETLINK, NLM_F_REQUEST, index);
    const info = new DataView(new ArrayBuffer(IFINFO));
    info.setInt32(4, index, HOST_LITTLE_ENDIAN);
    encoder.plain(new Uint8Array(info.buffer));
    encoder.endMessage(at);
    this.#socket.send(encoder.bytes);
    let name = "";
    for (let answer = this.#socket.receive(); answer !== null; answer = this.#socket.receive()) {
      if (answer === "lost") continue;
      for (const message of messagesIn(answer)) {
        if (message.type !== RTM_NEWLINK || message.sequence !== index) continue;
        const reader = new AttributeReader(message.bytes, message.start + IFINFO, message.end);
        while (reader.next()) if (reader.type === IFLA_IFNAME) name = reader.text();
      }
    }
    return name;
  }
}

/** linux/rtnetlink.h; struct ifinfomsg: u8 family, u8 0, u16 type, i32 index, u32 flags, u32 change. */
const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const IFINFO = 16;
/** linux/if_link.h */
const IFLA_IFNAME = 3;

/** In ms. */
const KEPT = 10_000;
const MOST = 1024;
