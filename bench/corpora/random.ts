/** A seeded sequence of 32-bit numbers (Marsaglia's xorshift32 after a multiplication): the same seed gives the same corpus. */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Zero would stay zero.
    this.#state = mix(seed) || 0x9e3779b9;
  }

  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return Math.imul(x, 0x2545f491) >>> 0;
  }

  /** 0 ≤ x < 1. */
  unit(): number {
    return this.next() / 0x1_0000_0000;
  }

  /** 0 ≤ x < n. */
  below(n: number): number {
    return Math.floor(this.unit() * n);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  hex(digits: number): string {
    return this.next().toString(16).padStart(8, "0").slice(0, digits);
  }
}

/** Spreads neighbouring numbers over all 32 bits (the finalizer of MurmurHash3). */
export function mix(n: number): number {
  let h = n | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
