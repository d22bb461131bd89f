import { setImmediate as nextTurn } from "node:timers/promises";
import { type Ban, type BanChange, KERNEL_REASON } from "../core/ban.ts";
import { BackOff } from "../core/back-off.ts";
import { factOf } from "../core/errors.ts";
import { copyPrefix, type Prefix } from "../core/prefix.ts";
import { isDue } from "../core/due.ts";
import { type Duration, type Instant, SECOND } from "../core/time.ts";
import type { Book } from "../book/book.ts";
import { type Changes, FeedReader } from "../book/feed-reader.ts";
import type { Enforced, Enforcement, Enforcer, Refusal, TargetSpec } from "./enforcer.ts";
import { Comparison } from "./comparison.ts";
import { Lookout } from "./lookout.ts";
import { openTargets } from "./open-what-works.ts";
import { Unenforced } from "./unenforced.ts";
import { serially } from "./serially.ts";
import { Histogram } from "../core/histogram.ts";
import { counter, type CountsOf, declareMetrics, derivedGauge, gauge, histogram } from "../core/metrics.ts";

/** One enforcer's counters. */
export const ENFORCER_METRICS = declareMetrics(
  { at: "enforcers.*", label: "enforcer", by: "kind" },
  {
    state: derivedGauge("stoplog_enforcer_ready", "1 when the enforcer holds what it should.", ({ state }) =>
      state === "ready" ? 1 : 0,
    ),
    applied: counter("stoplog_enforcer_changes_total", "Changes that the enforcer made."),
    refused: counter("stoplog_enforcer_refused_total", "Changes that the enforcer refused."),
    notEnforced: gauge(
      "stoplog_enforcer_bans_not_enforced",
      "Bans that the enforcer refused and will be given again.",
    ),
    evicted: counter(
      "stoplog_enforcer_evicted_total",
      "Bans that are no longer enforced: newer ones took their place in a full set.",
    ),
    resyncs: counter(
      "stoplog_enforcer_resyncs_total",
      "Times all bans were written again: after falling behind, a flush from outside, or trouble.",
    ),
    repaired: counter(
      "stoplog_enforcer_repaired_total",
      "Single bans that other programs removed or added, corrected after the enforcer's list was compared with the bans.",
    ),
    banDelay: histogram(
      "stoplog_ban_delay_seconds",
      "From the decision to ban (when its batch of lines was read) to the enforcer's acknowledgement.",
    ),
  },
);

export type ReconcilerStats = CountsOf<typeof ENFORCER_METRICS> & {
  /** What it is doing, as a phrase. */
  state: string;
  /** What is wrong now, as a sentence; null when every ban of the book is enforced. */
  trouble: string | null;
  /** The last trouble, as a sentence: it may be over. */
  lastTrouble: string | null;
  readonly banDelay: Histogram;
};

/** How a ban of the book stands with one enforcer. */
export interface Standing {
  /** Null when that is not known: it is being written, or the enforcer is in trouble. */
  readonly enforced: boolean | null;
  /** Why it is not enforced, or not known to be, as a phrase; null when it is. */
  readonly trouble: string | null;
}

export interface ReconcilerDeps {
  readonly now: () => Instant;
  /** Resolves after this time, or earlier when the daemon stops. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly warn: (sentence: string) => void;
  /** Puts bans into the book that a target holds which could be opened only now; null where the book knows every ban. */
  readonly adopt?: () => ((found: readonly Enforced[]) => void) | null;
  /** Called for each new ban when it took effect or was refused. */
  readonly onBanned?: (prefix: Prefix, target: string) => void;
}

/**
 * Keeps one enforcer in step with the book. Reads the feed and applies the changes of its targets in batches. Writes the whole book again
 * when it fell behind, when another program removed rules, and after trouble.
 */
export class Reconciler {
  readonly enforcer: Enforcer;
  readonly stats: ReconcilerStats = {
    state: "not started",
    ...ENFORCER_METRICS.zero(),
    trouble: null,
    lastTrouble: null,
    banDelay: new Histogram(DELAYS),
  };
  readonly #book: Book;
  readonly #deps: ReconcilerDeps;
  readonly #reader: FeedReader;
  /** When each ban of the current batch was decided. */
  readonly #decided = new Float64Array(BATCH);
  /** Every call of the enforcer goes through it, so that calls never overlap. */
  readonly #serially = serially();
  readonly #lookout = new Lookout(() => this.#look());
  readonly #comparison: Comparison;
  /** The targets that are open. */
  #targets: ReadonlySet<string> = new Set();
  #specs: readonly TargetSpec[] = [];
  /** What the configuration asks for. */
  #wanted: readonly TargetSpec[] = [];
  /** Targets that cannot be opened, and why. */
  #faults: ReadonlyMap<string, unknown> = new Map();
  readonly #retries = new BackOff({ first: SECOND, longest: LONGEST_PAUSE });
  #retryAt: Instant | null = null;
  #pause: Duration = 0;
  #isRetrying = false;
  /** Targets whose bans of an earlier run are in the book, or were replaced. */
  readonly #known = new Set<string>();
  /** Time of the last write; null before the first one, when all bans are an earlier run's. */
  #writtenAt: Instant | null = null;
  #reopen = false;
  readonly #backOff = new BackOff({ first: 250, longest: LONGEST_PAUSE });
  /** Whether two attempts in a row failed. */
  #isTroubled = false;
  /** Callers of `settled`; all are answered when trouble lasts. */
  readonly #waiting = new Set<() => void>();
  /** Ends the pause before the next attempt. */
  #hurry: () => void = () => undefined;
  readonly #unenforced: Unenforced;
  /** False until the whole book was written, and again after a loss: what holds is not known then. */
  #isWhole = false;
  /** Whether changes are being written. */
  #isWriting = false;
  /** Beginning of the newest ban that was written. Newer bans are not, while changes wait or are being written. */
  #writtenTo: Instant = 0;
  #isTrying = false;

  constructor(enforcer: Enforcer, book: Book, deps: ReconcilerDeps) {
    this.enforcer = enforcer;
    this.#book = book;
    this.#deps = deps;
    this.#unenforced = new Unenforced({
      enforcer,
      book,
      now: deps.now,
      say: (sentence) => this.#trouble(sentence),
      onBanned: (prefix, target) => deps.onBanned?.(prefix, target),
    });
    this.#comparison = new Comparison(enforcer, {
      book,
      targets: () => this.#targets,
      isRefused: (prefix, target) => this.hasRefused(prefix, target),
      refused: () => this.#unenforced.size,
    });
    this.#reader = new FeedReader(
      book.feed,
      {
        atOnce: BATCH,
        changes: (changes) => this.#apply(changes),
        resync: () => this.#replaceAll(),
        failed: (thrown) => this.#failed(thrown),
        within: (call) => this.#serially(call),
      },
      null,
    );
  }

  /**
   * Opens the enforcer for these targets. Those that `mayFail` and cannot be opened are tried again by `retry`. Rejects when another one, or none
   * at all, can be opened; then it keeps the targets that it had. Changes are applied after the first `resync`.
   */
  open(targets: readonly TargetSpec[], mayFail: (name: string) => boolean = () => false): Promise<void> {
    return this.#serially(async () => {
      await this.#open(targets, mayFail);
      if (this.#backOff.failures === 0) this.stats.state = "ready";
      if (this.enforcer.missing !== undefined || this.enforcer.compareEvery !== undefined)
        this.#lookout.start(this.enforcer.lookEvery ?? LOOK_EVERY);
    });
  }

  /** How a ban in the book is enforced here; null at a target of other enforcers. Makes no system call. */
  standing({ prefix, target, since }: Pick<Ban, "prefix" | "target" | "since">): Standing | null {
    if (!this.#targets.has(target)) return null;
    const why = this.#unenforced.why(prefix, target);
    if (why !== null) return { enforced: false, trouble: why };
    if (!this.#isWhole)
      return { enforced: null, trouble: this.stats.trouble ?? "all bans are being written again" };
    const isWaiting = (this.#isWriting || this.#reader.isBehind) && since >= this.#writtenTo;
    return isWaiting ? WAITING : ENFORCED;
  }

  /** Whether the enforcer refused this ban, at a target of its own. */
  hasRefused(prefix: Prefix, target: string): boolean {
    return this.#unenforced.why(prefix, target) !== null;
  }

  /** Tries some of the refused bans again: those for which there may be room. Once a second. */
  async tick(now: Instant): Promise<void> {
    if (!this.#isWhole || this.#isTrying) return;
    if (this.#unenforced.isStuck(now) && !this.#isWriting) this.#reader.invalidate();
    if (this.#unenforced.size === 0) return;
    this.#isTrying = true;
    try {
      this.stats.applied += await this.#serially(() => this.#unenforced.tryAgain(now, BATCH));
      this.#show();
    } catch (thrown) {
      this.#lost(factOf(thrown));
    } finally {
      this.#isTrying = false;
    }
  }

  /** Targets that cannot be opened, each with what its enforcer threw. */
  get faults(): ReadonlyMap<string, unknown> {
    return this.#faults;
  }

  /** Tries again, after pauses that grow, to open the targets that could not be opened, and writes their bans. */
  async retry(now: Instant): Promise<void> {
    if (this.#faults.size === 0 || this.#isRetrying) return;
    if (this.#retryAt === null) {
      this.#pause = this.#retries.next();
      this.#retryAt = now + this.#pause;
    }
    if (!isDue(now, this.#retryAt, this.#pause)) return;
    this.#isRetrying = true;
    await this.#serially(async () => {
      const before = this.#specs.length;
      // In trouble, the next attempt opens them.
      if (!this.#reopen)
        await this.#open(this.#wanted, () => true).catch((thrown) => this.#lost(factOf(thrown)));
      if (this.#specs.length > before) this.#reader.invalidate();
    }).finally(() => {
      this.#isRetrying = false;
      this.#retryAt = null;
    });
    if (this.#faults.size === 0) this.#retries.reset();
  }

  /** The bans that hold now, as far as they can be read back. */
  list(most?: number): Promise<readonly Enforced[]> {
    return this.#serially(async () => {
      const found = await this.enforcer.list(most);
      for (const name of this.#targets) this.#known.add(name);
      return found;
    });
  }

  /** What others do so that packets of banned addresses pass, as sentences. */
  get obstacles(): readonly string[] {
    return this.enforcer.obstacles?.() ?? [];
  }

  /** Writes the whole book again, at once even in trouble. Resolves as `caughtUp` does. */
  resync(): Promise<void> {
    this.#reader.invalidate();
    this.#isTroubled = false;
    this.#hurry();
    return this.caughtUp();
  }

  /** Resolves when the enforcer has everything that is in the book now, or when trouble lasts: that may take hours. */
  caughtUp(): Promise<void> {
    this.#reader.listen();
    const done = this.#reader.read();
    if (this.#isTroubled) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      void done.then(() => this.#waiting.delete(resolve) && resolve());
    });
  }

  async close(options: { readonly flush: boolean }): Promise<void> {
    this.#lookout.stop();
    const done = this.#reader.close();
    this.#hurry();
    await done;
    await this.#serially(() => this.enforcer.close(options));
  }

  async #open(wanted: readonly TargetSpec[], mayFail: (name: string) => boolean): Promise<void> {
    const open = (some: readonly TargetSpec[]): Promise<void> =>
      this.enforcer.open(some, (fact) => this.#lost(fact));
    const { specs, faults } = await openTargets(wanted, { before: this.#specs, mayFail, open });
    this.#wanted = wanted;
    this.#specs = specs;
    this.#faults = faults;
    this.#targets = new Set(specs.map(({ name }) => name));
  }

  /** The bans of an earlier run at targets that were not open when the book was restored. */
  async #adopt(): Promise<void> {
    const fresh = new Set([...this.#targets].filter((name) => !this.#known.has(name)));
    const adopt = this.#deps.adopt?.() ?? null;
    if (fresh.size > 0 && adopt !== null) {
      const found = await this.enforcer.list().catch((thrown: unknown) => {
        this.#deps.warn(`${factOf(thrown)}: bans that only the firewall holds will be removed`);
        return [];
      });
      adopt(found.filter(({ target }) => fresh.has(target)));
    }
    for (const name of fresh) this.#known.add(name);
  }

  /** Does nothing during trouble: the next attempt creates everything again. */
  #look(): Promise<void> {
    return this.#serially(async () => {
      if (this.#backOff.failures > 0 || this.#reopen) return;
      try {
        const fact = (await this.enforcer.missing?.(this.#deps.now())) ?? null;
        if (fact !== null) {
          this.#lost(fact);
          return;
        }
      } catch (thrown) {
        this.#lost(factOf(thrown));
        return;
      }
      await this.#comparison
        .compare(this.#deps.now(), (changes) => this.#correct(changes))
        .catch((thrown: unknown) => this.#deps.warn(factOf(thrown)));
    });
  }

  async #correct(changes: readonly Enforcement[]): Promise<void> {
    const refusals = await this.enforcer.apply(changes, this.#deps.now());
    const bans = changes.filter(({ kind }) => kind === "ban").length;
    this.stats.repaired += changes.length - refusals.length;
    await this.#unenforced.applied(changes, refusals);
    this.#show();
    this.#deps.warn(
      `Another program removed ${bans} bans and added ${changes.length - bans} to those of ${this.enforcer.kind}: corrected`,
    );
  }

  #lost(fact: string): void {
    this.#trouble(`${fact}; writing all bans again`);
    this.#isWhole = false;
    this.#reopen = true;
    this.#reader.invalidate();
  }

  /** Opens the enforcer again and writes the whole book, after a pause that grows. */
  async #failed(thrown: unknown): Promise<void> {
    this.#reopen = true;
    this.#isWhole = false;
    this.#isWriting = false;
    this.#reader.invalidate();
    this.stats.state = "in trouble";
    this.stats.trouble = factOf(thrown);
    this.#trouble(factOf(thrown));
    const pause = this.#backOff.next();
    this.#isTroubled = this.#backOff.failures > 1;
    if (this.#isTroubled) this.#release();
    const hurried = new Promise<void>((resolve) => (this.#hurry = resolve));
    await Promise.race([this.#deps.sleep(pause), hurried]);
  }

  #succeeded(): void {
    this.#backOff.reset();
    this.#isTroubled = false;
  }

  #release(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  async #apply(batch: Changes): Promise<void> {
    const changes: Enforcement[] = [];
    const fresh: Enforcement[] = [];
    let decided = 0;
    let newest = this.#writtenTo;
    this.#isWriting = true;
    batch.walk((change) => {
      if (!this.#targets.has(change.ban.target)) return;
      if (change.kind === "lift") this.#unenforced.ended(change.ban);
      else newest = Math.max(newest, change.ban.since);
      const enforcement = this.#enforcementOf(change);
      if (enforcement === null) return;
      changes.push(enforcement);
      if (change.kind !== "ban") return;
      fresh.push(enforcement);
      if (change.ban.reason !== KERNEL_REASON) this.#decided[decided++] = change.ban.since;
    });
    this.#writtenAt = this.#deps.now();
    if (changes.length > 0) {
      const refusals = await this.enforcer.apply(changes, this.#writtenAt);
      this.#count(changes.length, refusals);
      // A refusal does not name its change, so a batch with one is not measured.
      if (refusals.length === 0) this.#measure(decided);
      if (refusals.length > 0 || this.#unenforced.size > 0) await this.#unenforced.applied(changes, refusals);
    }
    this.#show();
    this.#isWriting = false;
    this.#writtenTo = newest;
    this.#succeeded();
    for (const { prefix, target } of fresh) this.#deps.onBanned?.(prefix, target);
  }

  /** Observes how long the first bans of `#decided` took until now. */
  #measure(bans: number): void {
    const now = this.#deps.now();
    for (let i = 0; i < bans; i++)
      this.stats.banDelay.observe(Math.max(0, now - (this.#decided[i] as number)) / SECOND);
  }

  async #replaceAll(): Promise<void> {
    if (this.#reopen) await this.#open(this.#wanted, () => true);
    this.#reopen = false;
    await this.#adopt();
    this.stats.resyncs++;
    const before = this.#writtenAt;
    this.#writtenAt = this.#deps.now();
    let written = 0;
    const count = (): number => written++;
    this.#isWriting = true;
    const refusals = await this.enforcer.replace(this.#bans(count), this.#writtenAt);
    this.#isWriting = false;
    this.#count(written, refusals);
    await this.#comparison.written(this.#writtenAt);
    this.stats.state = "ready";
    this.#writtenTo = this.#writtenAt;
    this.#isWhole = true;
    this.#unenforced.written(refusals);
    this.#show();
    this.#succeeded();
    if (this.#deps.onBanned === undefined || before === null) return;
    let seen = 0;
    for (const ban of this.#book.bans()) {
      if (ban.since >= before) this.#reportBanned(ban);
      if (++seen % SEEN_AT_ONCE === 0) await nextTurn();
    }
  }

  #reportBanned({ prefix, target }: Ban): void {
    if (this.#targets.has(target)) this.#deps.onBanned?.(prefix, target);
  }

  /** The book's bans at our targets, the newest first, created one by one. Changes meanwhile follow by the feed. */
  *#bans(count: () => void): Generator<Enforcement> {
    for (const ban of this.#book.newestFirst(this.#deps.now())) {
      if (!this.#targets.has(ban.target)) continue;
      count();
      yield banned(ban);
    }
  }

  /** Null for an expiry where the kernel's own time-out ends the ban. */
  #enforcementOf(change: BanChange): Enforcement | null {
    const { prefix, target, until } = change.ban;
    if (change.kind !== "lift") return { kind: "ban", prefix: copyPrefix(prefix), target, until };
    if (change.by === "expiry" && this.enforcer.expires === "kernel") return null;
    return { kind: "unban", prefix: copyPrefix(prefix), target };
  }

  #count(all: number, refusals: readonly Refusal[]): void {
    this.stats.applied += all - refusals.length;
    this.stats.refused += refusals.length;
  }

  /** Brings what the status shows in step. */
  #show(): void {
    const { size, evicted, trouble } = this.#unenforced;
    this.stats.notEnforced = size;
    this.stats.evicted = evicted;
    if (this.stats.state === "ready") this.stats.trouble = trouble;
  }

  #trouble(sentence: string): void {
    this.stats.lastTrouble = sentence;
    this.#deps.warn(sentence);
  }
}

/** Upper bounds in seconds. The promise is 50 ms for 99 of 100 bans. */
const DELAYS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
/** Changes in one call of the enforcer: the kernel needs about 1 ms for them. */
const BATCH = 1000;
/** Bans compared in one turn of the event loop: about 1 ms. */
const SEEN_AT_ONCE = 5000;
const LOOK_EVERY = SECOND;
/** As long as packets may pass once a set of the operator's, or a program, is there again. */
const LONGEST_PAUSE = 10 * SECOND;

const ENFORCED: Standing = { enforced: true, trouble: null };
const WAITING: Standing = { enforced: null, trouble: "it is not written yet" };

function banned({ prefix, target, until }: Ban): Enforcement {
  return { kind: "ban", prefix, target, until };
}
