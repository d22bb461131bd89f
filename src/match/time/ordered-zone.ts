import { type Instant, MINUTE } from "../../core/time.ts";
import type { CivilTime, TimeZone } from "./time-zone.ts";

/**
 * The zone of a log that is read in its order, long after it was written. When the clock goes back, a repeated time is the first of its two instants,
 * unless the lines before it are later than that:
 *
 *      01:58 ─► 01:59 ─► 01:01 ─► 01:02          01:01 is an hour after 00:01, not 58 minutes before 01:59
 *
 * A pass of the repeated hour is recognised when its lines are less than 55 minutes apart.
 */
export class OrderedZone implements TimeZone {
  readonly name: string;
  /** The time of the latest line so far. Set by the reader of the log. */
  latest: Instant = Number.NEGATIVE_INFINITY;
  readonly #zone: TimeZone;

  constructor(zone: TimeZone) {
    this.name = zone.name;
    this.#zone = zone;
  }

  instantOf(date: CivilTime): Instant {
    const first = this.#zone.instantOf(date, Number.NEGATIVE_INFINITY);
    return first >= this.latest - OUT_OF_ORDER ? first : this.#zone.instantOf(date, Number.POSITIVE_INFINITY);
  }

  yearAt(instant: Instant): number {
    return this.#zone.yearAt(instant);
  }
}

/** Lines of several programs in one log are not exactly in order: a line may be older than one before it by this much. */
const OUT_OF_ORDER = 5 * MINUTE;
