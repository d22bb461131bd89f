import type { Book } from "./book.ts";
import type { Address } from "../core/address.ts";
import type { Instant } from "../core/time.ts";

/** Since when an address is banned at one of these targets; -1 when it is not. Makes no object. */
export function bannedSince(book: Book, a: Address, targets: readonly string[], now: Instant): Instant {
  for (const target of targets) {
    const since = book.standingSince(a, now, target);
    if (since >= 0) return since;
  }
  return -1;
}
