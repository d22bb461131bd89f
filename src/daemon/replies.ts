import { banReply } from "../api/ban-reply.ts";
import type { BanReply, HeldReply } from "../api/wire.ts";
import type { Book } from "../book/book.ts";
import { formatPrefix } from "../core/prefix.ts";
import { formatInstant, type Instant } from "../core/time.ts";
import type { HeldOrder } from "../orders/held.ts";

/** Active bans, unsorted: there may be a million. */
export function* banReplies(book: Book, now: Instant): Generator<BanReply> {
  for (const ban of book.bans()) if (ban.until > now) yield banReply(ban);
}

export function heldReply({ order, origin, fact, since }: HeldOrder): HeldReply {
  const { kind, prefix, reason } = order;
  return {
    origin,
    order: kind,
    address: formatPrefix(prefix),
    reason,
    fact,
    since: formatInstant(since) ?? "",
  };
}

/** A list does not know since when it is held. */
export function heldListReply(name: string, fact: string): HeldReply {
  return { origin: name, order: "list", address: "", reason: "", fact, since: "" };
}
