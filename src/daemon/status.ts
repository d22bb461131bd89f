import type { RemoteStats } from "../api/remote/remote-api.ts";
import type { ControlStats } from "../api/server.ts";
import type { StatusReply } from "../api/wire.ts";
import type { Book } from "../book/book.ts";
import type { Config } from "../config/config.ts";
import { formatInstant, type Instant } from "../core/time.ts";
import type { Evidence } from "../jail/evidence.ts";
import type { Trusted } from "../jail/trusted.ts";
import type { LogStats } from "../observe/log.ts";
import type { RateLimit } from "../observe/rate-limit.ts";
import type { OrderGate } from "../orders/gate.ts";
import type { Enforcing } from "./enforcing.ts";
import type { BanCap } from "./ban-cap.ts";
import type { Lists } from "./lists.ts";
import type { NameLookup } from "./name-lookup.ts";
import type { Notifying } from "./notifying.ts";
import type { Publishing } from "./publishing.ts";
import type { Offloading } from "./offloading.ts";
import type { RunningJail } from "./pipeline.ts";
import { enforcerReply, jailReply, originReply, sourceReply } from "./replies.ts";
import type { Reports } from "./reports.ts";
import type { Saving } from "./saving.ts";
import type { Watching } from "./watching.ts";

/** Whatever the daemon is made of that has something to tell. */
export interface StatusParts {
  readonly version: string;
  readonly dryRun: boolean;
  readonly controlStats: ControlStats;
  readonly logStats: LogStats;
  readonly since: Instant;
  readonly config: Config;
  readonly book: Book;
  readonly jails: readonly RunningJail[];
  readonly enforcing: Enforcing;
  readonly watching: Watching;
  readonly saving: Saving | null;
  readonly lists: Lists | null;
  readonly publishing: Publishing;
  readonly offloading: Offloading;
  readonly cap: BanCap;
  readonly gate: OrderGate;
  readonly remote: RemoteStats | null;
  readonly epoch: string;
  readonly evidence: Evidence;
  readonly names: NameLookup;
  readonly trusted: Trusted;
  readonly reports: Reports;
  readonly notifying: Notifying;
  readonly warnings: RateLimit;
}

/** All of it, or with one jail alone; null when there is no such jail. */
export function statusReply(parts: StatusParts, jail: string | null, now: Instant): StatusReply | null {
  const { book, gate, evidence, names, trusted, watching } = parts;
  const jails = parts.jails.filter((running) => jail === null || running.jail.options.name === jail);
  if (jail !== null && jails.length === 0) return null;
  return {
    version: parts.version,
    pid: process.pid,
    since: formatInstant(parts.since) ?? "",
    config: parts.config.path,
    dryRun: parts.dryRun,
    memoryBytes: process.memoryUsage.rss(),
    enforcers: parts.enforcing.all.map(enforcerReply),
    connections: parts.enforcing.connections,
    book: {
      bans: book.size,
      capacity: book.capacity,
      evicted: book.evicted,
      refused: watching.all.reduce((sum, { flow }) => sum + flow.refused, parts.offloading.refused),
    },
    sources: watching.all.map(sourceReply),
    jails: jails.map((running) => {
      const { name } = running.jail.options;
      const kernel = parts.offloading.status(name);
      const capped = parts.cap.putOff(name) + parts.offloading.capped(name);
      return jailReply(running, { banned: book.bansOf(name), capped, kernel });
    }),
    evidence: {
      lines: evidence.lines,
      forgotten: evidence.forgotten,
      forgottenBans: evidence.forgottenBans,
    },
    lists: parts.lists?.status() ?? [],
    publishers: parts.publishing.status(),
    notify: parts.notifying.status(),
    api: parts.remote,
    feed: { epoch: parts.epoch, last: book.feed.last },
    origins: gate.rules().map(({ name }) => originReply(gate, book, name)),
    held: {
      orders: gate.held.size,
      dropped: gate.held.dropped,
      forgottenIds: gate.forgottenIds,
      forgottenBans: gate.forgottenBans,
    },
    trusted: { addresses: trusted.size, forgotten: trusted.forgotten },
    names: { dropped: names.dropped, forgotten: names.forgotten },
    control: { ...parts.controlStats },
    log: { ...parts.logStats, held: parts.warnings.held },
    loop: parts.reports.loop,
    warnings: hindrances(parts, now),
  };
}

/** What somebody should know, as sentences. */
function hindrances(
  {
    config,
    enforcing,
    watching,
    saving,
    names,
    logStats,
    reports,
    lists,
    publishing,
    gate,
    notifying,
  }: StatusParts,
  now: Instant,
): string[] {
  const enforcers = enforcing.all
    .filter(({ stats }) => stats.state !== "ready" || stats.lastTrouble !== null)
    .map(({ enforcer, stats }) => `${enforcer.kind}: ${stats.lastTrouble ?? stats.state}`);
  const cutting = enforcing.connections?.lastTrouble ?? null;
  const shed = watching.all
    .filter(({ source }) => source.stats.shed > 0 || source.stats.shedBytes > 0)
    .map(
      ({ source }) =>
        `source ${source.name} has shed ${source.stats.shed} ${source.kind === "nflog" ? "packets" : "lines"} and ${source.stats.shedBytes} bytes`,
    );
  const unsaved =
    saving !== null && saving.failed > 0 ? [`${saving.failed} times state could not be saved`] : [];
  const unwritten = logStats.lost > 0 ? [`${logStats.lost} lines of the log could not be written`] : [];
  return [
    ...config.notes,
    ...enforcers,
    ...(cutting === null ? [] : [cutting]),
    ...(lists?.warnings() ?? []),
    ...publishing.warnings(),
    ...notifying.warnings(),
    ...gate.rules().flatMap(({ name }) => gate.statsOf(name)?.lastRefusal ?? []),
    ...(gate.held.size > 0 ? [`${gate.held.size} orders are held: see stoplog held`] : []),
    ...reports.warnings(now, watching.all),
    ...shed,
    ...unsaved,
    ...(names.dropped > 0 ? [`${names.dropped} names were not looked up`] : []),
    ...unwritten,
  ];
}
