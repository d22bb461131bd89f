import type { Clock } from "../core/clock.ts";
import { LIMITS } from "../core/limits.ts";
import { SECOND } from "../core/time.ts";
import type { Log, LogStats } from "../observe/log.ts";
import { RateLimit } from "../observe/rate-limit.ts";
import type { Feature, StatusFragment } from "./feature.ts";

/** The daemon's rate-limited warnings: an attacker who causes them must not fill the log. */
export class Warnings implements Feature {
  readonly name = "the log";
  readonly #log: Log;
  readonly #stats: LogStats;
  readonly #clock: Clock;
  readonly #limit = new RateLimit(LIMITS.warnings.value, 10 * SECOND);

  constructor(log: Log, stats: LogStats, clock: Clock) {
    this.#log = log;
    this.#stats = stats;
    this.#clock = clock;
  }

  readonly warn = (sentence: string): void => {
    if (this.#limit.allow(this.#clock.now())) this.#log.warn(sentence);
  };

  tick(): void {
    const held = this.#limit.takeHeld();
    if (held > 0) this.#log.warn(`And ${held} more warnings in the last moments`);
  }

  status(): StatusFragment {
    return { log: { ...this.#stats, held: this.#limit.held } };
  }

  warnings(): readonly string[] {
    const { lost } = this.#stats;
    return lost > 0 ? [`${lost} lines of the log could not be written`] : [];
  }
}
