import { banReply } from "../api/ban-reply.ts";
import type { BanReply, HeldReply, StatusReply } from "../api/wire.ts";
import type { Book } from "../book/book.ts";
import { formatDuration } from "../core/duration.ts";
import { formatPrefix } from "../core/prefix.ts";
import { formatInstant, type Instant, SECOND } from "../core/time.ts";
import type { Reconciler } from "../enforce/reconcile.ts";
import type { OrderGate } from "../orders/gate.ts";
import type { HeldOrder } from "../orders/held.ts";
import type { RunningJail } from "./pipeline.ts";
import type { Watched } from "./watching.ts";

/** The bans that stand now, in no order: there may be a million. */
export function* banReplies(book: Book, now: Instant): Generator<BanReply> {
  for (const ban of book.bans()) if (ban.until > now) yield banReply(ban);
}

export function enforcerReply({ enforcer, stats }: Reconciler): StatusReply["enforcers"][number] {
  return { kind: enforcer.kind, ...stats };
}

export function sourceReply({ source, flow }: Watched): StatusReply["sources"][number] {
  return {
    name: source.name,
    kind: source.kind,
    ...source.stats,
    lines: flow.meter.lines,
    bytesPerSecond: Math.round(flow.meter.bytesPerSecond),
    linesPerSecond: Math.round(flow.meter.linesPerSecond),
    lag: flow.lag === null ? null : flow.lag / SECOND,
    givenUp: flow.givenUp,
    statesForgotten: flow.statesForgotten,
    blind: flow.blindness.lines,
  };
}

export function originReply(gate: OrderGate, book: Book, name: string): StatusReply["origins"][number] {
  const stats = gate.statsOf(name) ?? {
    done: 0,
    nothing: 0,
    held: 0,
    refused: 0,
    unreadable: 0,
    lastRefusal: null,
  };
  return { name, bans: book.bansFrom(name), ...stats };
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

/** A list says nothing of when it was held. */
export function heldListReply(name: string, fact: string): HeldReply {
  return { origin: name, order: "list", address: "", reason: "", fact, since: "" };
}

export function jailReply(
  { config, jail }: RunningJail,
  { banned, capped, kernel }: Pick<StatusReply["jails"][number], "banned" | "capped" | "kernel">,
): StatusReply["jails"][number] {
  const { counting, offences, stats, options } = jail;
  return {
    name: options.name,
    filter: config.filter?.name ?? null,
    sources: config.sources,
    target: jail.target,
    maxretry: options.maxretry,
    findtime: formatDuration(options.findtime),
    bantime: formatDuration(jail.bantime),
    steps: options.steps.map((step) => ({ ...step, bantime: formatDuration(step.bantime) })),
    ...stats,
    banned,
    addresses: counting.size,
    forgotten: counting.forgotten,
    offenders: offences.size,
    forgottenOffenders: offences.forgotten,
    capped,
    kernel,
  };
}
