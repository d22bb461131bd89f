import type { BanChange } from "../core/ban.ts";
import { isV4 } from "../core/address.ts";
import { formatPrefix, isHost } from "../core/prefix.ts";
import { formatInstant } from "../core/time.ts";

/** A change in Swabber's words: its topic and a dotted quad. Null for what Swabber has no words for: networks, IPv6, and that a ban has ended. */
export function swabberMessage(change: BanChange): readonly [topic: string, address: string] | null {
  const { prefix } = change.ban;
  if (change.kind === "lift" || !isHost(prefix) || !isV4(prefix.address)) return null;
  return ["swabber_bans", formatPrefix(prefix)];
}

/**
 * A change in ours, as JSON. `seq` is the number of the change within `epoch`, which is another one after each start: a gap in the
 * numbers says that something was missed.
 *
 *      {"seq":7,"epoch":1763…,"kind":"ban","address":"192.0.2.1","jail":"sshd","target":"default","reason":"5 failures in 10m",
 *       "since":"…Z","until":"…Z","origin":"local"}
 *
 * `kind` is `ban`, `prolong` or `lift`, a lift has `by`; `until` is null for ever.
 */
export function changeMessage(change: BanChange, epoch: number): string {
  const { seq, kind, ban } = change;
  return JSON.stringify({
    seq,
    epoch,
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

/** What is said instead of changes that went by too fast: that the bans up to `seq` follow as a whole, each as a `ban`. */
export function resyncMessage(seq: number, epoch: number): string {
  return JSON.stringify({ seq, epoch, kind: "resync" });
}
