import type { Ban } from "../core/ban.ts";
import { formatPrefix } from "../core/prefix.ts";

/**
 * Bans of our own (or of another origin) that somebody's order made longer: when he takes his back, they stand again. Bounded; the oldest
 * is forgotten, and then its ban ends with the other's.
 */
export class Underlying {
  readonly #capacity: number;
  readonly #bans = new Map<string, Ban>();
  #forgotten = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get forgotten(): number {
    return this.#forgotten;
  }

  remember(ban: Ban): void {
    const key = keyOf(ban);
    if (this.#bans.get(key)?.since === ban.since) return; // what was there first
    this.#bans.delete(key);
    this.#bans.set(key, ban);
    if (this.#bans.size <= this.#capacity) return;
    for (const oldest of this.#bans.keys()) {
      this.#bans.delete(oldest);
      this.#forgotten++;
      break;
    }
  }

  /** A ban that was made longer has stood since the first: one of another time was lifted meanwhile, and the longer one with it. */
  take(ban: Ban): Ban | null {
    const key = keyOf(ban);
    const before = this.#bans.get(key);
    this.#bans.delete(key);
    return before?.since === ban.since ? before : null;
  }
}

function keyOf({ prefix, target }: Ban): string {
  return `${target} ${formatPrefix(prefix)}`;
}
