import { LIMITS } from "../../../core/limits.ts";

/** A cache that can be cleared: its content can be computed again. */
export interface Forgetful {
  /** Bytes. */
  readonly size: number;
  clear(): void;
}

/** Bounds the memory of all automata of a matcher: the lines decide which patterns get states, and how many. */
export class DfaMemory {
  readonly #sizes = new Map<Forgetful, number>();
  readonly #onForget: () => void;
  #total = 0;

  constructor(onForget: () => void) {
    this.#onForget = onForget;
  }

  get total(): number {
    return this.#total;
  }

  /** Call it when `one` has grown. Clears all others when they are too large together. */
  grown(one: Forgetful): void {
    this.#total += one.size - (this.#sizes.get(one) ?? 0);
    this.#sizes.set(one, one.size);
    if (this.#total <= LIMITS.dfaMemory.value) return;
    this.#onForget();
    for (const other of this.#sizes.keys()) if (other !== one) other.clear();
    this.#sizes.clear();
    this.#sizes.set(one, one.size);
    this.#total = one.size;
  }
}
