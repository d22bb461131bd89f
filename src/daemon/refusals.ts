import type { Book } from "../book/book.ts";
import type { Address } from "../core/address.ts";
import type { Prefix } from "../core/prefix.ts";
import type { Instant } from "../core/time.ts";

/** Bans in the book that an enforcer refused, as for a full set: packets of these addresses pass. */
export interface Refusals {
  readonly size: number;
  has(prefix: Prefix, target: string): boolean;
}

/** Whether the first ban of an address at one of these targets is not enforced. Costs nothing while every ban is. */
export function isBanRefused(
  refused: Refusals | undefined,
  { book, targets, now }: { readonly book: Book; readonly targets: readonly string[]; readonly now: Instant },
  a: Address,
): boolean {
  if (refused === undefined || refused.size === 0) return false;
  for (const target of targets) {
    const ban = book.standing(a, now, target);
    if (ban !== null) return refused.has(ban.prefix, target);
  }
  return false;
}
