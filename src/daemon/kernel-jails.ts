import { setTimeout as sleep } from "node:timers/promises";
import type { StatusReply } from "../api/wire.ts";
import type { Book } from "../book/book.ts";
import { type Changes, FeedReader } from "../book/feed-reader.ts";
import type { Config } from "../config/config.ts";
import { kernelJailsOf } from "../config/kernel-jails.ts";
import { factOf } from "../core/errors.ts";
import { copyPrefix, type Prefix } from "../core/prefix.ts";
import { rangesOf } from "../core/ranges.ts";
import { FOREVER, type Instant, SECOND } from "../core/time.ts";
import type { KernelPlan } from "../offload/kernel/kernel-plan.ts";
import { type KernelCounts, KernelTable, type Waiting } from "../offload/kernel/kernel-table.ts";
import type { Evidence } from "../jail/evidence.ts";
import type { OwnAddresses } from "../jail/ignore.ts";
import { bannedSince } from "./banned-since.ts";
import type { RunningJail } from "./pipeline.ts";
import { counter, declareMetrics, gauge } from "../core/metrics.ts";
import { KERNEL_REASON } from "../core/ban.ts";

export interface KernelJailsDeps {
  readonly book: Book;
  readonly evidence: Evidence;
  readonly own: OwnAddresses;
  readonly now: () => Instant;
  /** Resolves when the targets hold what the book holds; false when they cannot. */
  readonly settled: () => Promise<boolean>;
  readonly warn: (sentence: string) => void;
  readonly info: (sentence: string) => void;
}

/**
 * The jails that the kernel counts for. What the kernel has banned waits in its own sets, where the ban holds already; once a second
 * it is moved to the book, and so to the jail's target:
 *
 *      kernel's set ─► jail.takeUp ─► book.ban ─► (target holds) ─► out of the kernel's set
 *
 * Who is freed by anybody is forgotten by the kernel too: the book's feed tells.
 */
export class KernelJails {
  readonly #deps: KernelJailsDeps;
  readonly #table = new KernelTable();
  readonly #closed = new AbortController();
  #config: Config | null = null;
  #jails: ReadonlyMap<string, RunningJail> = new Map();
  #plan: KernelPlan | null = null;
  #counts: ReadonlyMap<string, KernelCounts> = new Map();
  #waiting = new Map<string, number>();
  readonly #reader: FeedReader;
  #moving: Promise<void> | null = null;

  constructor(deps: KernelJailsDeps) {
    this.#deps = deps;
    this.#reader = new FeedReader(deps.book.feed, {
      changes: (changes) => this.#forgetFreed(changes),
      // Nothing is forgotten: buckets leak by themselves.
      resync: () => undefined,
    });
  }

  /** Takes a configuration's jails to work. Rejects with a sentence when the kernel does not let us. */
  async follow(config: Config, jails: readonly RunningJail[]): Promise<void> {
    this.#jails = new Map(jails.map((running) => [running.jail.options.name, running]));
    this.#config = config;
    await this.#open();
  }

  /** Moves what the kernel has banned to the book; what comes too fast for that waits for the next time. */
  async takeUp(): Promise<void> {
    // One that is under way may have passed what the caller means.
    await this.#moving;
    this.#moving ??= this.#move()
      .catch((thrown: unknown) => this.#deps.warn(factOf(thrown)))
      .finally(() => {
        this.#moving = null;
      });
    return this.#moving;
  }

  /** This machine's own addresses have changed, perhaps. */
  refreshOwn(): void {
    if (this.#plan === null) return;
    this.#open().catch((thrown: unknown) => this.#deps.warn(factOf(thrown)));
  }

  status(jail: string): StatusReply["jails"][number]["kernel"] {
    const counts = this.#counts.get(jail);
    if (counts === undefined) return null;
    const { stopped, full, uncounted } = counts;
    const connlimit = this.#jails.get(jail)?.config.offload?.connlimit ?? null;
    return { connlimit, stopped, waiting: this.#waiting.get(jail) ?? 0, full, uncounted };
  }

  /** Bans that the cap has prevented. */
  capped(jail: string): number {
    return this.#counts.get(jail)?.capped ?? 0;
  }

  /** Without `flush` the kernel goes on. */
  async close(options: { readonly flush: boolean }): Promise<void> {
    this.#closed.abort();
    await this.#moving;
    await this.#table.close(options);
  }

  async #open(): Promise<void> {
    const config = this.#config;
    if (config === null) return;
    const own = [...this.#deps.own.values()];
    const jails = kernelJailsOf(config, own);
    this.#plan = { jails, ignored: rangesOf(config.ignoreip), cap: config.limits.packetBans };
    await this.#table.open(this.#plan, (fact) => void this.#lost(fact));
  }

  async #move(): Promise<void> {
    if (this.#plan === null || this.#closed.signal.aborted) return;
    await this.#reader.read();
    this.#waiting = new Map();
    for (let step = 0; step < STEPS; step++) {
      const waiting = await this.#table.waiting(this.#deps.now(), AT_ONCE);
      if (step === 0) for (const { jail, elements } of waiting) this.#note(jail, elements.length);
      const isMore = waiting.some(({ elements }) => elements.length >= AT_ONCE);
      if (waiting.length === 0 || !(await this.#enter(waiting)) || !isMore) break;
    }
    this.#counts = await this.#table.counts();
  }

  #note(jail: string, elements: number): void {
    this.#waiting.set(jail, (this.#waiting.get(jail) ?? 0) + elements);
  }

  /** Answers whether room was made in the kernel's sets. */
  async #enter(waiting: readonly Waiting[]): Promise<boolean> {
    const now = this.#deps.now();
    const done = waiting.map(({ jail, set, elements }) => ({
      set,
      prefixes: elements.flatMap(({ prefix, until }) =>
        this.#take(jail, prefix, until, now) ? [prefix] : [],
      ),
    }));
    // What does not hold at its target stays where it holds.
    if (!(await this.#deps.settled())) return false;
    let released = 0;
    for (const { set, prefixes } of done) {
      released += prefixes.length;
      if (prefixes.length > 0) await this.#table.release(set, prefixes, now);
    }
    return released > 0;
  }

  /** Whether the kernel's set need not hold it any more. */
  #take(name: string, prefix: Prefix, until: Instant, now: Instant): boolean {
    const running = this.#jails.get(name);
    if (running === undefined) return false;
    const { jail } = running;
    const { book, evidence } = this.#deps;
    const banned = bannedSince(book, prefix.address, [jail.target], now) >= 0;
    const since = until === FOREVER ? now : Math.min(now, until - jail.bantime);
    const decision = jail.takeUp({ prefix, since, until, reason: KERNEL_REASON }, banned, now);
    if (decision.kind !== "ban") return true;
    evidence.remember(prefix.address, this.#wordsOf(running));
    evidence.keep(prefix, 1);
    // A ban for which the book has no room stays in the kernel's own set until its end.
    return book.ban(decision.ban).kind !== "full";
  }

  #wordsOf({ config }: RunningJail): string {
    const most = config.offload?.connlimit ?? null;
    if (most !== null) return `counted by the kernel: more than ${most} connections at the same time`;
    return `counted by the kernel: ${config.maxretry} packets within ${config.findtime / SECOND} s`;
  }

  /** An address that was unbanned starts from nothing. */
  async #forgetFreed(changes: Changes): Promise<void> {
    const freed: { readonly jail: string; readonly prefix: Prefix }[] = [];
    changes.walk((change) => {
      if (change.kind !== "lift" || !FREED.has(change.by)) return;
      freed.push({ jail: change.ban.jail, prefix: copyPrefix(change.ban.prefix) });
    });
    if (freed.length > 0) await this.#table.forget(freed, this.#deps.now());
  }

  /** Makes all of it again, as often as it takes. */
  async #lost(fact: string): Promise<void> {
    this.#deps.warn(`The kernel does not count for jails: ${fact}; its rules are made anew`);
    while (!this.#closed.signal.aborted) {
      try {
        await this.#open();
        this.#deps.info("The kernel counts for jails again");
        return;
      } catch (thrown) {
        this.#deps.warn(factOf(thrown));
        await sleep(RETRY, undefined, { ref: false });
      }
    }
  }
}

/** Elements of a set that are moved in one step, and steps in one second. */
const AT_ONCE = 1000;
const STEPS = 100;
const RETRY = 5 * SECOND;

/** Those who were let go, not those whose time was up. */
const FREED: ReadonlySet<string> = new Set(["operator", "good", "origin"]);

declareMetrics(
  { at: "jails.*.kernel", label: "jail" },
  {
    stopped: counter(
      "stoplog_kernel_stopped_packets_total",
      "Packets of banned senders that the kernel stopped before the daemon took over their bans.",
    ),
    waiting: gauge(
      "stoplog_kernel_waiting_bans",
      "Bans of the kernel that wait for the daemon to take them over.",
    ),
    full: counter("stoplog_kernel_bans_refused_total", "Bans that the kernel had no room for."),
    uncounted: counter(
      "stoplog_kernel_uncounted_packets_total",
      "Packets that the kernel had no room to count.",
    ),
  },
);
