import type { Subscriber } from "zeromq";
import type { Frames } from "./read-message.ts";

/**
 * Takes messages out of a socket. `zeromq` answers each `receive()` with a promise, and asking libzmq whether there is more costs half as
 * much as a message. So while there is much, some are asked for at once and awaited together, twice as many each time; when nothing is
 * left, one is waited for.
 */
export class Receiver {
  readonly #socket: Subscriber;
  #atOnce = 1;

  constructor(socket: Subscriber) {
    this.#socket = socket;
  }

  /** Waits for messages and answers with as many as are there, up to a bound. Rejects when the socket is closed. */
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
    // Answered in the order in which they were asked for; those beyond what is there are refused.
    for (let i = 0; i < wanted; i++) last = socket.receive().then(take, nothing);
    await last;
    this.#atOnce = came.length < wanted ? Math.max(2, came.length >> 1) : Math.min(wanted * 2, MOST_AT_ONCE);
    return came;
  }
}

const MOST_AT_ONCE = 128;

function nothing(): void {}
