import type { Trouble } from "../core/trouble.ts";
import { type Instant, MINUTE } from "../core/time.ts";

export interface TroubleLogDeps {
  readonly warn: (sentence: string) => void;
  readonly info: (sentence: string) => void;
}

/**
 * Says once in the log when a trouble begins and once when it is over. When the sentence of a lasting trouble changes, the new one is said
 * at most once a minute. Its table is bounded by what is configured: one entry for each part in trouble.
 */
export class TroubleLog {
  readonly #deps: TroubleLogDeps;
  readonly #lasting = new Map<string, { sentence: string; saidAt: Instant }>();

  constructor(deps: TroubleLogDeps) {
    this.#deps = deps;
  }

  /** `troubles` are all of this moment. Called at the end of the start and of a reload, and once a second. */
  follow(troubles: Iterable<Trouble>, now: Instant): void {
    const over = new Set(this.#lasting.keys());
    for (const { of, sentence, isSaid } of troubles) {
      if (isSaid === true) continue;
      over.delete(of);
      const said = this.#lasting.get(of);
      if (said !== undefined && (said.sentence === sentence || isRecent(said.saidAt, now))) continue;
      this.#deps.warn(sentence);
      this.#lasting.set(of, { sentence, saidAt: now });
    }
    for (const of of over) {
      this.#lasting.delete(of);
      this.#deps.info(`The trouble with ${of} is over`);
    }
  }
}

/** A clock that was set back makes nothing recent. */
function isRecent(saidAt: Instant, now: Instant): boolean {
  return now >= saidAt && now - saidAt < MINUTE;
}
