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
 * Reads one list from beginning to end and cuts the banned connections on the way, so none has to be kept in memory. The kernel lists
 * 32 KiB a call and holds no lock between calls. Some calls, or as many deletions as the list allows, make a turn of the event loop.
 */
export async function cutListed(
  list: ConnectionList,
  banned: Banned,
  link: Link,
  stopped: () => boolean,
): Promise<Cut> {
  const deletions = new Deletions(list, link.deletions);
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
      if (type === NLMSG_DONE || type === NLMSG_ERROR) return deletions.close(endOfList(bytes.subarray(at)));
      if (!list.concerns(banned, listed)) continue;
      // The buffer belongs to this list and does not change until more is received.
      if (deletions.add(listed) === "full") await nextTurn();
    }
    if (datagrams % DATAGRAMS_A_TURN === 0) {
      deletions.send();
      await nextTurn();
    }
    if (stopped()) return deletions.close(null);
  }
}

/** Each has up to 32 KiB: some hundred entries. */
const DATAGRAMS_A_TURN = 4;

const NOTHING = new Uint8Array(0);

function sendRequest(list: ConnectionList, socket: NetlinkSocket): void {
  const e = new Encoder(128);
  list.writeRequest(e, 1);
  socket.send(e.bytes);
}

/** The error in the message that ends a list; null for none. */
function endOfList(bytes: Uint8Array): Answer | null {
  for (const message of messagesIn(bytes)) return failure(message);
  return null;
}

function failure(message: Message): Answer | null {
  const answer = answerIn(message);
  return answer === null || answer.errno === 0 ? null : answer;
}

/** Sends many deletions at a time, without requesting acknowledgements: the kernel answers only a refusal. */
class Deletions {
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

  /** Answers "full" when this was the last of the deletions that one turn may have. */
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
    // The connection ended by itself.
    if (answer.errno === ENOENT || answer.errno === ESTALE) return;
    this.#refused++;
    this.#trouble ??= { doing: "cut", answer };
  }
}
