import type { Order } from "../core/order.ts";
import { DAY, type Duration, type Instant } from "../core/time.ts";

/** An order that waits for somebody to look at it. */
export interface HeldOrder {
  readonly order: Order;
  readonly origin: string;
  /** Why, as a phrase. */
  readonly fact: string;
  readonly since: Instant;
}

/** Orders that wait. Bounded: at the bound the oldest is dropped and counted, as is one that nobody looked at for a day. */
export class HeldOrders {
  readonly #capacity: number;
  readonly #orders = new Map<number, HeldOrder>();
  #next = 0;
  #dropped = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#orders.size;
  }

  get dropped(): number {
    return this.#dropped;
  }

  add(held: HeldOrder): void {
    if (this.#orders.size >= this.#capacity) this.#dropOldest();
    this.#orders.set(this.#next++, held);
  }

  /** The oldest first; of one origin, when one is named. */
  *list(origin?: string): Generator<HeldOrder> {
    for (const held of this.#orders.values()) if (origin === undefined || held.origin === origin) yield held;
  }

  /** Takes up to `limit` of them out, the oldest first. */
  take(origin?: string, limit: number = Number.POSITIVE_INFINITY): readonly HeldOrder[] {
    const taken: HeldOrder[] = [];
    for (const [number, held] of this.#orders) {
      if (taken.length >= limit) break;
      if (origin !== undefined && held.origin !== origin) continue;
      this.#orders.delete(number);
      taken.push(held);
    }
    return taken;
  }

  sweep(now: Instant): void {
    for (const held of this.#orders.values()) {
      if (held.since > now - LONGEST_WAIT) return;
      this.#dropOldest();
    }
  }

  #dropOldest(): void {
    const [oldest] = this.#orders.keys();
    if (oldest === undefined) return;
    this.#orders.delete(oldest);
    this.#dropped++;
  }
}

const LONGEST_WAIT: Duration = DAY;
