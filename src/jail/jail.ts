import { type Address, isV4 } from "../core/address.ts";
import type { Ban } from "../core/ban.ts";
import type { Decision } from "../core/decision.ts";
import { formatDuration } from "../core/duration.ts";
import { hostPrefix, isHost, type Prefix, prefixOf } from "../core/prefix.ts";
import { type Duration, FOREVER, type Instant, SECOND } from "../core/time.ts";
import type { IgnoreList } from "./ignore.ts";
import { Tally } from "./tally.ts";

export interface JailOptions {
  readonly name: string;
  /** Failures within `findtime` that lead to a ban. */
  readonly maxretry: number;
  readonly findtime: Duration;
  readonly bantime: Duration;
  /** The target that its bans go to. */
  readonly target: string;
  /** Addresses of one such network count, and are banned, as one. */
  readonly ipv4Prefix: number;
  readonly ipv6Prefix: number;
  /** Networks counted at the same time. */
  readonly addresses: number;
}

/** What of a failure matters to a jail. */
export interface Offence {
  readonly address: Address;
  /** The line's own time; null when it has none, and happens now then. */
  readonly at: Instant | null;
  readonly count: number;
}

/** How many failures a jail met, by what came of them. */
export interface JailStats {
  failures: number;
  counted: number;
  bans: number;
  alreadyBanned: number;
  /** Of those, what happened more than five seconds after the ban: it did not keep the address out. */
  afterBan: number;
  allowListed: number;
  ownAddress: number;
  stale: number;
  good: number;
}

/** maxretry failures of an address within findtime → a ban for bantime at a target. */
export class Jail {
  readonly stats: JailStats = {
    failures: 0,
    counted: 0,
    bans: 0,
    alreadyBanned: 0,
    afterBan: 0,
    allowListed: 0,
    ownAddress: 0,
    stale: 0,
    good: 0,
  };
  #options: JailOptions;
  #ignore: IgnoreList;
  #tally: Tally;
  /** By count. */
  readonly #decisions: Decision[] = [];
  /** The same string for all bans: there may be a million. */
  #reason: string;

  constructor(options: JailOptions, ignore: IgnoreList) {
    this.#options = options;
    this.#ignore = ignore;
    this.#tally = tallyFor(options);
    this.#reason = reasonOf(options);
  }

  get options(): JailOptions {
    return this.#options;
  }

  get tally(): Tally {
    return this.#tally;
  }

  /** Takes new options; what was counted stays unless it is counted otherwise from now on. */
  reconfigure(options: JailOptions, ignore: IgnoreList): void {
    if (COUNTING.some((key) => options[key] !== this.#options[key])) this.#tally = tallyFor(options);
    this.#options = options;
    this.#ignore = ignore;
    this.#reason = reasonOf(options);
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
    const { count } = offence;
    if (standing !== null) return this.passOver(offence.at, standing.since, count, now);
    // What lies in the future happens now: a clock is wrong.
    const at = Math.min(offence.at ?? now, now);
    this.stats.failures += count;
    const ignored = this.#ignore.reason(offence.address);
    if (ignored !== null) return this.#ignored(ignored, count);
    if (at < now - this.#options.findtime) return this.#ignored("stale", count);
    return this.#count(offence.address, at, count, now);
  }

  /** A failure of somebody who is banned since then: counted, and no more is made of it. */
  passOver(at: Instant | null, bannedSince: Instant, count: number, now: Instant): Decision {
    this.stats.failures += count;
    if (at !== null && Math.min(at, now) > bannedSince + SETTLED_AFTER) this.stats.afterBan += count;
    return this.#ignored("already banned", count);
  }

  /** A good line: what was counted of the address is forgotten. */
  forgive(a: Address): boolean {
    this.stats.good++;
    return this.#tally.forget(this.prefixOf(a).address);
  }

  /** Failures that count against the address now. */
  seen(a: Address, now: Instant): number {
    return this.#tally.count(this.prefixOf(a).address, now);
  }

  /** Why the address would never be banned here, or null. */
  ignoring(a: Address): "allow-listed" | "own address" | null {
    const reason = this.#ignore.reason(a);
    return reason === "allow-listed" || reason === "own address" ? reason : null;
  }

  #count(a: Address, at: Instant, count: number, now: Instant): Decision {
    // A count over the bound changes nothing: maxretry is enough, and columns hold no more.
    const seen = this.#tally.add(this.networkOf(a), at, Math.min(count, this.#options.maxretry));
    this.stats.counted += count;
    if (seen < this.#options.maxretry) return this.#counted(seen);
    this.stats.bans++;
    return { kind: "ban", reason: "threshold", ban: this.#ban(this.#banned(a, this.prefixOf(a)), now) };
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

  #ban(prefix: Prefix, now: Instant): Ban {
    const { name, target, bantime } = this.#options;
    return {
      prefix,
      target,
      jail: name,
      reason: this.#reason,
      since: now,
      until: bantime === FOREVER ? FOREVER : now + bantime,
      origin: "local",
    };
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
      case "stale":
        this.stats.stale += count;
        break;
    }
    return IGNORED[reason];
  }
}

/** What is already on its way when a ban begins, through the service and its log, is no sign that it does not hold. */
const SETTLED_AFTER: Duration = 5 * SECOND;

/** The options that say what a tally holds. */
const COUNTING = ["maxretry", "findtime", "addresses", "ipv4Prefix", "ipv6Prefix"] as const;

function tallyFor(options: JailOptions): Tally {
  return new Tally({ maxretry: options.maxretry, findtime: options.findtime, capacity: options.addresses });
}

function reasonOf({ maxretry, findtime }: JailOptions): string {
  if (maxretry === 1) return "1 failure";
  return findtime === FOREVER
    ? `${maxretry} failures`
    : `${maxretry} failures in ${formatDuration(findtime)}`;
}

/** One object each, since a flood asks for them a million times a second. */
const IGNORED = {
  "already banned": { kind: "ignored", reason: "already banned" },
  "allow-listed": { kind: "ignored", reason: "allow-listed" },
  "own address": { kind: "ignored", reason: "own address" },
  stale: { kind: "ignored", reason: "stale" },
} as const;
