import { type Instant, SECOND } from "../core/time.ts";
import { counter, declareMetrics } from "../core/metrics.ts";

/** How many bans for packets there may be in a second, over all sources: their senders may be forged, and the book is everybody's. */
export class BanCap {
  most: number;
  #since: Instant = 0;
  #spent = 0;
  readonly #putOff = new Map<string, number>();

  constructor(most: number) {
    this.most = most;
  }

  isReached(now: Instant): boolean {
    if (Math.abs(now - this.#since) >= SECOND) {
      this.#since = now;
      this.#spent = 0;
    }
    return this.#spent >= this.most;
  }

  /** One ban more in this second. */
  spend(now: Instant): void {
    if (!this.isReached(now)) this.#spent++;
  }

  /** Counts a ban of a jail that has to wait. */
  putOffOne(jail: string): void {
    this.#putOff.set(jail, this.putOff(jail) + 1);
  }

  /** How many bans of a jail had to wait. */
  putOff(jail: string): number {
    return this.#putOff.get(jail) ?? 0;
  }
}

declareMetrics(
  { at: "jails.*", label: "jail" },
  {
    capped: counter(
      "stoplog_bans_capped_total",
      "Bans for packets that were put off: too many in one second.",
    ),
  },
);
