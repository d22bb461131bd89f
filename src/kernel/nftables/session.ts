import { setImmediate as nextTurn } from "node:timers/promises";
import { cannot, StoplogError } from "../../core/errors.ts";
import { Batch } from "../netlink/batch.ts";
import { Encoder } from "../netlink/encoder.ts";
import { type Answer, answerIn, factOfAnswer } from "../netlink/errors.ts";
import { type Message, messagesIn, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST } from "../netlink/message.ts";
import { NETLINK_NETFILTER, type NetlinkSocket, openNetlink } from "../netlink/socket.ts";
import { NFNL_SUBSYS_NFTABLES, NFPROTO_INET } from "./constants.ts";

/** A message of a transaction that the kernel refused; then none of the transaction is applied. */
export interface Failure extends Answer {
  /** The index of the message in the batch, from 0; -1 when the whole batch was refused. */
  readonly message: number;
}

/**
 * A netlink socket that speaks nf_tables. The kernel works inside `send`, and the answers are ready when it returns: a transaction is
 * one synchronous step.
 */
export class Session {
  readonly socket: NetlinkSocket;
  readonly #encoder = new Encoder(64 * 1024);
  #sequence = 1;

  constructor(socket: NetlinkSocket) {
    this.socket = socket;
  }

  /** Sends what `write` puts into a batch. Answers the refusals; an empty list means that everything is applied. */
  transact(write: (batch: Batch) => void): readonly Failure[] {
    const batch = new Batch(this.#encoder, NFNL_SUBSYS_NFTABLES, this.#sequence);
    write(batch);
    if (batch.count === 0) return [];
    const { bytes, nextSequence } = batch.finish();
    this.#sequence = nextSequence;
    this.socket.send(bytes);
    return this.#failures(batch);
  }

  /** Sends one message outside a batch, such as a look-up of one element. Answers go to `visit`. */
  ask(request: Request, visit: (message: Message) => void): Answer {
    this.#send(request, 0x4);
    for (let bytes = this.socket.receive(); bytes !== null; bytes = this.socket.receive()) {
      if (bytes === "lost") continue;
      for (const message of messagesIn(bytes)) {
        const answer = answerIn(message);
        if (answer !== null) return answer;
        visit(message);
      }
    }
    throw new StoplogError("Cannot ask the kernel: it did not answer");
  }

  /**
   * Requests a list and passes it to `visit` message by message, with a turn of the event loop between its parts. When `visit` answers
   * false the list ends, and the session must not be used again. Answers how it ended; `interrupted` when something changed
   * meanwhile, so that entries may be missing or come twice.
   */
  async dump(
    request: Request,
    visit: (message: Message) => boolean,
  ): Promise<Answer & { readonly interrupted: boolean }> {
    let interrupted = false;
    this.#send(request, NLM_F_DUMP);
    for (;;) {
      const bytes = this.socket.receive();
      if (bytes === null || bytes === "lost")
        throw new StoplogError("Cannot list: the kernel stopped in the middle");
      for (const message of messagesIn(bytes)) {
        if ((message.flags & NLM_F_DUMP_INTR) !== 0) interrupted = true;
        const answer = answerIn(message);
        if (answer !== null) return { ...answer, interrupted };
        if (!visit(message)) return { errno: 0, sequence: 0, text: "", offset: -1, interrupted };
      }
      await nextTurn();
    }
  }

  close(): void {
    this.socket.close();
  }

  closeAside(): void {
    this.socket.closeAside();
  }

  #send({ type, write, family }: Request, flags: number): void {
    const e = this.#encoder;
    e.reset();
    const at = e.beginMessage((NFNL_SUBSYS_NFTABLES << 8) | type, NLM_F_REQUEST | flags, this.#sequence++);
    e.familyHeader(family ?? NFPROTO_INET, 0);
    write?.(e);
    e.endMessage(at);
    this.socket.send(e.bytes);
  }

  #failures(batch: Batch): readonly Failure[] {
    const failures: Failure[] = [];
    let answered = false;
    for (let bytes = this.socket.receive(); bytes !== null; bytes = this.socket.receive()) {
      if (bytes === "lost") continue;
      for (const message of messagesIn(bytes)) {
        const answer = answerIn(message);
        if (answer === null) continue;
        answered = true;
        if (answer.errno !== 0) failures.push({ ...answer, message: batch.indexOf(answer.sequence) });
      }
    }
    if (!answered) throw new StoplogError("Cannot change the firewall: the kernel did not answer");
    return failures;
  }
}

export interface Request {
  readonly type: number;
  readonly family?: number;
  readonly write?: (e: Encoder) => void;
}

/** Room for a batch of some thousand elements, and for its answers. */
const BUFFER_BYTES = 4 * 1024 * 1024;

export function openSession(): Session {
  return new Session(
    openNetlink({ protocol: NETLINK_NETFILTER, sendBuffer: BUFFER_BYTES, receiveBuffer: BUFFER_BYTES }),
  );
}

/** Throws `Cannot ${what}: …` for the first refusal. */
export function mustHold(what: string, failures: readonly Failure[]): void {
  const first = failures[0];
  if (first !== undefined) throw cannot(what, factOfAnswer(first));
}
