import { BoundedMap } from "../core/bounded-map.ts";
import type { Duration, Instant } from "../core/time.ts";

/** Recently notified addresses; suppresses duplicates within a period. */
export class ToldLately {
  readonly #period: Duration;
  readonly #told: BoundedMap<string, Instant>;

  constructor(capacity: number, period: Duration) {
    this.#told = new BoundedMap(capacity);
    this.#period = period;
  }

  /** `full`: the address cannot be remembered, so it must not be notified either. */
  note(who: string, now: Instant): "new" | "told" | "full" {
    for (const [other, at] of this.#told.entries()) {
      if (now - at < this.#period && now >= at) break;
      this.#told.delete(other);
    }
    if (this.#told.has(who)) return "told";
    if (this.#told.isFull) return "full";
    this.#told.set(who, now);
    return "new";
  }
}
