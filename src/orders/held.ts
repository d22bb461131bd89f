import { BoundedMap } from "../core/bounded-map.ts";
import type { Order } from "../core/order.ts";
import { DAY, type Duration, type Instant } from "../core/time.ts";

/** An order that waits for a person's review. */
export interface HeldOrder {
  readonly order: Order;
  readonly origin: string;
  /** Why it is held, as a phrase. */
  readonly fact: string;
  readonly since: Instant;
}

/** Held orders, oldest first. At the bound the oldest is dropped and counted, and so is an order that waited for a day. */
export class HeldOrders {
  readonly #orders: BoundedMap<number, HeldOrder>;
  #next = 0;
  #expired = 0;

  constructor(capacity: number) {
    this.#orders = new BoundedMap(capacity);
  }

  get size(): number {
    return this.#orders.size;
  }

  get dropped(): number {
    return this.#orders.evicted + this.#expired;
  }

  add(held: HeldOrder): void {
    this.#orders.set(this.#next++, held);
  }

  /** Of one origin, or of all. */
  *list(origin?: string): Generator<HeldOrder> {
    for (const [, held] of this.#orders.entries())
      if (origin === undefined || held.origin === origin) yield held;
  }

  /** Removes up to `limit` of them, and returns them. */
  take(origin?: string, limit: number = Number.POSITIVE_INFINITY): readonly HeldOrder[] {
    const taken: HeldOrder[] = [];
    for (const [number, held] of this.#orders.entries()) {
      if (taken.length >= limit) break;
      if (origin !== undefined && held.origin !== origin) continue;
      this.#orders.delete(number);
      taken.push(held);
    }
    return taken;
  }

  sweep(now: Instant): void {
    for (const [number, held] of this.#orders.entries()) {
      if (held.since > now - LONGEST_WAIT) return;
      this.#orders.delete(number);
      this.#expired++;
    }
  }
}

const LONGEST_WAIT: Duration = DAY;
