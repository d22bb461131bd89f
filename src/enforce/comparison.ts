import type { Book } from "../book/book.ts";
import type { Prefix } from "../core/prefix.ts";
import type { Duration, Instant } from "../core/time.ts";
import { comparisonPause } from "./comparison-pause.ts";
import type { Enforcement, Enforcer } from "./enforcer.ts";
import { bansAt, differences } from "./read-back.ts";

export interface ComparisonDeps {
  readonly book: Book;
  /** The names of the open targets. */
  readonly targets: () => ReadonlySet<string>;
  /** Whether the enforcer refused this ban. */
  readonly isRefused: (prefix: Prefix, target: string) => boolean;
  /** How many bans it refused. */
  readonly refused: () => number;
}

/** Compares what an enforcer holds with the book, now and then and when bans are gone that the book has. For enforcers with `compareEvery`. */
export class Comparison {
  readonly #enforcer: Enforcer;
  readonly #deps: ComparisonDeps;
  /** The last comparison, and by how many the enforcer then counted more bans than the book has. */
  #last: { readonly surplus: number; readonly at: Instant; readonly took: Duration } | null = null;

  constructor(enforcer: Enforcer, deps: ComparisonDeps) {
    this.#enforcer = enforcer;
    this.#deps = deps;
  }

  /** Call when the whole book was written at this time: until then nothing is compared. */
  async written(at: Instant): Promise<void> {
    const { took = 0 } = this.#last ?? {};
    this.#last = { surplus: (await this.#surplus()) ?? 0, at, took };
  }

  /** Compares when it is time, and has `correct` apply the differences. */
  async compare(now: Instant, correct: (changes: readonly Enforcement[]) => Promise<void>): Promise<void> {
    const { compareEvery } = this.#enforcer;
    const last = this.#last;
    if (compareEvery === undefined || last === null) return;
    const isDue = now - last.at >= comparisonPause(compareEvery, last.took) || now < last.at;
    if (!isDue && ((await this.#surplus()) ?? 0) >= last.surplus) return;
    const began = performance.now(); // what it costs, which `now` does not tell
    const { book, targets, isRefused } = this.#deps;
    const compared = { book, targets: targets(), now, isRefused };
    const changes = await differences(await this.#enforcer.list(), compared);
    const took = performance.now() - began;
    if (changes.length > 0) await correct(changes);
    const surplus = (await this.#surplus()) ?? 0;
    // Bans expire in the kernel up to a second later than in the book, so one look may count too many.
    this.#last = isDue ? { surplus, at: now, took } : { ...last, surplus: Math.min(surplus, last.surplus) };
  }

  /** By how many the enforcer counts more bans than it should hold; null for an enforcer that does not count. */
  async #surplus(): Promise<number | null> {
    const { book, targets, refused } = this.#deps;
    const held = await this.#enforcer.count?.();
    return held === undefined ? null : held - (bansAt(book, targets()) - refused());
  }
}
