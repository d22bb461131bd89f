import { setImmediate as nextTurn } from "node:timers/promises";
import type { Prefix } from "../../core/prefix.ts";
import { cannot, StoplogError } from "../../core/errors.ts";
import { ENOENT } from "../../kernel/native/system-error.ts";
import { Encoder } from "../../kernel/netlink/encoder.ts";
import { type Answer, answerIn } from "../../kernel/netlink/errors.ts";
import {
  type Message,
  messagesIn,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REQUEST,
} from "../../kernel/netlink/message.ts";
import { NETLINK_NETFILTER, type NetlinkSocket, openNetlink } from "../../kernel/netlink/socket.ts";
import * as ipset from "./messages.ts";
import type { FoundSet, NewSet, SetChange, SetElement, SetFailure, Sets } from "./sets.ts";

/** Sets by our own netlink messages. The kernel makes each change before `send` returns, and answers only what it refuses. */
export class KernelSets implements Sets {
  readonly #socket: NetlinkSocket;
  readonly #encoder = new Encoder(64 * 1024);
  #sequence = 1;

  constructor(
    socket: NetlinkSocket = openNetlink({
      protocol: NETLINK_NETFILTER,
      sendBuffer: BUFFER,
      receiveBuffer: BUFFER,
    }),
  ) {
    this.#socket = socket;
  }

  async find(name: string): Promise<FoundSet | null> {
    let found: FoundSet | null = null;
    const ended = await this.#dump(
      (e) => {
        ipset.writeName(e, name);
        ipset.writeHeadersOnly(e);
      },
      (message) => {
        found ??= ipset.readHeader(message);
      },
    );
    if (ended.errno === ENOENT) return null;
    if (ended.errno !== 0) throw cannot(`look at the set ${name}`, ipset.factOf(ended));
    return found;
  }

  async findAll(names: readonly string[]): Promise<ReadonlyMap<string, FoundSet>> {
    const found = new Map<string, FoundSet>();
    for (const name of names) {
      const set = await this.find(name);
      if (set !== null) found.set(name, set);
    }
    return found;
  }

  async create(set: NewSet): Promise<void> {
    const answer = this.#ask(ipset.IPSET_CMD_CREATE, NLM_F_CREATE | NLM_F_EXCL, (e) => {
      ipset.writeName(e, set.name);
      ipset.writeShape(e, set);
    });
    if (answer.errno !== 0) throw cannot(`create the set ${set.name}`, ipset.factOf(answer));
  }

  async join(list: string, member: string): Promise<void> {
    const answer = this.#ask(ipset.IPSET_CMD_ADD, 0, (e) => {
      ipset.writeName(e, list);
      ipset.writeMember(e, member);
    });
    if (answer.errno !== 0) throw cannot(`add ${member} to the set ${list}`, ipset.factOf(answer));
  }

  async change(changes: readonly SetChange[]): Promise<readonly SetFailure[]> {
    const failures: SetFailure[] = [];
    for (let from = 0; from < changes.length; from += IN_A_DATAGRAM) {
      if (from > 0) await nextTurn();
      const first = this.#sequence;
      this.#encoder.reset();
      for (const change of changes.slice(from, from + IN_A_DATAGRAM)) this.#writeChange(change);
      this.#socket.send(this.#encoder.bytes);
      for (const answer of this.#answers()) {
        if (answer.errno === 0 || answer.sequence < first) continue;
        failures.push({
          place: from + answer.sequence - first,
          reason: reasonOf(answer),
          fact: ipset.factOf(answer),
        });
      }
    }
    return failures;
  }

  async has(name: string, prefix: Prefix): Promise<boolean> {
    return (
      this.#ask(ipset.IPSET_CMD_TEST, 0, (e) => {
        ipset.writeName(e, name);
        ipset.writeElement(e, prefix, null);
      }).errno === 0
    );
  }

  async list(name: string): Promise<readonly SetElement[]> {
    const elements: SetElement[] = [];
    const ended = await this.#dump(
      (e) => ipset.writeName(e, name),
      (message) => {
        for (const element of ipset.elementsIn(message)) elements.push(element);
      },
    );
    if (ended.errno !== 0) throw cannot(`list the set ${name}`, ipset.factOf(ended));
    return elements;
  }

  async swap(one: string, other: string): Promise<void> {
    const answer = this.#ask(ipset.IPSET_CMD_SWAP, 0, (e) => {
      ipset.writeName(e, one);
      ipset.writeSecondName(e, other);
    });
    if (answer.errno !== 0) throw cannot(`swap the sets ${one} and ${other}`, ipset.factOf(answer));
  }

  async destroy(name: string): Promise<boolean> {
    const answer = this.#ask(ipset.IPSET_CMD_DESTROY, 0, (e) => ipset.writeName(e, name));
    if (answer.errno === 0 || answer.errno === ENOENT) return true;
    if (answer.errno === ipset.IPSET_ERR_BUSY || answer.errno === ipset.IPSET_ERR_REFERENCED) return false;
    throw cannot(`remove the set ${name}`, ipset.factOf(answer));
  }

  async flush(name: string): Promise<void> {
    const answer = this.#ask(ipset.IPSET_CMD_FLUSH, 0, (e) => ipset.writeName(e, name));
    if (answer.errno !== 0) throw cannot(`flush the set ${name}`, ipset.factOf(answer));
  }

  close(): void {
    this.#socket.close();
  }

  /** One message for each change: the kernel continues after a refused one, and its answer names it. */
  #writeChange({ set, kind, prefix, seconds }: SetChange): void {
    const type = kind === "delete" ? ipset.IPSET_CMD_DEL : ipset.IPSET_CMD_ADD;
    const at = this.#begin(type, kind === "new" ? NLM_F_EXCL : 0);
    ipset.writeName(this.#encoder, set);
    ipset.writeElement(this.#encoder, prefix, kind === "delete" ? null : seconds);
    this.#encoder.endMessage(at);
  }

  #begin(type: number, flags: number): number {
    const id = (ipset.NFNL_SUBSYS_IPSET << 8) | type;
    const at = this.#encoder.beginMessage(id, NLM_F_REQUEST | flags, this.#sequence++);
    this.#encoder.familyHeader(NFPROTO_IPV4, 0);
    return at;
  }

  #ask(type: number, flags: number, write: (e: Encoder) => void): Answer {
    this.#encoder.reset();
    const at = this.#begin(type, NLM_F_ACK | flags);
    write(this.#encoder);
    this.#encoder.endMessage(at);
    this.#socket.send(this.#encoder.bytes);
    for (const answer of this.#answers()) return answer;
    throw new StoplogError("Cannot use ipset: the kernel did not answer");
  }

  /** Visits everything that the kernel lists, with a turn of the event loop between its parts. Returns the final answer. */
  async #dump(write: (e: Encoder) => void, visit: (message: Message) => void): Promise<Answer> {
    this.#encoder.reset();
    const at = this.#begin(ipset.IPSET_CMD_LIST, NLM_F_DUMP);
    write(this.#encoder);
    this.#encoder.endMessage(at);
    this.#socket.send(this.#encoder.bytes);
    for (;;) {
      const bytes = this.#socket.receive();
      if (bytes === null || bytes === "lost") throw new StoplogError("Cannot use ipset: a list was cut off");
      for (const message of messagesIn(bytes)) {
        const answer = answerIn(message);
        if (answer !== null) return answer;
        visit(message);
      }
      await nextTurn();
    }
  }

  *#answers(): Generator<Answer> {
    for (let bytes = this.#socket.receive(); bytes !== null; bytes = this.#socket.receive()) {
      if (bytes === "lost") throw new StoplogError("Cannot use ipset: answers of the kernel were lost");
      for (const message of messagesIn(bytes)) {
        const answer = answerIn(message);
        if (answer !== null) yield answer;
      }
    }
  }
}

const NFPROTO_IPV4 = 2;
/** Bytes. Holds the answers when every change of a datagram is refused: the kernel counts some 700 bytes for each. */
const BUFFER = 4 << 20;

/** Changes in one datagram: the kernel needs about 2 ms for them. */
const IN_A_DATAGRAM = 500;

function reasonOf({ errno }: Answer): SetFailure["reason"] {
  if (errno === ipset.IPSET_ERR_HASH_FULL) return "full";
  if (errno === ipset.IPSET_ERR_EXIST) return "exists";
  return errno === ENOENT ? "gone" : "other";
}
