import { LF } from "../../core/ascii.ts";
import type { Order } from "../../core/order.ts";
import { parsePrefix } from "../../core/prefix.ts";
import { excerptOfBytes } from "../../core/printable.ts";
import type { ReadOrder } from "../../source/source.ts";
import { SWABBER_TOPIC } from "./topics.ts";

/** The frames of a message. */
export type Frames = readonly Buffer[];

/** Reads orders from the messages of some topics. */
export class MessageReader {
  readonly #topics: readonly { readonly bytes: Buffer; readonly isSwabbers: boolean }[];
  readonly #readOrder: ReadOrder;

  constructor(topics: readonly string[], readOrder: ReadOrder) {
    this.#topics = topics.map((topic) => ({
      bytes: Buffer.from(topic),
      isSwabbers: topic === SWABBER_TOPIC,
    }));
    this.#readOrder = readOrder;
  }

  /** Yields one order at a time: a message may hold thousands, and the caller may pause. */
  read(frames: Frames): Iterable<Order | string> {
    const [first, second] = frames;
    if (first === undefined || second === undefined || frames.length !== 2)
      return [`a message of ${frames.length} ${frames.length === 1 ? "frame" : "frames"} instead of two`];
    const topic = this.#topics.find(({ bytes }) => bytes.equals(first));
    // A subscription matches every topic that begins with it.
    if (topic === undefined) return [`${shown(first)} is not a topic of this source`];
    return topic.isSwabbers ? [readAddress(second)] : this.#readLines(second);
  }

  *#readLines(frame: Buffer): Generator<Order | string> {
    if (frame.length === 0) yield "it is empty";
    for (let start = 0; start < frame.length;) {
      const found = frame.indexOf(LF, start);
      const end = found < 0 ? frame.length : found;
      const line = frame.toString("utf8", start, end).trim();
      if (line !== "") yield this.#readOrder(line);
      start = end + 1;
    }
  }
}

/** Swabber's format: an address with white space around it. Networks and IPv6 are accepted too. */
function readAddress(frame: Buffer): Order | string {
  const prefix = frame.length > LONGEST_ADDRESS ? null : parsePrefix(frame.toString("latin1").trim());
  if (prefix === null) return `${shown(frame)} is not an IP address or network`;
  return { kind: "ban", prefix, duration: null, target: null, reason: "", id: null };
}

function shown(frame: Buffer): string {
  return `"${excerptOfBytes(frame, MOST_SHOWN)}"`;
}

/** A full IPv6 address with a length, and white space. */
const LONGEST_ADDRESS = 128;
const MOST_SHOWN = 40;
