import { type Address, isV4 } from "../core/address.ts";
import type { Ban } from "../core/ban.ts";
import type { Decision } from "../core/decision.ts";
import { formatDuration } from "../core/duration.ts";
import { hostPrefix, isHost, type Prefix, prefixOf } from "../core/prefix.ts";
import { LIMITS } from "../core/limits.ts";
import { type Duration, FOREVER, type Instant, MINUTE, SECOND } from "../core/time.ts";
import type { Counting } from "./counting.ts";
import { Forgiving } from "./forgiving.ts";
import { failureWeight, grownBantime } from "./growth.ts";
import type { IgnoreList } from "./ignore.ts";
import { Offences } from "./offences.ts";
import type { JailOptions, Step } from "./options.ts";
import { NEVER, settledAt, SettledLines } from "./settled.ts";
import { ScaledTally } from "./scaled-tally.ts";
import { Tally } from "./tally.ts";
import { counter, type CountsOf, declareMetrics, type NumberMetric } from "../core/metrics.ts";

/** A failure, as a jail sees it. */
export interface Offence {
  readonly address: Address;
  /** The time in the line; null when it has none, which means now. */
  readonly at: Instant | null;
  readonly count: number;
  /** Whether its line was in the log before the daemon opened it: after a crash, it may have counted already. */
  readonly isBacklog?: boolean;
}

/** An active ban of the address. */
export type StandingBan = Pick<Ban, "since"> & {
  /** Whether the enforcer refused it. */
  readonly isRefused?: boolean;
};

const ignored = (reason: string): NumberMetric =>
  counter("stoplog_failures_ignored_total", "Failures that did not count, by reason.", { reason });

/** The counters of one jail; `failures` is the sum of counted and ignored failures. */
export const JAIL_METRICS = declareMetrics(
  { at: "jails.*", label: "jail" },
  {
    failures: counter("stoplog_failures_total", "Failures that the jail received."),
    counted: counter("stoplog_failures_counted_total", "Failures that counted towards a ban."),
    bans: counter("stoplog_bans_total", "Bans that the jail decided."),
    alreadyBanned: ignored("already banned"),
    notEnforced: ignored("not enforced"),
    afterBan: counter(
      "stoplog_failures_after_ban_total",
      "Failures of banned addresses more than 5 s after their ban: the ban is not effective.",
    ),
    allowListed: ignored("allow-listed"),
    ownAddress: ignored("own address"),
    impossible: ignored("impossible address"),
    trusted: ignored("trusted"),
    stale: ignored("stale"),
    spared: counter(
      "stoplog_bans_spared_total",
      "Bans that were not made because a user is logged in from the address.",
    ),
    good: counter("stoplog_good_lines_total", "Lines of successful logins."),
    unforgiven: counter(
      "stoplog_good_lines_unforgiven_total",
      "Lines of successful logins that forgave nothing: an earlier one of the address did within findtime.",
    ),
    future: counter(
      "stoplog_failures_future_total",
      "Failures dated over a minute ahead: a clock or a time zone is wrong. They count as now.",
    ),
  },
);

export type JailStats = CountsOf<typeof JAIL_METRICS>;

/** What a jail shares with other jails. */
export interface JailShares {
  /** A common count of failures. */
  readonly counting?: Counting | undefined;
  /** A common memory of earlier bans. */
  readonly offences?: Offences | undefined;
  /** Returns a random number from 0 to below 1. */
  readonly chance?: () => number;
}

/** What a successful login gives. */
export interface Forgiveness {
  /** How long the address is trusted afterwards; 0 for not at all. */
  readonly trustFor: Duration;
  /** Whether there is a ban that it may lift. */
  readonly hasBan: boolean;
  /** Whether it forgives also when another one did within findtime. */
  readonly isAlways?: boolean;
}

/** maxretry failures of an address within findtime → a ban for bantime at a target. */
export class Jail {
  readonly stats: JailStats = JAIL_METRICS.zero();
  #options: JailOptions;
  #ignore: IgnoreList;
  #counting: Counting;
  #isShared: boolean;
  #offences: Offences;
  /** The highest step, if earlier bans make no difference; then none are remembered. Otherwise null. */
  #only: Step | null = null;
  readonly #settled = new SettledLines();
  readonly forgiving = new Forgiving();
  readonly #chance: () => number;
  /** Indexed by count. */
  readonly #decisions: Decision[] = [];
  /** By failures and earlier bans. All bans share the strings: there may be a million bans. */
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

  /** The target of the highest step, for bans that are made in the name of this jail. */
  get target(): string {
    return this.#highest(1).target;
  }

  /** Length of the first ban of an address. */
  get bantime(): Duration {
    return this.#highest(1).bantime;
  }

  /** Sets new options. Keeps the counts, unless an option that affects counting has changed. */
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

  /** Returns a function that undoes every later `reconfigure`, with the counts of this moment and what was counted in them since. */
  undoer(): () => void {
    const options = this.#options;
    const [ignore, isShared] = [this.#ignore, this.#isShared];
    const shares = { counting: this.#counting, offences: this.#offences };
    return () => {
      this.reconfigure(options, ignore, shares);
      this.#isShared = isShared;
    };
  }

  /** Targets of this jail's last steps. An address banned there needs no further decision by this jail. */
  get lastTargets(): readonly string[] {
    const { steps, maxretry } = this.#options;
    return [...new Set(steps.filter((step) => step.maxretry === maxretry).map(({ target }) => target))];
  }

  /** The network as which this jail counts the address. */
  prefixOf(a: Address): Prefix {
    return prefixOf(a, isV4(a) ? this.#options.ipv4Prefix : this.#options.ipv6Prefix);
  }

  /** The first address of that network; the address itself when single addresses are counted. */
  networkOf(a: Address): Address {
    const { ipv4Prefix, ipv6Prefix } = this.#options;
    return (isV4(a) ? ipv4Prefix === 32 : ipv6Prefix === 128) ? a : this.prefixOf(a).address;
  }

  /** Decides about a failure. Depends only on the earlier failures and the arguments. */
  decide(offence: Offence, standing: StandingBan | null, now: Instant): Decision {
    const { address, count } = offence;
    if (offence.at !== null && offence.at > now + CLOCK_AHEAD) this.stats.future += count;
    if (standing?.isRefused === true) return this.passUnenforced(offence, now);
    if (standing !== null) return this.passOver(address, offence.at, standing.since, count, now);
    const isNow = offence.at === null && offence.isBacklog !== true;
    const isNew = isNow || this.#settled.isEmpty;
    const settled = isNew ? NEVER : this.#settled.of(this.networkOf(address), now, this.#options.findtime);
    // A line without a time that was in the log before: as if it were of then.
    const at = Math.min(offence.at ?? settledAt(settled) ?? now, now);
    if (at <= settled.ban && at > settled.reset) return this.passOver(address, at, at, count, now);
    this.stats.failures += count;
    if (at <= settled.reset) return this.#ignored("already banned", count);
    const ignored = this.#ignore.reason(address, this.networkOf(address), now);
    if (ignored !== null) return this.#ignored(ignored, count);
    if (at < now - this.#options.findtime) return this.#ignored("stale", count);
    this.#ignore.ask(address, now);
    return this.#count(address, { at, count, isSettled: at <= settled.milderBan }, now);
  }

  /** A failure from an address that is already banned. It does not count here; jails that share this counter still see it. */
  passOver(a: Address, at: Instant | null, bannedSince: Instant, count: number, now: Instant): Decision {
    this.stats.failures += count;
    if (this.#isShared) this.#counting.add(this.networkOf(a), Math.min(at ?? now, now), count);
    if (at !== null && Math.min(at, now) > bannedSince + SETTLED_AFTER) this.stats.afterBan += count;
    return this.#ignored("already banned", count);
  }

  /** A failure from an address whose ban is not enforced, because the enforcer refused it. It does not count either: a ban would be refused again. */
  passUnenforced({ address, at, count }: Offence, now: Instant): Decision {
    this.stats.failures += count;
    if (this.#isShared) this.#counting.add(this.networkOf(address), Math.min(at ?? now, now), count);
    return this.#ignored("not enforced", count);
  }

  /** A ban that the kernel counted for this jail (offload). A network that contains an address that is never banned is not banned. */
  takeUp(ban: Pick<Ban, "prefix" | "since" | "until" | "reason">, banned: boolean, now: Instant): Decision {
    this.stats.failures++;
    const { prefix } = ban;
    const ignored =
      this.#ignore.reason(prefix.address, prefix.address, now) ??
      (isHost(prefix) || !this.#ignore.meets(prefix, now) ? null : "allow-listed");
    if (ignored !== null) return this.#ignored(ignored, 1);
    if (this.#spares(prefix.address, this.#highest(1), now)) return SPARED;
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

  /**
   * A successful login: forgets the failures of the address, and no jail bans it for `trustFor`. Forgives once in `findtime`, so that an attacker
   * with one account does not get any number of tries at others; never more than maxretry failures, since these are a ban.
   * `hasBan` says whether there is a ban that the login may lift. False when it forgives nothing.
   */
  forgive(a: Address, now: Instant, { trustFor, hasBan, isAlways = false }: Forgiveness): boolean {
    this.stats.good++;
    const network = this.networkOf(a);
    if (trustFor > 0) this.#ignore.trust(a, network, now + trustFor);
    const { findtime } = this.#options;
    if (!isAlways && this.forgiving.isRecent(network, now, findtime)) {
      if (hasBan || this.#counting.count(network, now) > 0) this.stats.unforgiven++;
      return false;
    }
    const forgot = this.forget(a);
    if (!forgot && !hasBan) return false;
    this.forgiving.note(network, now, findtime);
    return true;
  }

  /**
   * A ban that this jail made after the moment of its restored counts: the failures before it count no more, though their lines are read again.
   * `ended` is when it ended, null while it is active. A ban of a lower step left the count as it was, and is not made again from those lines.
   */
  recall(
    { prefix, reason, since, until }: Pick<Ban, "prefix" | "reason" | "since" | "until">,
    ended: Instant | null,
  ): void {
    const { maxretry, memory } = this.#options;
    const network = this.networkOf(prefix.address);
    const isHighest = reason.startsWith(failuresOf(maxretry));
    if (ended !== null) this.#settled.settle(network, isHighest ? "ban" : "milderBan", ended);
    if (!isHighest) return;
    if (!this.#isShared) this.#counting.forget(network);
    if (this.#only !== null) return;
    const times = this.#offences.before(network, since) + 1;
    this.#offences.remember(network, { times, until: until + memory });
  }

  /** Another program banned the address so often, the last time until `end`: the next ban is longer where bans grow. */
  rememberBans(a: Address, times: number, end: Instant, now: Instant): void {
    const network = this.networkOf(a);
    const until = end + this.#options.memory;
    if (until <= now || times <= this.#offences.before(network, now)) return;
    this.#offences.remember(network, { times, until });
  }

  /** The operator reset this address after the moment of the restored counts: failures dated up to `until` count no more. */
  recallReset(a: Address, until: Instant): void {
    this.forget(a);
    this.#settled.settle(this.networkOf(a), "reset", until);
  }

  /** Forgets the failures and the earlier bans of an address. True when there were any. */
  forget(a: Address): boolean {
    const network = this.networkOf(a);
    const banned = this.#offences.forget(network);
    return this.#counting.forget(network) || banned;
  }

  /** Number of failures that count against the address now. */
  seen(a: Address, now: Instant): number {
    return this.#counting.count(this.networkOf(a), now);
  }

  /** Why this jail would never ban the address, or null. */
  ignoring(
    a: Address,
    now: Instant,
  ): "allow-listed" | "own address" | "impossible address" | "trusted" | "live session" | null {
    const reason = this.#ignore.reason(a, this.networkOf(a), now);
    if (reason === null && this.#ignore.hasSession(a, now)) return "live session";
    return reason === "already banned" || reason === "not enforced" || reason === "stale" ? null : reason;
  }

  #count(
    a: Address,
    { at, count, isSettled }: { readonly at: Instant; readonly count: number; readonly isSettled: boolean },
    now: Instant,
  ): Decision {
    const { maxretry, steps, growth } = this.#options;
    const network = this.networkOf(a);
    const weight = growth?.sooner === true ? failureWeight(this.#offences.before(network, now)) : 1;
    // More than maxretry makes no difference, and the tally has no room for more.
    const seen = Math.min(this.#counting.add(network, at, Math.min(count * weight, maxretry)), maxretry);
    this.stats.counted += count;
    if (seen >= maxretry) return this.#banAgain(a, now);
    if (isSettled || seen < (steps[0] as Step).maxretry) return this.#counted(seen);
    return this.#banMildly(a, seen, now);
  }

  /** The highest step, chosen by the number of earlier bans. */
  #banAgain(a: Address, now: Instant): Decision {
    if (this.#only !== null) {
      if (this.#spares(a, this.#only, now)) return SPARED;
      return this.#decide(a, this.#only, { before: 0, bantime: this.#only.bantime, now });
    }
    const { growth, memory } = this.#options;
    const network = this.networkOf(a);
    const before = this.#offences.before(network, now);
    const step = this.#highest(before + 1);
    if (this.#spares(a, step, now)) return SPARED;
    const bantime =
      growth === null ? step.bantime : grownBantime(step.bantime, before, growth, this.#chance());
    this.#offences.remember(network, { times: before + 1, until: now + bantime + memory });
    return this.#decide(a, step, { before, bantime, now });
  }

  /** A step below the highest: the count continues. */
  #banMildly(a: Address, seen: number, now: Instant): Decision {
    const before = this.#offences.before(this.networkOf(a), now);
    const step = this.#options.steps.findLast((s) => s.maxretry <= seen && s.times <= before + 1);
    if (step === undefined) return this.#counted(seen);
    return this.#spares(a, step, now)
      ? SPARED
      : this.#decide(a, step, { before, bantime: step.bantime, now });
  }

  /** A user is logged in from the address, and the step would cut them off. */
  #spares(a: Address, step: Step, now: Instant): boolean {
    if (step.isMild === true || !this.#ignore.hasSession(a, now)) return false;
    this.stats.spared++;
    this.#ignore.spared(a, this.#options.name, now);
    return true;
  }

  #onlyHighest(): Step | null {
    const { growth, steps } = this.#options;
    return growth === null && steps.every(({ times }) => times === 1) ? this.#highest(1) : null;
  }

  #highest(times: number): Step {
    const { steps, maxretry } = this.#options;
    return steps.findLast((step) => step.maxretry === maxretry && step.times <= times) as Step;
  }

  /** Reuses one object per count: a flood asks for few of them, very often. */
  #counted(seen: number): Decision {
    const needed = this.#options.maxretry;
    const known = this.#decisions[seen];
    if (known?.kind === "counted" && known.needed === needed) return known;
    const decision: Decision = { kind: "counted", reason: "counted", seen, needed };
    this.#decisions[seen] = decision;
    return decision;
  }

  /** The network to ban; only the offending address when the network contains an address that is never banned, or the target holds no networks. */
  #banned(a: Address, network: Prefix, { singleV6 }: Step, now: Instant): Prefix {
    if (isHost(network)) return network;
    const isSingle = (singleV6 === true && !isV4(a)) || this.#ignore.meets(network, now);
    return isSingle ? hostPrefix(a) : network;
  }

  #decide(
    a: Address,
    step: Step,
    { before, bantime, now }: { readonly before: number; readonly bantime: Duration; readonly now: Instant },
  ): Decision {
    this.stats.bans++;
    const { maxretry, target } = step;
    const ban: Ban = {
      prefix: this.#banned(a, this.prefixOf(a), step, now),
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
    const times = Math.min(before, MOST_SHOWN);
    const key = failures * (MOST_SHOWN + 1) + times;
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
      case "not enforced":
        this.stats.notEnforced += count;
        break;
      case "allow-listed":
        this.stats.allowListed += count;
        break;
      case "own address":
        this.stats.ownAddress += count;
        break;
      case "impossible address":
        this.stats.impossible += count;
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

/** A line dated further ahead than this comes from another clock, or its time zone was misread. */
const CLOCK_AHEAD: Duration = MINUTE;

/** Grace period: lines logged before the ban took effect may arrive after it. They do not mean that the ban failed. */
const SETTLED_AFTER: Duration = 5 * SECOND;

/** The options that affect counting. */
const COUNTING = ["maxretry", "findtime", "counting", "addresses", "ipv4Prefix", "ipv6Prefix"] as const;

function tallyFor({ maxretry, findtime, addresses, counting }: JailOptions): Counting {
  const options = { maxretry, findtime, capacity: addresses };
  return counting === "scaled" ? new ScaledTally(options) : new Tally(options);
}

/** '5 failures in 10m', '5 failures in 10m, banned 2 times before'. */
function reasonOf(failures: number, before: number, findtime: Duration): string {
  const within = failures === 1 || findtime === FOREVER ? "" : ` in ${formatDuration(findtime)}`;
  const again =
    before === 0
      ? ""
      : `, banned ${before === 1 ? "once" : `${before}${before === MOST_SHOWN ? " or more" : ""} times`} before`;
  return `${failuresOf(failures)}${within}${again}`;
}

function failuresOf(failures: number): string {
  return failures === 1 ? "1 failure" : `${failures} failures`;
}

/** Number of earlier bans above which the reason says 'or more'. */
const MOST_SHOWN = 99;

const SPARED = { kind: "ignored", reason: "live session" } as const;

/** One object per reason: a flood asks for them a million times a second. */
const IGNORED = {
  "already banned": { kind: "ignored", reason: "already banned" },
  "not enforced": { kind: "ignored", reason: "not enforced" },
  "allow-listed": { kind: "ignored", reason: "allow-listed" },
  trusted: { kind: "ignored", reason: "trusted" },
  "own address": { kind: "ignored", reason: "own address" },
  "impossible address": { kind: "ignored", reason: "impossible address" },
  stale: { kind: "ignored", reason: "stale" },
} as const;
