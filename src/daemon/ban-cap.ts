import { type Instant, SECOND } from "../core/time.ts";
import { counter, declareMetrics } from "../core/metrics.ts";

/** A limit on bans for packets in one second, over all sources: forged senders must not fill the book. */
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

  /** Counts one more ban in this second. */
  spend(now: Instant): void {
    if (!this.isReached(now)) this.#spent++;
  }

  /** Counts a ban that the jail has to put off. */
  putOffOne(jail: string): void {
    this.#putOff.set(jail, this.putOff(jail) + 1);
  }

  /** Bans that a jail has put off. */
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
