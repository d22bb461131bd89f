import type { Book } from "../book/book.ts";
import type { Ban } from "../core/ban.ts";
import { formatPrefix, type Prefix } from "../core/prefix.ts";
import { type Duration, HOUR, type Instant, SECOND } from "../core/time.ts";
import { counted } from "../core/wording.ts";
import type { Enforcement, Enforcer, Refusal } from "./enforcer.ts";
import { Evictions } from "./evictions.ts";
import { RefusedBans, type RefusedGroup } from "./refused-bans.ts";

export interface UnenforcedDeps {
  readonly enforcer: Enforcer;
  readonly book: Book;
  readonly now: () => Instant;
  /** Takes a sentence about a refusal of a new kind. */
  readonly say: (sentence: string) => void;
  /** Called for each ban that took effect after all. */
  readonly onBanned: (prefix: Prefix, target: string) => void;
}

/**
 * What an enforcer refused, so that it and the book differ: bans that found no room or were refused for another reason, and unbans. In a full
 * set newer bans take the places of the ones that end first, as in a full book. The others are tried again when there may be room.
 *
 *      ban ─► refused, full? ─► unban the one that ends first, ban ─► refused ones wait ─► a ban ends: the newest has its place
 */
export class Unenforced {
  /** Bans that left a full set for newer ones. */
  evicted = 0;
  readonly #deps: UnenforcedDeps;
  #refused: RefusedBans;
  #evictions: Evictions;
  /** An unban that was refused, as a sentence: the whole book is to be written again, after a pause that grows. */
  #stuck: { readonly fact: string; readonly againAt: Instant; readonly pause: Duration } | null = null;

  constructor(deps: UnenforcedDeps) {
    this.#deps = deps;
    this.#refused = new RefusedBans(deps.book.capacity);
    this.#evictions = new Evictions(deps.book, this.#refused);
  }

  /** Bans in the book that are not enforced. */
  get size(): number {
    return this.#refused.size;
  }

  /** Why a ban is not enforced, as a phrase; null when it is. */
  why(prefix: Prefix, target: string): string | null {
    return this.#refused.why(prefix, target);
  }

  /** What is wrong, as a sentence; null when nothing is. */
  get trouble(): string | null {
    let most: RefusedGroup | null = null;
    for (const group of this.#refused.groups)
      if (most === null || group.addresses.size > most.addresses.size) most = group;
    if (most === null) return this.#stuck?.fact ?? null;
    return `${counted(this.size, "ban")} not enforced: ${most.why}`;
  }

  /** Whether the whole book is to be written again, because an unban was refused. */
  isStuck(now: Instant): boolean {
    return this.#stuck !== null && this.#stuck.againAt <= now;
  }

  /** The whole book was written; these bans were refused. */
  written(refusals: readonly Refusal[]): void {
    this.#refused = new RefusedBans(this.#deps.book.capacity);
    this.#evictions = new Evictions(this.#deps.book, this.#refused);
    if (refusals.every(({ kind }) => kind === "ban")) this.#stuck = null;
    this.#note(refusals);
  }

  /** These changes were applied, except for the refused ones. Makes room for new bans. */
  async applied(changes: readonly Enforcement[], refusals: readonly Refusal[]): Promise<void> {
    if (refusals.length === 0 && this.size === 0) return;
    this.#forget(
      changes.filter(({ kind }) => kind === "ban"),
      refusals,
    );
    this.#note(refusals);
    const full = refusals.filter(({ isFull }) => isFull);
    if (full.length > 0) await this.#makeRoom(full);
  }

  /** A ban ended. If it was enforced, a refused one may have its place. */
  ended({ prefix, target }: Pick<Ban, "prefix" | "target">): void {
    if (this.size > 0 && !this.#refused.delete(prefix, target)) this.#refused.freed(prefix, target);
  }

  /** Tries up to `most` refused bans again, the newest of each set: those for which there may be room. Returns how many hold now. */
  async tryAgain(now: Instant, most: number): Promise<number> {
    const { enforcer, book, onBanned } = this.#deps;
    let left = most;
    let held = 0;
    // A group is gone when its last ban is.
    for (const group of Array.from(this.#refused.groups)) {
      const bans = group.due(now, left).flatMap((prefix) => book.at(prefix, group.target, now) ?? []);
      if (bans.length === 0) continue;
      left -= bans.length;
      const refusals = await enforcer.apply(bans.map(banned), now);
      group.tried(bans.length, refusals.length, now);
      for (const { prefix, target } of this.#forget(bans, refusals)) {
        held++;
        onBanned(prefix, target);
      }
      this.#note(refusals);
      if (left <= 0) break;
    }
    return held;
  }

  async #makeRoom(full: readonly Refusal[]): Promise<void> {
    const { enforcer, book } = this.#deps;
    const now = this.#deps.now();
    const newcomers = full.flatMap(({ prefix, target }) => book.at(prefix, target, now) ?? []);
    const pairs = this.#evictions.choose(newcomers, now);
    if (pairs.length === 0) return;
    const leaving = pairs.map(({ leaver: { prefix, target } }): Enforcement => ({
      kind: "unban",
      prefix,
      target,
    }));
    // In a call of its own: the kernel gives the places back only after the transaction.
    const stayed = await enforcer.apply(leaving, now);
    const coming = pairs.map(({ newcomer }) => newcomer);
    const refusals = await enforcer.apply(coming.map(banned), now);
    this.evicted += pairs.length - stayed.length;
    // First the leavers, so that a group does not vanish with its last newcomer.
    for (const { leaver } of pairs) {
      const why = full.find(({ target }) => target === leaver.target)?.why ?? "";
      this.#refused.add({ ...leaver, why }, now);
    }
    this.#forget(coming, refusals);
    this.#note([...stayed, ...refusals]);
  }

  /** Removes the bans that were not refused this time. Returns the ones that had been refused before. */
  #forget<Change extends Pick<Ban, "prefix" | "target">>(
    changes: readonly Change[],
    refusals: readonly Refusal[],
  ): readonly Change[] {
    if (this.size === 0) return [];
    const again = new Set(refusals.map(keyOf));
    return changes.filter(
      (change) => !again.has(keyOf(change)) && this.#refused.delete(change.prefix, change.target),
    );
  }

  /** Remembers refused bans that are still in the book, and that unbans were refused. Says what is new. */
  #note(refusals: readonly Refusal[]): void {
    const { book, say } = this.#deps;
    const now = this.#deps.now();
    let news: string | null = null;
    for (const refusal of refusals) {
      let isNew = true;
      if (refusal.kind === "unban") {
        isNew = this.#stuck === null;
        const pause = Math.min((this.#stuck?.pause ?? SECOND) * 2, LONGEST_STUCK);
        this.#stuck = { fact: refusal.fact, pause, againAt: now + pause };
      } else if (book.at(refusal.prefix, refusal.target, now) !== null)
        isNew = this.#refused.add(refusal, now);
      if (isNew) news ??= refusal.fact;
    }
    if (news !== null) say(refusals.length > 1 ? `${news} (and ${refusals.length - 1} more)` : news);
  }
}

/** Between two writings of the whole book, while an unban is refused again and again. */
const LONGEST_STUCK: Duration = HOUR;

function banned({ prefix, target, until }: Ban): Enforcement {
  return { kind: "ban", prefix, target, until };
}

function keyOf({ prefix, target }: Pick<Ban, "prefix" | "target">): string {
  return `${target} ${formatPrefix(prefix)}`;
}
