import type { Book } from "../book/book.ts";
import { factOf } from "../core/errors.ts";
import type { Trouble } from "../core/trouble.ts";
import type { TargetSpec } from "../enforce/enforcer.ts";
import { kindNamed } from "../enforce/kinds.ts";

/** Kinds of Stoplog's own table at whose targets only an order by hand can ban: opened with the first such ban. */
export class UnusedKinds {
  readonly #book: Book;
  readonly #open: (kind: string, specs: readonly TargetSpec[]) => Promise<void>;
  readonly #specs = new Map<string, readonly TargetSpec[]>();
  /** Up to which change of the book no ban is at an unused target; null before the first look. */
  #looked: number | null = null;
  #trouble: Trouble | null = null;

  /** `open` opens a kind and writes its bans. */
  constructor(book: Book, open: (kind: string, specs: readonly TargetSpec[]) => Promise<void>) {
    this.#book = book;
    this.#open = open;
  }

  get trouble(): Trouble | null {
    return this.#trouble;
  }

  /** Takes the kinds that need not be open out of `desired`. `used`: the targets at which jails or others can ban; null for all. */
  takeFrom(
    desired: Map<string, readonly TargetSpec[]>,
    used: ReadonlySet<string> | null,
    isOpen: (kind: string) => boolean,
  ): void {
    this.#specs.clear();
    this.#looked = null;
    this.#trouble = null;
    for (const [kind, specs] of desired) {
      const isUsed = used === null || specs.some(({ name }) => used.has(name));
      // Where the book ends bans, an earlier run may have left some that must end now.
      const endsThem = kindNamed(kind).owns === undefined;
      if (isUsed || endsThem || isOpen(kind)) continue;
      this.#specs.set(kind, specs);
      desired.delete(kind);
    }
  }

  /** Opens the kinds that have their first ban. Never rejects; calls must not overlap. */
  async openUsed(): Promise<void> {
    if (this.#specs.size === 0 || this.#looked === this.#book.feed.last) return;
    const banned = this.#bannedSince(this.#looked);
    this.#looked = this.#book.feed.last;
    for (const [kind, specs] of Array.from(this.#specs)) {
      const first = specs.find(({ name }) => banned.has(name));
      if (first === undefined) continue;
      this.#specs.delete(kind);
      try {
        await this.#open(kind, specs);
        this.#trouble = null;
      } catch (error) {
        this.#specs.set(kind, specs);
        this.#looked = null;
        const sentence = `Cannot enforce bans at target ${first.name}: ${factOf(error)}`;
        this.#trouble = { of: `target ${first.name}`, sentence };
      }
    }
  }

  /** The targets of new bans. */
  #bannedSince(change: number | null): ReadonlySet<string> {
    const targets = new Set<string>();
    const walked =
      change === null
        ? null
        : this.#book.feed.walk(
            change,
            Infinity,
            ({ kind, ban }) => kind !== "lift" && targets.add(ban.target),
          );
    if (walked?.kind !== "changes") for (const { target } of this.#book.bans()) targets.add(target);
    return targets;
  }
}
