import type { Ban } from "../core/ban.ts";
import { BoundedMap } from "../core/bounded-map.ts";
import { formatPrefix } from "../core/prefix.ts";

/** Bans that the order of another origin prolonged: they are restored when that origin takes its ban back. An evicted one is not. */
export class Underlying {
  readonly #bans: BoundedMap<string, Ban>;

  constructor(capacity: number) {
    this.#bans = new BoundedMap(capacity);
  }

  get forgotten(): number {
    return this.#bans.evicted;
  }

  /** Keeps the first: a ban that is prolonged twice is restored as it was at the beginning. */
  remember(ban: Ban): void {
    const key = keyOf(ban);
    if (this.#bans.get(key)?.since !== ban.since) this.#bans.set(key, ban);
  }

  /** A prolonged ban keeps its beginning. A ban with another one was removed meanwhile, and is not restored. */
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
