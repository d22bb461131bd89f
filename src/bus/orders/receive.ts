import type { Subscriber } from "zeromq";
import type { Frames } from "./read-message.ts";

/**
 * Receives messages from a socket. `zeromq` returns a promise for each `receive()`, and the check for more messages costs half as much as a
 * message. So under load it makes several calls and awaits them together, twice as many each time; when the queue is empty, it makes one.
 */
export class Receiver {
  readonly #socket: Subscriber;
  #atOnce = 1;

  constructor(socket: Subscriber) {
    this.#socket = socket;
  }

  /** Waits for messages, and resolves with as many as there are, up to a bound. Rejects when the socket is closed. */
  async receive(): Promise<readonly Frames[]> {
    const some = this.#atOnce === 1 ? [] : await this.#receiveNow();
    if (some.length > 0) return some;
    this.#socket.receiveTimeout = -1;
    const first = (await this.#socket.receive()) as Frames;
    this.#atOnce = 2;
    return [first];
  }

  async #receiveNow(): Promise<readonly Frames[]> {
    const socket = this.#socket;
    const wanted = this.#atOnce;
    const came: Frames[] = [];
    if (!socket.readable) {
      this.#atOnce = 1;
      return came;
    }
    const take = (frames: Buffer[]): void => void came.push(frames);
    let last: Promise<void> | undefined;
    socket.receiveTimeout = 0;
    // The promises resolve in their order; calls beyond the last message are rejected.
    for (let i = 0; i < wanted; i++) last = socket.receive().then(take, nothing);
    await last;
    this.#atOnce = came.length < wanted ? Math.max(2, came.length >> 1) : Math.min(wanted * 2, MOST_AT_ONCE);
    return came;
  }
}

const MOST_AT_ONCE = 128;

function nothing(): void {}
