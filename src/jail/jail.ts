import { type Address, isV4 } from "../core/address.ts";
import type { Ban } from "../core/ban.ts";
import type { Decision } from "../core/decision.ts";
import { formatDuration } from "../core/duration.ts";
import { hostPrefix, isHost, type Prefix, prefixOf } from "../core/prefix.ts";
import { LIMITS } from "../core/limits.ts";
import { type Duration, FOREVER, type Instant, MINUTE, SECOND } from "../core/time.ts";
import type { Counting } from "./counting.ts";
import { grownBantime } from "./growth.ts";
import type { IgnoreList } from "./ignore.ts";
import { Offences } from "./offences.ts";
import type { JailOptions, Step } from "./options.ts";
import { Tally } from "./tally.ts";
import { counter, type CountsOf, declareMetrics, type NumberMetric } from "../core/metrics.ts";

/** What of a failure matters to a jail. */
export interface Offence {
  readonly address: Address;
  /** The line's own time; null when it has none, and happens now then. */
  readonly at: Instant | null;
  readonly count: number;
}

const ignored = (reason: string): NumberMetric =>
  counter("stoplog_failures_ignored_total", "Failures that did not count, by reason.", { reason });

/** One jail's counters; `failures` is the sum of those that counted and those that were ignored. */
export const JAIL_METRICS = declareMetrics(
  { at: "jails.*", label: "jail" },
  {
    failures: counter("stoplog_failures_total", "Failures that the jail met."),
    counted: counter("stoplog_failures_counted_total", "Failures that counted towards a ban."),
    bans: counter("stoplog_bans_total", "Bans that the jail decided."),
    alreadyBanned: ignored("already banned"),
    afterBan: counter(
      "stoplog_failures_after_ban_total",
      "Failures of banned addresses more than 5 s after their ban: the ban did not keep them out.",
    ),
    allowListed: ignored("allow-listed"),
    ownAddress: ignored("own address"),
    trusted: ignored("trusted"),
    stale: ignored("stale"),
    good: counter("stoplog_good_lines_total", "Lines of successful logins."),
    future: counter(
      "stoplog_failures_future_total",
      "Failures dated over a minute ahead: a clock or a time zone is wrong. They count as now.",
    ),
  },
);

export type JailStats = CountsOf<typeof JAIL_METRICS>;

/** What a jail has in common with others. */
export interface JailShares {
  /** Failures that are counted together. */
  readonly counting?: Counting | undefined;
  /** Who was banned before. */
  readonly offences?: Offences | undefined;
  /** From 0 to below 1, by chance. */
  readonly chance?: () => number;
}

/** maxretry failures of an address within findtime → a ban for bantime at a target. */
export class Jail {
  readonly stats: JailStats = JAIL_METRICS.zero();
  #options: JailOptions;
  #ignore: IgnoreList;
  #counting: Counting;
  #isShared: boolean;
  #offences: Offences;
  /** The highest step where nothing depends on what was before: nothing is remembered then. */
  #only: Step | null = null;
  readonly #chance: () => number;
  /** By count. */
  readonly #decisions: Decision[] = [];
  /** By failures and times. The same string for all bans: there may be a million. */
  readonly #reasons = new Map<number, string>();

  constructor(options: JailOptions, ignore: IgnoreList, shares: JailShares = {}) {
    this.#options = options;
    this.#ignore = ignore;
    this.#isShared = shares.counting !== undefined;
    this.#counting = shares.counting ?? tallyFor(options);
    this.#offences = shares.offences ?? new Offences(LIMITS.offenders.value);
    this.#chance = shares.chance ?? Math.random;
    this.#only = this.#onlyHighest();
  }

  get options(): JailOptions {
    return this.#options;
  }

  get counting(): Counting {
    return this.#counting;
  }

  get offences(): Offences {
    return this.#offences;
  }

  /** The target of the highest step, for whoever bans in this jail's name. */
  get target(): string {
    return this.#highest(1).target;
  }

  /** How long its bans last when nothing was before. */
  get bantime(): Duration {
    return this.#highest(1).bantime;
  }

  /** Takes new options; what was counted stays unless it is counted otherwise from now on. */
  reconfigure(options: JailOptions, ignore: IgnoreList, shares: JailShares = {}): void {
    const counted = COUNTING.every((key) => options[key] === this.#options[key]);
    const own = counted && !this.#isShared ? this.#counting : tallyFor(options);
    this.#counting = shares.counting ?? own;
    this.#isShared = shares.counting !== undefined;
    this.#offences = shares.offences ?? this.#offences;
    this.#options = options;
    this.#ignore = ignore;
    this.#reasons.clear();
    this.#only = this.#onlyHighest();
  }

  /** Where somebody may be banned who has nothing more to expect of this jail: the targets of its highest steps. */
  get lastTargets(): readonly string[] {
    const { steps, maxretry } = this.#options;
    return [...new Set(steps.filter((step) => step.maxretry === maxretry).map(({ target }) => target))];
  }

  /** The network that stands for an address in this jail. */
  prefixOf(a: Address): Prefix {
    return prefixOf(a, isV4(a) ? this.#options.ipv4Prefix : this.#options.ipv6Prefix);
  }

  /** The first address of that network; the address itself where each counts alone. */
  networkOf(a: Address): Address {
    const { ipv4Prefix, ipv6Prefix } = this.#options;
    return (isV4(a) ? ipv4Prefix === 32 : ipv6Prefix === 128) ? a : this.prefixOf(a).address;
  }

  /** What becomes of a failure. Depends on nothing but the failures told before and its arguments. */
  decide(offence: Offence, standing: Pick<Ban, "since"> | null, now: Instant): Decision {
    const { address, count } = offence;
    if (offence.at !== null && offence.at > now + CLOCK_AHEAD) this.stats.future += count;
    if (standing !== null) return this.passOver(address, offence.at, standing.since, count, now);
    const at = Math.min(offence.at ?? now, now);
    this.stats.failures += count;
    const ignored = this.#ignore.reason(address, this.networkOf(address), now);
    if (ignored !== null) return this.#ignored(ignored, count);
    if (at < now - this.#options.findtime) return this.#ignored("stale", count);
    return this.#count(address, at, count, now);
  }

  /** A failure of somebody who is banned since then: no more is made of it, but jails that count with this one may have use for it. */
  passOver(a: Address, at: Instant | null, bannedSince: Instant, count: number, now: Instant): Decision {
    this.stats.failures += count;
    if (this.#isShared) this.#counting.add(this.networkOf(a), Math.min(at ?? now, now), count);
    if (at !== null && Math.min(at, now) > bannedSince + SETTLED_AFTER) this.stats.afterBan += count;
    return this.#ignored("already banned", count);
  }

  /** A ban that somebody else has counted for this jail. A network in which somebody lives who is never banned is not banned. */
  takeUp(ban: Pick<Ban, "prefix" | "since" | "until" | "reason">, banned: boolean, now: Instant): Decision {
    this.stats.failures++;
    const { prefix } = ban;
    const ignored =
      this.#ignore.reason(prefix.address, prefix.address, now) ??
      (isHost(prefix) || !this.#ignore.meets(prefix) ? null : "allow-listed");
    if (ignored !== null) return this.#ignored(ignored, 1);
    if (banned) return this.#ignored("already banned", 1);
    this.stats.counted++;
    this.stats.bans++;
    const { name } = this.#options;
    return {
      kind: "ban",
      reason: "threshold",
      ban: { ...ban, target: this.target, jail: name, origin: "local" },
    };
  }

  /** A good line: what was counted of the address is forgotten, and for `trustFor` no jail bans it. */
  forgive(a: Address, now: Instant, trustFor: Duration): boolean {
    this.stats.good++;
    if (trustFor > 0) this.#ignore.trust(a, this.networkOf(a), now + trustFor);
    return this.forget(a);
  }

  /** Forgets what was counted of an address, and that it was banned before; answers whether there was anything. */
  forget(a: Address): boolean {
    const network = this.networkOf(a);
    const banned = this.#offences.forget(network);
    return this.#counting.forget(network) || banned;
  }

  /** Failures that count against the address now. */
  seen(a: Address, now: Instant): number {
    return this.#counting.count(this.networkOf(a), now);
  }

  /** Why the address would not be banned here, or null. */
  ignoring(a: Address, now: Instant): "allow-listed" | "own address" | "trusted" | null {
    const reason = this.#ignore.reason(a, this.networkOf(a), now);
    return reason === "already banned" || reason === "stale" ? null : reason;
  }

  #count(a: Address, at: Instant, count: number, now: Instant): Decision {
    const { maxretry, steps } = this.#options;
    // A count over the bound changes nothing: maxretry is enough, and columns hold no more.
    const seen = Math.min(this.#counting.add(this.networkOf(a), at, Math.min(count, maxretry)), maxretry);
    this.stats.counted += count;
    if (seen >= maxretry) return this.#banAgain(a, now);
    if (seen < (steps[0] as Step).maxretry) return this.#counted(seen);
    return this.#banMildly(a, seen, now);
  }

  /** The highest step, by how often the address was banned before. */
  #banAgain(a: Address, now: Instant): Decision {
    if (this.#only !== null)
      return this.#decide(a, this.#only, { before: 0, bantime: this.#only.bantime, now });
    const { growth, memory } = this.#options;
    const network = this.networkOf(a);
    const before = this.#offences.before(network, now);
    const step = this.#highest(before + 1);
    const bantime =
      growth === null ? step.bantime : grownBantime(step.bantime, before, growth, this.#chance());
    this.#offences.remember(network, { times: before + 1, until: now + bantime + memory });
    return this.#decide(a, step, { before, bantime, now });
  }

  /** A step before the highest: the count goes on. */
  #banMildly(a: Address, seen: number, now: Instant): Decision {
    const before = this.#offences.before(this.networkOf(a), now);
    const step = this.#options.steps.findLast((s) => s.maxretry <= seen && s.times <= before + 1);
    return step === undefined
      ? this.#counted(seen)
      : this.#decide(a, step, { before, bantime: step.bantime, now });
  }

  #onlyHighest(): Step | null {
    const { growth, steps } = this.#options;
    return growth === null && steps.every(({ times }) => times === 1) ? this.#highest(1) : null;
  }

  #highest(times: number): Step {
    const { steps, maxretry } = this.#options;
    return steps.findLast((step) => step.maxretry === maxretry && step.times <= times) as Step;
  }

  /** One object for each count: a flood asks for few of them, very often. */
  #counted(seen: number): Decision {
    const needed = this.#options.maxretry;
    const known = this.#decisions[seen];
    if (known?.kind === "counted" && known.needed === needed) return known;
    const decision: Decision = { kind: "counted", reason: "counted", seen, needed };
    this.#decisions[seen] = decision;
    return decision;
  }

  /** The network that was counted; the offender alone when somebody lives there who must not be locked out. */
  #banned(a: Address, network: Prefix): Prefix {
    return isHost(network) || !this.#ignore.meets(network) ? network : hostPrefix(a);
  }

  #decide(
    a: Address,
    { maxretry, target }: Step,
    { before, bantime, now }: { readonly before: number; readonly bantime: Duration; readonly now: Instant },
  ): Decision {
    this.stats.bans++;
    const ban: Ban = {
      prefix: this.#banned(a, this.prefixOf(a)),
      target,
      jail: this.#options.name,
      reason: this.#reason(maxretry, before),
      since: now,
      until: bantime === FOREVER ? FOREVER : now + bantime,
      origin: "local",
    };
    return { kind: "ban", reason: before > 0 ? "repeat offender" : "threshold", ban };
  }

  #reason(failures: number, before: number): string {
    const times = Math.min(before, MOST_TOLD);
    const key = failures * (MOST_TOLD + 1) + times;
    let reason = this.#reasons.get(key);
    if (reason === undefined) {
      reason = reasonOf(failures, times, this.#options.findtime);
      this.#reasons.set(key, reason);
    }
    return reason;
  }

  #ignored(reason: keyof typeof IGNORED, count: number): Decision {
    switch (reason) {
      case "already banned":
        this.stats.alreadyBanned += count;
        break;
      case "allow-listed":
        this.stats.allowListed += count;
        break;
      case "own address":
        this.stats.ownAddress += count;
        break;
      case "trusted":
        this.stats.trusted += count;
        break;
      case "stale":
        this.stats.stale += count;
        break;
    }
    return IGNORED[reason];
  }
}

/** A line that is dated this much ahead was written by another clock, or its time zone was misread. */
const CLOCK_AHEAD: Duration = MINUTE;

/** What is already on its way when a ban begins, through the service and its log, is no sign that it does not hold. */
const SETTLED_AFTER: Duration = 5 * SECOND;

/** The options that say what a tally holds. */
const COUNTING = ["maxretry", "findtime", "addresses", "ipv4Prefix", "ipv6Prefix"] as const;

function tallyFor(options: JailOptions): Tally {
  return new Tally({ maxretry: options.maxretry, findtime: options.findtime, capacity: options.addresses });
}

/** '5 failures in 10m', '5 failures in 10m, banned 2 times before'. */
function reasonOf(failures: number, before: number, findtime: Duration): string {
  const within = failures === 1 || findtime === FOREVER ? "" : ` in ${formatDuration(findtime)}`;
  const again =
    before === 0
      ? ""
      : `, banned ${before === 1 ? "once" : `${before}${before === MOST_TOLD ? " or more" : ""} times`} before`;
  return `${failures === 1 ? "1 failure" : `${failures} failures`}${within}${again}`;
}

/** Bans before that the reason tells apart. */
const MOST_TOLD = 99;

/** One object each, since a flood asks for them a million times a second. */
const IGNORED = {
  "already banned": { kind: "ignored", reason: "already banned" },
  "allow-listed": { kind: "ignored", reason: "allow-listed" },
  trusted: { kind: "ignored", reason: "trusted" },
  "own address": { kind: "ignored", reason: "own address" },
  stale: { kind: "ignored", reason: "stale" },
} as const;
