import type { LineStore } from "./line-store.ts";

export interface DeliveryOptions {
  /** Called when the store is empty. */
  readonly onEmpty?: () => void;
  /** Called after each batch: receives messages that arrived meanwhile. */
  readonly between?: () => void;
}

/** Delivers the lines of a store in stretches of 8 ms, with a turn of the event loop between them. */
export class Delivery {
  readonly #store: LineStore;
  readonly #options: DeliveryOptions;
  #turn: NodeJS.Immediate | undefined;

  constructor(store: LineStore, options: DeliveryOptions = {}) {
    this.#store = store;
    this.#options = options;
  }

  /** Delivers at once, unless a delivery is scheduled. */
  now(): void {
    if (this.#turn === undefined) this.#deliver();
  }

  /** Delivers at the end of this turn of the event loop, after all its messages have arrived. */
  soon(): void {
    this.#turn ??= setImmediate(() => this.#deliver());
  }

  /** Delivers all remaining lines now. */
  finish(): void {
    clearImmediate(this.#turn);
    this.#store.deliver(Infinity);
  }

  #deliver(): void {
    this.#turn = undefined;
    if (this.#store.deliver(performance.now() + STRETCH, this.#options.between)) this.#options.onEmpty?.();
    else this.soon();
  }
}

/** In ms. */
const STRETCH = 8;
