import { setImmediate as nextTurn } from "node:timers/promises";
import { cannot, StoplogError } from "../../core/errors.ts";
import { Encoder } from "../../kernel/netlink/encoder.ts";
import { type Answer, answerIn, factOfAnswer } from "../../kernel/netlink/errors.ts";
import { messagesIn, NLM_F_DUMP_INTR, NLMSG_DONE } from "../../kernel/netlink/message.ts";
import { NETLINK_ROUTE, type NetlinkSocket, openNetlink } from "../../kernel/netlink/socket.ts";
import { type Hole, readHole, writeDump, writeHole } from "./messages.ts";

/** A change that the kernel refused; `place` is its index in the call. */
export interface RouteFailure extends Answer {
  readonly place: number;
}

/** A netlink socket for routes (NETLINK_ROUTE). */
export class RouteSession {
  readonly #socket: NetlinkSocket;
  readonly #encoder = new Encoder(64 * 1024);
  #sequence = 1;

  constructor(socket: NetlinkSocket = openNetlink({ protocol: NETLINK_ROUTE, sendBuffer: 1 << 20 })) {
    this.#socket = socket;
  }

  /**
   * Adds or removes routes, some hundred in each datagram, with a turn of the event loop between. The kernel makes each change before
   * `send` returns, and answers only what it refuses.
   */
  async change(kind: "ban" | "unban", holes: readonly Hole[]): Promise<readonly RouteFailure[]> {
    const failures: RouteFailure[] = [];
    for (let from = 0; from < holes.length; from += IN_A_DATAGRAM) {
      if (from > 0) await nextTurn();
      const first = this.#sequence;
      this.#encoder.reset();
      for (const hole of holes.slice(from, from + IN_A_DATAGRAM))
        writeHole(this.#encoder, this.#sequence++, kind, hole);
      this.#socket.send(this.#encoder.bytes);
      for (const answer of this.#answers()) {
        if (answer.errno !== 0 && answer.sequence >= first)
          failures.push({ ...answer, place: from + answer.sequence - first });
      }
    }
    return failures;
  }

  /** Lists our routes of both families. */
  async list(): Promise<readonly Hole[]> {
    return [...(await this.#listFamily("v4")), ...(await this.#listFamily("v6"))];
  }

  /** The netlink port of the socket that makes our own changes. */
  get port(): number {
    return this.#socket.port;
  }

  close(): void {
    this.#socket.close();
  }

  /** Repeats an interrupted dump a few times. */
  async #listFamily(family: "v4" | "v6", tries = 5): Promise<readonly Hole[]> {
    const holes = new Map<string, Hole>();
    let interrupted = false;
    this.#encoder.reset();
    writeDump(this.#encoder, this.#sequence++, family);
    this.#socket.send(this.#encoder.bytes);
    for (;;) {
      const bytes = this.#socket.receive();
      if (bytes === null) throw new StoplogError("Cannot list routes: the kernel did not answer");
      if (bytes === "lost") continue;
      for (const message of messagesIn(bytes)) {
        interrupted ||= (message.flags & NLM_F_DUMP_INTR) !== 0;
        const answer = answerIn(message);
        if (answer !== null && answer.errno !== 0) throw cannot("list routes", factOfAnswer(answer));
        if (message.type === NLMSG_DONE) {
          if (!interrupted || tries <= 1) return [...holes.values()];
          return this.#listFamily(family, tries - 1);
        }
        const hole = readHole(message);
        if (hole !== null) holes.set(keyOf(hole), hole);
      }
      await nextTurn();
    }
  }

  *#answers(): Generator<Answer> {
    for (let bytes = this.#socket.receive(); bytes !== null; bytes = this.#socket.receive()) {
      if (bytes === "lost") throw new StoplogError("Cannot change routes: answers of the kernel were lost");
      for (const message of messagesIn(bytes)) {
        const answer = answerIn(message);
        if (answer !== null) yield answer;
      }
    }
  }
}

/** The kernel needs about 1 ms for them, and the answers fit into the socket's buffer when all are refused. */
const IN_A_DATAGRAM = 400;

function keyOf({ prefix: { address, length }, priority }: Hole): string {
  return `${address.w0}:${address.w1}:${address.w2}:${address.w3}/${length} ${priority}`;
}
