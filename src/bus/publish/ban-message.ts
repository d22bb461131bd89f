import type { BanChange } from "../../core/ban.ts";
import type { Unnumbered } from "../../book/feed.ts";
import { isV4 } from "../../core/address.ts";
import { formatPrefix, isHost } from "../../core/prefix.ts";
import { formatInstant } from "../../core/time.ts";

/** The position of a message among all messages of its publisher. */
export interface Place {
  readonly seq: number;
  readonly epoch: number;
}

/** A change in Swabber's format: its topic and an IPv4 address. Null for what Swabber cannot express: networks, IPv6, and unbans. */
export function swabberMessage(
  change: Unnumbered<BanChange>,
): readonly [topic: string, address: string] | null {
  const { prefix } = change.ban;
  if (change.kind === "lift" || !isHost(prefix) || !isV4(prefix.address)) return null;
  return ["swabber_bans", formatPrefix(prefix)];
}

/**
 * A change in JSON. `seq` numbers the messages from 1; each start of the publisher begins another `epoch` with 1 again. A gap in the numbers
 * means that messages were missed.
 *
 *      {"seq":7,"epoch":1763…,"kind":"ban","address":"192.0.2.1","jail":"sshd","target":"default","reason":"5 failures in 10m",
 *       "since":"…Z","until":"…Z","origin":"local"}
 *
 * `kind` is `ban`, `prolong` or `lift`; a `lift`, an unban, has `by` as well. `until` is null for a permanent ban.
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

/** Sent in place of changes that were missed: every ban follows, each as a `ban`. */
export function resyncMessage(place: Place): string {
  return JSON.stringify({ ...place, kind: "resync" });
}
