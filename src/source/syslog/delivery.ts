import type { LineStore } from "./line-store.ts";

export interface DeliveryOptions {
  /** Called whenever the store has run empty. */
  readonly onEmpty?: () => void;
  /** Called after each batch, while there may be more: takes what has come meanwhile. */
  readonly between?: () => void;
}

/** Hands the lines of a store to its sink in stretches of 8 ms, with a turn of the event loop between them. */
export class Delivery {
  readonly #store: LineStore;
  readonly #options: DeliveryOptions;
  #turn: NodeJS.Immediate | undefined;

  constructor(store: LineStore, options: DeliveryOptions = {}) {
    this.#store = store;
    this.#options = options;
  }

  /** At once, unless it is behind already. */
  now(): void {
    if (this.#turn === undefined) this.#deliver();
  }

  /** When all that came in this turn of the event loop is there. */
  soon(): void {
    this.#turn ??= setImmediate(() => this.#deliver());
  }

  /** All that is left, in one go. */
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
