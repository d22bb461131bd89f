import type { Ban } from "../core/ban.ts";
import { formatPrefix } from "../core/prefix.ts";
import { formatInstant } from "../core/time.ts";
import type { BanReply, ListedBan } from "./wire.ts";

/** An active ban as the API shows it. */
export function listedBan(
  ban: Ban,
  { enforced, trouble }: Pick<ListedBan, "enforced" | "trouble">,
): ListedBan {
  return { ...banReply(ban), enforced, trouble };
}

/** A ban as the API shows it. */
export function banReply(ban: Ban): BanReply {
  return {
    address: formatPrefix(ban.prefix),
    jail: ban.jail,
    target: ban.target,
    reason: ban.reason,
    since: formatInstant(ban.since) ?? "",
    until: formatInstant(ban.until),
    origin: ban.origin,
  };
}
