import type { LineBatch, LineSink } from "../core/batch.ts";
import type { Clock } from "../core/clock.ts";
import type { Order, OrderSink } from "../core/order.ts";
import type { Instant } from "../core/time.ts";
import type { OrderGate } from "../orders/gate.ts";
import { readOrder } from "../orders/read-order.ts";
import { LineMeter } from "./line-meter.ts";

/**
 * The flow of one source of orders to the book: lines of JSON, or orders from a bus. Input that is not an order is counted and ignored.
 *
 *      batch ─► line ─► order ─► gate ─► book.ban, book.lift
 */
export class OrderFlow {
  readonly meter = new LineMeter();
  readonly #gate: OrderGate;
  readonly #origin: string;
  readonly #clock: Clock;
  readonly #commit: () => void;

  /** `commit` puts the book's changes on disk soon: orders come only once. */
  constructor(gate: OrderGate, origin: string, clock: Clock, commit: () => void) {
    this.#gate = gate;
    this.#origin = origin;
    this.#clock = clock;
    this.#commit = commit;
  }

  readonly lines: LineSink = (batch: LineBatch): void => {
    this.meter.count(batch);
    const text = batch.bytes.toString("utf8", batch.start, batch.end);
    const now = this.#clock.now();
    for (const line of text.split("\n")) {
      const trimmed = line.trim();
      if (trimmed !== "" && !trimmed.startsWith("#")) this.#take(readOrder(trimmed), now);
    }
    this.#commit();
  };

  readonly orders: OrderSink = ({ orders }): void => {
    this.meter.add(orders.length);
    const now = this.#clock.now();
    for (const order of orders) this.#take(order, now);
    this.#commit();
  };

  #take(order: Order | string, now: Instant): void {
    if (typeof order === "string") this.#gate.unreadable(this.#origin, order);
    else this.#gate.take(order, this.#origin, now);
  }
}
