import type { Encoder } from "./encoder.ts";
import { NLM_F_ACK, NLM_F_REQUEST } from "./message.ts";

/**
 * An nfnetlink batch: a transaction, applied completely or not at all.
 *
 *      BATCH_BEGIN │ message 0 │ message 1 │ … │ last message, requests the one acknowledgement │ BATCH_END
 *
 * The kernel refuses a message by its sequence number, from which `indexOf` finds the message.
 */
export class Batch {
  readonly #encoder: Encoder;
  readonly #subsystem: number;
  readonly #firstSequence: number;
  #count = 0;
  #last = -1;
  #lastId = 0;

  /** `subsystem` is that of the messages, such as 10 for nf_tables. Sequence numbers count up from `sequence`. */
  constructor(encoder: Encoder, subsystem: number, sequence: number) {
    this.#encoder = encoder;
    this.#subsystem = subsystem;
    this.#firstSequence = sequence + 1;
    encoder.reset();
    this.#mark(NFNL_MSG_BATCH_BEGIN, sequence);
  }

  get count(): number {
    return this.#count;
  }

  get encoder(): Encoder {
    return this.#encoder;
  }

  /** Begins a message, whose attributes go to the encoder; close it with `end`. Answers its offset. */
  begin(type: number, flags: number, family: number): number {
    const sequence = this.#firstSequence + this.#count++;
    const at = this.#encoder.beginMessage((this.#subsystem << 8) | type, NLM_F_REQUEST | flags, sequence);
    this.#encoder.familyHeader(family, 0);
    this.#last = at;
    return at;
  }

  end(at: number): void {
    this.#encoder.endMessage(at);
  }

  /** A number by which messages of this batch refer to an object that has no name yet; unique within the batch. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** Closes the batch. Answers its bytes, valid until the encoder is used again, and the next unused sequence number. */
  finish(): { readonly bytes: Uint8Array; readonly nextSequence: number } {
    if (this.#last >= 0) this.#encoder.addFlags(this.#last, NLM_F_ACK);
    const sequence = this.#firstSequence + this.#count;
    this.#mark(NFNL_MSG_BATCH_END, sequence);
    return { bytes: this.#encoder.bytes, nextSequence: sequence + 1 };
  }

  /** The index of the message with this sequence number, from 0; -1 for a number that is not of this batch. */
  indexOf(sequence: number): number {
    const index = sequence - this.#firstSequence;
    return index >= 0 && index < this.#count ? index : -1;
  }

  #mark(type: number, sequence: number): void {
    const at = this.#encoder.beginMessage(type, NLM_F_REQUEST, sequence);
    this.#encoder.familyHeader(0, this.#subsystem);
    this.#encoder.endMessage(at);
  }
}

/** linux/netfilter/nfnetlink.h */
const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;
