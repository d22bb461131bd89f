import { bannedSince } from "../book/banned-since.ts";
import type { Book } from "../book/book.ts";
import { type Changes, FeedReader } from "../book/feed-reader.ts";
import { type Pauses, tryUntilDone } from "../core/back-off.ts";
import { factOf } from "../core/errors.ts";
import { copyPrefix, type Prefix } from "../core/prefix.ts";
import { FOREVER, type Instant, SECOND } from "../core/time.ts";
import { KERNEL_REASON } from "../core/ban.ts";
import { counter, declareMetrics, gauge } from "../core/metrics.ts";
import type { Evidence } from "../jail/evidence.ts";
import type { Jail } from "../jail/jail.ts";
import type { KernelPlan } from "./kernel/kernel-plan.ts";
import { type KernelCounts, KernelTable, type Waiting } from "./kernel/kernel-table.ts";

/** A jail that the kernel counts for. */
export interface OffloadedJail {
  readonly jail: Jail;
  /** More connections than this lead to a ban; null where `maxretry` packets within `findtime` do. */
  readonly connlimit: number | null;
}

/** What the kernel has counted for a jail. */
export interface OffloadStatus {
  readonly connlimit: number | null;
  /** Packets of banned senders that were dropped before the daemon took over their bans. */
  readonly stopped: number;
  /** Bans that wait for the daemon. */
  readonly waiting: number;
  /** Bans, and packets, for which the kernel had no room. */
  readonly full: number;
  readonly uncounted: number;
}

export interface OffloadedJailsDeps {
  readonly book: Book;
  readonly evidence: Evidence;
  readonly now: () => Instant;
  /** Resolves when the bans in the book have reached their targets and the disk; false when an enforcer is in trouble. */
  readonly enforced: () => Promise<boolean>;
  readonly warn: (sentence: string) => void;
  readonly info: (sentence: string) => void;
}

/**
 * The jails that the kernel counts for. A ban of the kernel holds at once and waits in a set of its own; once a second the waiting bans
 * move to the book, and so to the jail's target:
 *
 *      kernel's set ─► jail.takeUp ─► book.ban ─► (target holds) ─► out of the kernel's set
 *
 * When an address is unbanned, the book's feed says so and the kernel forgets its counts.
 */
export class OffloadedJails {
  readonly #deps: OffloadedJailsDeps;
  readonly #table = new KernelTable();
  readonly #closed = new AbortController();
  #jails: ReadonlyMap<string, OffloadedJail> = new Map();
  #plan: KernelPlan | null = null;
  #counts: ReadonlyMap<string, KernelCounts> = new Map();
  #waiting = new Map<string, number>();
  readonly #reader: FeedReader;
  #moving: Promise<void> | null = null;

  constructor(deps: OffloadedJailsDeps) {
    this.#deps = deps;
    this.#reader = new FeedReader(deps.book.feed, {
      changes: (changes) => this.#forgetUnbanned(changes),
      // Nothing to do: the kernel's counters run out by themselves.
      resync: () => undefined,
    });
  }

  /** Counts for these jails, named in the plan, from now on. Rejects with a StoplogError when the kernel refuses. */
  async follow(plan: KernelPlan, jails: Iterable<OffloadedJail>): Promise<void> {
    this.#jails = new Map([...jails].map((offloaded) => [offloaded.jail.options.name, offloaded]));
    this.#plan = plan;
    await this.#open();
  }

  /** Moves the kernel's bans to the book. Bans that arrive faster than that wait for the next call. */
  async collect(): Promise<void> {
    // A move that is under way may already have read past the bans that the caller means.
    await this.#moving;
    this.#moving ??= this.#move()
      .catch((thrown: unknown) => this.#deps.warn(factOf(thrown)))
      .finally(() => {
        this.#moving = null;
      });
    return this.#moving;
  }

  /** Takes another plan for the same jails: the addresses to ignore have changed. Never rejects. */
  replan(plan: KernelPlan): void {
    this.#plan = plan;
    this.#open().catch((thrown: unknown) => this.#deps.warn(factOf(thrown)));
  }

  /** Null for a jail that the daemon counts for. */
  status(jail: string): OffloadStatus | null {
    const counts = this.#counts.get(jail);
    if (counts === undefined) return null;
    const { stopped, full, uncounted } = counts;
    const connlimit = this.#jails.get(jail)?.connlimit ?? null;
    return { connlimit, stopped, waiting: this.#waiting.get(jail) ?? 0, full, uncounted };
  }

  /** Bans that the cap has put off. */
  capped(jail: string): number {
    return this.#counts.get(jail)?.capped ?? 0;
  }

  /** Without `flush` the kernel goes on counting and banning. */
  async close(options: { readonly flush: boolean }): Promise<void> {
    this.#closed.abort();
    await this.#moving;
    await this.#table.close(options);
  }

  async #open(): Promise<void> {
    if (this.#plan !== null) await this.#table.open(this.#plan, (fact) => void this.#lost(fact));
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

  /** Enters waiting bans into the book; resolves to whether this made room in the kernel's sets. */
  async #enter(waiting: readonly Waiting[]): Promise<boolean> {
    const now = this.#deps.now();
    const done = waiting.map(({ jail, set, elements }) => ({
      set,
      prefixes: elements.flatMap(({ prefix, until }) =>
        this.#take(jail, prefix, until, now) ? [prefix] : [],
      ),
    }));
    // A ban that its target does not hold yet stays in the kernel's set.
    if (!(await this.#deps.enforced())) return false;
    let released = 0;
    for (const { set, prefixes } of done) {
      released += prefixes.length;
      if (prefixes.length > 0) await this.#table.release(set, prefixes, now);
    }
    return released > 0;
  }

  /** Enters one ban into the book; returns whether the kernel's set may release it. */
  #take(name: string, prefix: Prefix, until: Instant, now: Instant): boolean {
    const offloaded = this.#jails.get(name);
    if (offloaded === undefined) return false;
    const { jail } = offloaded;
    const { book, evidence } = this.#deps;
    const banned = bannedSince(book, prefix.address, [jail.target], now) >= 0;
    const since = until === FOREVER ? now : Math.min(now, until - jail.bantime);
    const decision = jail.takeUp({ prefix, since, until, reason: KERNEL_REASON }, banned, now);
    if (decision.kind !== "ban") return true;
    evidence.remember(prefix.address, evidenceOf(offloaded));
    evidence.keep(prefix, 1);
    // A ban for which the book has no room stays in the kernel's own set until its end.
    return book.ban(decision.ban).kind !== "full";
  }

  /** An unbanned address starts at zero. */
  async #forgetUnbanned(changes: Changes): Promise<void> {
    const unbanned: { readonly jail: string; readonly prefix: Prefix }[] = [];
    changes.walk((change) => {
      if (change.kind !== "lift" || !UNBANNED.has(change.by)) return;
      unbanned.push({ jail: change.ban.jail, prefix: copyPrefix(change.ban.prefix) });
    });
    if (unbanned.length > 0) await this.#table.forget(unbanned, this.#deps.now());
  }

  /** Restores the table, as often as it takes. */
  async #lost(fact: string): Promise<void> {
    this.#deps.warn(`The kernel does not count for jails: ${fact}; restoring its rules`);
    const done = await tryUntilDone(() => this.#open(), {
      pauses: RETRY,
      signal: this.#closed.signal,
      failed: (thrown) => this.#deps.warn(factOf(thrown)),
    });
    if (done) this.#deps.info("The kernel counts for jails again");
  }
}

function evidenceOf({ jail: { options }, connlimit }: OffloadedJail): string {
  if (connlimit !== null) return `counted by the kernel: more than ${connlimit} connections at the same time`;
  return `counted by the kernel: ${options.maxretry} packets within ${options.findtime / SECOND} s`;
}

/** Elements of a set that are moved in one step, and steps in one second. */
const AT_ONCE = 1000;
const STEPS = 100;
const RETRY: Pauses = { first: 5 * SECOND, longest: 5 * SECOND };

/** Bans that ended on purpose. A ban that expired leaves the counters alone. */
const UNBANNED: ReadonlySet<string> = new Set(["operator", "good", "origin", "exempt"]);

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
