import { setImmediate as nextTurn } from "node:timers/promises";
import { StoplogError } from "../../core/errors.ts";
import type { ConnectionList, Listed } from "../../kernel/connection-list.ts";
import { ENOENT, ESTALE } from "../../kernel/native/system-error.ts";
import { align, HOST_LITTLE_ENDIAN, MESSAGE_HEADER } from "../../kernel/netlink/align.ts";
import { Encoder } from "../../kernel/netlink/encoder.ts";
import { type Answer, answerIn } from "../../kernel/netlink/errors.ts";
import { type Message, messagesIn, NLMSG_DONE, NLMSG_ERROR } from "../../kernel/netlink/message.ts";
import type { NetlinkSocket } from "../../kernel/netlink/socket.ts";
import type { Banned } from "./banned.ts";
import type { Cut, Link } from "./cuttable.ts";

/**
 * Reads one list from its beginning to its end and cuts on the way what a ban concerns, so nothing has to be kept. The
 * kernel lists 32 KiB a call and holds no lock between the calls; some of them, or as many orders as the list allows,
 * make a turn of the event loop.
 */
export async function cutListed(
  list: ConnectionList,
  banned: Banned,
  link: Link,
  stopped: () => boolean,
): Promise<Cut> {
  const orders = new Orders(list, link.orders);
  sendRequest(list, link.list);
  const listed: Listed = { bytes: NOTHING, view: new DataView(NOTHING.buffer), start: 0, end: 0 };
  for (let datagrams = 1; ; datagrams++) {
    const bytes = link.list.receive();
    if (bytes === null || bytes === "lost")
      throw new StoplogError(`Cannot list ${list.noun}: the kernel stopped in the middle`);
    listed.bytes = bytes;
    const view = (listed.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    for (let at = 0; at + MESSAGE_HEADER <= bytes.length; at = align(listed.end)) {
      const length = view.getUint32(at, HOST_LITTLE_ENDIAN);
      if (length < MESSAGE_HEADER || at + length > bytes.length) break;
      listed.start = at + MESSAGE_HEADER;
      listed.end = at + length;
      const type = view.getUint16(at + 4, HOST_LITTLE_ENDIAN);
      if (type === NLMSG_DONE || type === NLMSG_ERROR) return orders.close(endOfList(bytes.subarray(at)));
      if (!list.concerns(banned, listed)) continue;
      // The buffer is this list's own, and stays as it is until more is received.
      if (orders.add(listed) === "full") await nextTurn();
    }
    if (datagrams % DATAGRAMS_A_TURN === 0) {
      orders.send();
      await nextTurn();
    }
    if (stopped()) return orders.close(null);
  }
}

/** Of up to 32 KiB: some hundred entries each. */
const DATAGRAMS_A_TURN = 4;

const NOTHING = new Uint8Array(0);

function sendRequest(list: ConnectionList, socket: NetlinkSocket): void {
  const e = new Encoder(128);
  list.writeRequest(e, 1);
  socket.send(e.bytes);
}

/** The message that ends a list, when it says that something is wrong. */
function endOfList(bytes: Uint8Array): Answer | null {
  for (const message of messagesIn(bytes)) return failure(message);
  return null;
}

function failure(message: Message): Answer | null {
  const answer = answerIn(message);
  return answer === null || answer.errno === 0 ? null : answer;
}

/** Orders are handed over many at a time. No acknowledgement is asked for: the kernel answers to what it refuses. */
class Orders {
  readonly #list: ConnectionList;
  readonly #socket: NetlinkSocket;
  readonly #encoder = new Encoder(16 * 1024);
  #waiting = 0;
  #cut = 0;
  #refused = 0;
  #trouble: Cut["trouble"] = null;

  constructor(list: ConnectionList, socket: NetlinkSocket) {
    this.#list = list;
    this.#socket = socket;
  }

  /** Answers "full" when as many as a turn may have were handed over with this one. */
  add(listed: Listed): "full" | "room" {
    this.#list.writeDeletion(this.#encoder, this.#waiting + 1, listed);
    if (++this.#waiting < this.#list.deletionsATurn) return "room";
    this.send();
    return "full";
  }

  send(): void {
    if (this.#waiting === 0) return;
    this.#cut += this.#waiting;
    this.#waiting = 0;
    this.#socket.send(this.#encoder.bytes);
    this.#encoder.reset();
    for (let bytes = this.#socket.receive(); bytes !== null; bytes = this.#socket.receive()) {
      if (bytes !== "lost") for (const message of messagesIn(bytes)) this.#note(failure(message));
    }
  }

  close(ofList: Answer | null): Cut {
    this.send();
    if (ofList !== null) this.#trouble ??= { doing: "list", answer: ofList };
    return { cut: this.#cut, refused: this.#refused, trouble: this.#trouble };
  }

  #note(answer: Answer | null): void {
    if (answer === null) return;
    this.#cut--;
    // Another socket stands at that place now, or none.
    if (answer.errno === ENOENT || answer.errno === ESTALE) return;
    this.#refused++;
    this.#trouble ??= { doing: "cut", answer };
  }
}
