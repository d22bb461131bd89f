import type { JailFacts } from "../api/fail2ban/host.ts";
import type { Book } from "../book/book.ts";
import type { Config } from "../config/config.ts";
import { file } from "../source/file/kind.ts";
import { type JournalOptions, journal } from "../source/journal/kind.ts";
import { isKind } from "../source/kinds.ts";
import type { RunningJail } from "./pipeline.ts";

/** A running jail in the words of fail2ban. */
export function jailFacts({ config, jail }: RunningJail, all: Config, book: Book): JailFacts {
  const { filter, name } = config;
  const { stats } = jail;
  const currentlyBanned = book.bansOf(name);
  return {
    name,
    maxretry: config.maxretry,
    findtime: config.findtime,
    bantime: jail.bantime,
    growth: config.growth,
    failregex: filter?.failregex ?? [],
    ignoreregex: filter?.ignoreregex ?? [],
    prefregex: filter?.prefregex ?? "",
    datepattern: filter?.datepattern ?? null,
    usedns: config.usedns,
    ignoreip: [...all.ignoreip, ...config.ignoreip],
    ignoreSelf: all.ignoreSelf && config.ignoreSelf,
    ...readFrom(config.sources, all),
    targets: [...new Set(config.steps.map(({ target }) => target))],
    currentlyFailed: jail.counting.size,
    totalFailed: stats.counted + stats.alreadyBanned + stats.notEnforced,
    currentlyBanned,
    // Bans by hand and restored ones are not among those that the jail decided.
    totalBanned: Math.max(stats.bans, currentlyBanned),
  };
}

function readFrom(names: readonly string[], { sources }: Config): Pick<JailFacts, "files" | "journal"> {
  const all = names.flatMap((name) => sources.get(name) ?? []);
  return {
    files: all.flatMap((source) => (isKind(source, file) ? source.path : [])),
    journal: all.flatMap((source) => (isKind(source, journal) ? [matchesOf(source)] : [])),
  };
}

function matchesOf({ units = [], identifiers = [], matches = [] }: JournalOptions): readonly string[] {
  return [
    ...units.map((unit) => `_SYSTEMD_UNIT=${unit}`),
    ...identifiers.map((identifier) => `SYSLOG_IDENTIFIER=${identifier}`),
    ...matches,
  ];
}
