import type { BanChange } from "../../core/ban.ts";
import type { Unnumbered } from "../../book/feed.ts";
import { isV4 } from "../../core/address.ts";
import { formatPrefix, isHost } from "../../core/prefix.ts";
import { formatInstant } from "../../core/time.ts";

/** Where a message stands among all of its publisher's. */
export interface Place {
  readonly seq: number;
  readonly epoch: number;
}

/** A change in Swabber's words: its topic and a dotted quad. Null for what Swabber has no words for: networks, IPv6, and that a ban has ended. */
export function swabberMessage(
  change: Unnumbered<BanChange>,
): readonly [topic: string, address: string] | null {
  const { prefix } = change.ban;
  if (change.kind === "lift" || !isHost(prefix) || !isV4(prefix.address)) return null;
  return ["swabber_bans", formatPrefix(prefix)];
}

/**
 * A change in ours, as JSON. `seq` is the message's number, which begins anew with 1 in another `epoch` after each start of the
 * publisher: a gap in the numbers says that something was missed.
 *
 *      {"seq":7,"epoch":1763…,"kind":"ban","address":"192.0.2.1","jail":"sshd","target":"default","reason":"5 failures in 10m",
 *       "since":"…Z","until":"…Z","origin":"local"}
 *
 * `kind` is `ban`, `prolong` or `lift`, a lift has `by`; `until` is null for ever.
 */
export function changeMessage(change: Unnumbered<BanChange>, place: Place): string {
  const { kind, ban } = change;
  return JSON.stringify({
    ...place,
    kind,
    address: formatPrefix(ban.prefix),
    jail: ban.jail,
    target: ban.target,
    reason: ban.reason,
    since: formatInstant(ban.since),
    until: formatInstant(ban.until),
    origin: ban.origin,
    ...(change.kind === "lift" ? { by: change.by } : {}),
  });
}

/** What is said instead of changes that went by too fast: that all bans follow, each as a `ban`. */
export function resyncMessage(place: Place): string {
  return JSON.stringify({ ...place, kind: "resync" });
}
