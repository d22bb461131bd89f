import { setImmediate as nextTurn } from "node:timers/promises";
import type { Subscriber } from "zeromq";
import { LIMITS } from "../../core/limits.ts";
import type { Instant } from "../../core/time.ts";
import type { Order, OrderSink } from "../../core/order.ts";
import { Peers } from "../zmq/peers.ts";
import { newSourceStats, type OrderParts, type OrderSource } from "../../source/source.ts";
import type { ZmqOptions } from "./kind.ts";
import { type Frames, MessageReader } from "./read-message.ts";
import { Receiver } from "./receive.ts";

/**
 * Orders over ØMQ: subscribes to topics of publishers, to which it connects or which connect to it.
 *
 *      frames ─► up to 128 at once ─► MessageReader ─► up to 256 orders ─► sink
 *
 * It receives no messages while orders are carried out, so the publishers' own bounds apply.
 */
export class ZmqSource implements OrderSource {
  readonly kind = "zmq";
  readonly name: string;
  readonly #options: ZmqOptions;
  readonly #deps: OrderParts;
  readonly #stats = newSourceStats();
  #isRunning = false;
  #peers: Peers;
  /** Counts of earlier runs. */
  #turnedAway = 0;

  constructor(name: string, options: ZmqOptions, deps: OrderParts) {
    this.name = name;
    this.#options = options;
    this.#deps = deps;
    this.#peers = this.#newPeers();
  }

  get stats() {
    const { state } = this.#peers;
    this.#stats.turnedAway = this.#turnedAway + this.#peers.turnedAway;
    if (this.#isRunning && state !== "") this.#stats.state = state;
    return this.#stats;
  }

  async run(sink: OrderSink, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.#turnedAway += this.#peers.turnedAway;
    this.#peers = this.#newPeers();
    // Loaded only for this: it takes memory.
    const { openBus } = await import("../zmq/bus-socket.ts");
    const bus = await openBus(
      this.#options,
      (zmq, settings) => new zmq.Subscriber({ ...settings, receiveHighWaterMark: LIMITS.busMessages.value }),
      (socket) => socket.subscribe(...this.#options.topics),
      this.#peers,
    );
    this.#isRunning = true;
    const close = (): void => {
      for (const one of bus) one.close();
    };
    signal.addEventListener("abort", close, { once: true });
    try {
      if (signal.aborted) return;
      await Promise.all(bus.map(({ socket }) => this.#drain(socket, sink, signal)));
    } finally {
      signal.removeEventListener("abort", close);
      close();
      this.#isRunning = false;
      this.#stats.state = "stopped";
    }
  }

  trouble(now: Instant): string | null {
    return this.#isRunning ? this.#peers.trouble(now) : null;
  }

  /** Messages that were sent in the meantime are lost. */
  position(): null {
    return null;
  }

  async #drain(socket: Subscriber, sink: OrderSink, signal: AbortSignal): Promise<void> {
    const receiver = new Receiver(socket);
    const reader = new MessageReader(this.#options.topics, this.#deps.readOrder);
    let turnEnds = 0;
    const pause = async (): Promise<void> => {
      if (performance.now() < turnEnds) return;
      await nextTurn();
      turnEnds = performance.now() + TURN;
    };
    while (!signal.aborted) {
      let messages: readonly Frames[];
      try {
        messages = await receiver.receive();
      } catch (thrown) {
        if (signal.aborted) return;
        throw thrown;
      }
      let orders: (Order | string)[] = [];
      const hand = (): void => {
        this.#stats.batches++;
        sink({ orders });
        orders = [];
      };
      for (const frames of messages) {
        for (const frame of frames) this.#stats.bytes += frame.length;
        for (const order of reader.read(frames)) {
          if (orders.push(order) < MOST_ORDERS) continue;
          hand();
          await pause();
        }
      }
      if (orders.length > 0) hand();
      await pause();
    }
  }

  #newPeers(): Peers {
    return new Peers(`Source ${this.name}`, this.#deps.say);
  }
}

/** Orders in one call of the sink: about a millisecond. */
const MOST_ORDERS = 256;
/** Time in ms before it gives up its turn of the event loop. */
const TURN = 4;
