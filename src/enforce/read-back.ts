import { setImmediate as nextTurn } from "node:timers/promises";
import type { Book } from "../book/book.ts";
import { formatPrefix, type Prefix } from "../core/prefix.ts";
import type { Instant } from "../core/time.ts";
import type { Enforced, Enforcement } from "./enforcer.ts";

export interface ComparedWith {
  readonly book: Book;
  /** Names of the targets that the enforcer serves. */
  readonly targets: ReadonlySet<string>;
  readonly now: Instant;
  /** Whether the enforcer refused this ban: then it is known to be missing. */
  readonly isRefused: (prefix: Prefix, target: string) => boolean;
}

/**
 * The changes that make an enforcer agree with the book: bans that others removed, and unbans of what is not in the book. Bans that change
 * meanwhile may be among them: the feed brings their last state later. Takes a turn of the event loop between thousands.
 */
export async function differences(
  enforced: readonly Enforced[],
  { book, targets, now, isRefused }: ComparedWith,
): Promise<readonly Enforcement[]> {
  const changes: Enforcement[] = [];
  let held = 0;
  let seen = 0;
  for (const { prefix, target } of enforced) {
    if (++seen % AT_ONCE === 0) await nextTurn();
    if (book.at(prefix, target, now) !== null) held++;
    else changes.push({ kind: "unban", prefix, target });
  }
  if (held >= bansAt(book, targets)) return changes;
  const keys = new Set<string>();
  for (const { prefix, target } of enforced) {
    if (++seen % AT_ONCE === 0) await nextTurn();
    keys.add(`${target} ${formatPrefix(prefix)}`);
  }
  for (const { prefix, target, until } of book.bans()) {
    if (++seen % AT_ONCE === 0) await nextTurn();
    if (!targets.has(target) || until <= now || keys.has(`${target} ${formatPrefix(prefix)}`)) continue;
    if (!isRefused(prefix, target)) changes.push({ kind: "ban", prefix, target, until });
  }
  return changes;
}

/** Bans in the book at these targets, expired ones included. */
export function bansAt(book: Book, targets: ReadonlySet<string>): number {
  let bans = 0;
  for (const target of targets) bans += book.bansAt(target);
  return bans;
}

/** Bans compared in one turn of the event loop: some 2 ms. */
const AT_ONCE = 1000;
