import { listedBan } from "../api/ban-reply.ts";
import type { HeldReply, ListedBan } from "../api/wire.ts";
import type { Book } from "../book/book.ts";
import type { Ban } from "../core/ban.ts";
import type { Standing } from "../enforce/reconcile.ts";
import { formatPrefix } from "../core/prefix.ts";
import { formatInstant, type Instant } from "../core/time.ts";
import type { HeldOrder } from "../orders/held.ts";

/** Active bans, unsorted: there may be a million. */
export function* listedBans(
  book: Book,
  standing: (ban: Ban) => Standing,
  now: Instant,
): Generator<ListedBan> {
  for (const ban of book.bans()) if (ban.until > now) yield listedBan(ban, standing(ban));
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
