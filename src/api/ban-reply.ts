import type { Ban } from "../core/ban.ts";
import { formatPrefix } from "../core/prefix.ts";
import { formatInstant } from "../core/time.ts";
import type { BanReply } from "./wire.ts";

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
