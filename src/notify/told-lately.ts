import type { Duration, Instant } from "../core/time.ts";

/** Who was told of within a time, so that nobody is told of twice in it. */
export class ToldLately {
  readonly #capacity: number;
  readonly #period: Duration;
  /** Oldest first. */
  readonly #told = new Map<string, Instant>();

  constructor(capacity: number, period: Duration) {
    this.#capacity = capacity;
    this.#period = period;
  }

  /** `full` when it cannot be remembered, and so must not be told either. */
  note(who: string, now: Instant): "new" | "told" | "full" {
    for (const [other, at] of this.#told) {
      if (now - at < this.#period && now >= at) break;
      this.#told.delete(other);
    }
    if (this.#told.has(who)) return "told";
    if (this.#told.size >= this.#capacity) return "full";
    this.#told.set(who, now);
    return "new";
  }
}
