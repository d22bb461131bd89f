import { pauseAfter, type Pauses } from "../../core/back-off.ts";
import { BoundedMap } from "../../core/bounded-map.ts";
import { type Duration, type Instant, MINUTE, SECOND } from "../../core/time.ts";
import { senderOf } from "./sender.ts";

/**
 * Slows down clients with wrong tokens: each further one within ten minutes doubles the delay of its answer. Bounded: when full, the client
 * whose last wrong token is oldest is forgotten.
 */
export class WrongTokens {
  readonly #senders: BoundedMap<string, { readonly times: number; readonly last: Instant }>;
  #count = 0;

  constructor(capacity: number) {
    this.#senders = new BoundedMap(capacity);
  }

  /** Wrong tokens so far. */
  get count(): number {
    return this.#count;
  }

  /** Notes a wrong token; returns the delay of its answer. */
  note(address: string, now: Instant): Duration {
    const sender = senderOf(address);
    this.#count++;
    const known = this.#senders.get(sender);
    const times = known === undefined || now - known.last > MEMORY ? 1 : known.times + 1;
    this.#senders.set(sender, { times, last: now });
    return pauseAfter(times, WAITS);
  }
}

const MEMORY: Duration = 10 * MINUTE;
const WAITS: Pauses = { first: 0.5 * SECOND, longest: 16 * SECOND };
