import { randomUUID } from "node:crypto";
import type { Book } from "../book/book.ts";
import { type Changes, FeedReader } from "../book/feed-reader.ts";
import type { BanChange } from "../core/ban.ts";
import { isDue } from "../core/due.ts";
import { LIMITS } from "../core/limits.ts";
import { sleep } from "../core/sleep.ts";
import { type Duration, type Instant, MINUTE, SECOND } from "../core/time.ts";
import { counted } from "../core/wording.ts";
import { backOff, GIVE_UP } from "./back-off.ts";
import { eventOf, isWanted, type Machine, type Message, NONE, sizeOf } from "./message.ts";
import type { Judge } from "./kind.ts";
import type { CommonOptions } from "./options.ts";
import type { Deliver, Outcome } from "./outcome.ts";
import { Waiting } from "./waiting.ts";
import { counter, type CountsOf, declareMetrics, gauge, type NumberMetric } from "../core/metrics.ts";

export interface HookDeps {
  readonly book: Book;
  readonly machine: Machine;
  readonly deliver: Deliver;
  /** Whether a selected change is sent; null to send every one. */
  readonly judge: Judge | null;
  readonly now: () => Instant;
  readonly warn: (sentence: string) => void;
  readonly info: (sentence: string) => void;
}

const messages = (outcome: string): NumberMetric =>
  counter("stoplog_notify_messages_total", "Notifications, by outcome.", { outcome });

export const NOTIFY_METRICS = declareMetrics(
  { at: "notify.*", label: "notify" },
  {
    sent: messages("sent"),
    failed: messages("failed"),
    tries: counter("stoplog_notify_tries_total", "Attempts to deliver a notification."),
    summed: counter("stoplog_notify_summed_total", "Changes that a notification only counts, not lists."),
    missed: counter("stoplog_notify_missed_total", "Of these, changes that came too fast to be read."),
    dropped: counter("stoplog_notify_dropped_total", "Changes that no notification mentions."),
  },
);

declareMetrics(
  { at: "notify.*", label: "notify" },
  {
    waiting: gauge(
      "stoplog_notify_waiting",
      "Changes that wait for a notification, or are in one in flight.",
    ),
  },
);

export type HookStats = CountsOf<typeof NOTIFY_METRICS> & {
  /** What went wrong last; null after a success. */
  lastTrouble: string | null;
};

/**
 * Sends changes of the ban list to one recipient: a reader of the book's feed.
 *
 *      feed ─► waiting: the first changes, and counts ─► one message in flight, retried until it arrives or is too old
 *
 * Both parts are bounded. Changes while a message is in flight, or sooner than `every` after one, make up the next message.
 */
export class Hook {
  readonly stats: HookStats;
  readonly #options: CommonOptions;
  readonly #deps: HookDeps;
  readonly #waiting: Waiting;
  readonly #reader: FeedReader;
  /** `#closing` ends pauses; `#deadline`, later, ends deliveries. */
  readonly #closing = new AbortController();
  readonly #deadline = new AbortController();
  readonly #work: Promise<void>;
  #wake: (() => void) | null = null;
  #underWay: Message | null = null;
  #nextWarning: Instant = 0;

  /** `stats` are those of an earlier hook with these options, to go on with. */
  constructor(
    options: CommonOptions,
    deps: HookDeps,
    stats: HookStats = { ...NOTIFY_METRICS.zero(), lastTrouble: null },
  ) {
    this.stats = stats;
    this.#options = options;
    this.#deps = deps;
    this.#waiting = new Waiting(deps.machine.host, options.each ? LIMITS.notifyWaiting.value : options.most);
    this.#reader = new FeedReader(deps.book.feed, {
      atOnce: LIMITS.notifyChanges.value,
      delay: () => SOON,
      oncePerDelay: true,
      changes: (changes) => this.#gather(changes),
      resync: (missed) => this.#miss(missed),
    });
    this.#reader.listen();
    this.#work = this.#run();
  }

  /** Changes that wait or are in flight. */
  get waiting(): number {
    return this.#waiting.size + (this.#underWay === null ? 0 : sizeOf(this.#underWay));
  }

  /** Sends a test message. Resolves with the reason why it did not arrive, or null. */
  async test(): Promise<string | null> {
    const message: Message = {
      id: randomUUID(),
      host: this.#deps.machine.host,
      events: [],
      more: NONE,
      missed: 0,
      since: this.#deps.now(),
      test: true,
    };
    const outcome = await this.#deps.deliver(message, this.#deadline.signal);
    return outcome.kind === "sent" ? null : outcome.fact;
  }

  /** Sends what waits, as far as `patience` allows. */
  async close(patience: Duration): Promise<void> {
    await this.#reader.read();
    await this.#reader.close();
    this.#closing.abort();
    this.#wake?.();
    const timer = setTimeout(() => this.#deadline.abort(), patience);
    await this.#work;
    clearTimeout(timer);
    const left = this.#waiting.size;
    if (left === 0) return;
    this.stats.dropped += left;
    this.#deps.warn(`${counted(left, "change")} could not be sent to ${this.#options.name}`);
  }

  #gather(changes: Changes): void {
    const now = this.#deps.now();
    for (const change of changes.copies()) this.#take(change, now);
    this.#gathered();
  }

  #miss(missed: number): void {
    this.stats.missed += missed;
    this.#waiting.miss(missed, this.#deps.now());
    this.#gathered();
  }

  #gathered(): void {
    // With `each` there are no summaries, so counts are of no use.
    if (this.#options.each) this.stats.dropped += this.#waiting.forgetCounts();
    if (this.#waiting.size > 0) this.#wake?.();
  }

  #take(change: BanChange, now: Instant): void {
    if (!isWanted(change, this.#options.wanted)) return;
    const judged = this.#deps.judge?.(change, now) ?? "told";
    if (judged === "dropped") this.stats.dropped++;
    if (judged !== "told") return;
    // In a flood most changes are only counted: no event object is made.
    if (!this.#waiting.isFull) return this.#waiting.add(eventOf(change, this.#deps.machine), now);
    this.#waiting.count(change.kind, now);
    if (!this.#options.each) this.stats.summed++;
  }

  async #run(): Promise<void> {
    while (!this.#deadline.signal.aborted) {
      const message = this.#options.each ? this.#waiting.takeOne() : this.#waiting.takeAll();
      if (message === null) {
        if (this.#closing.signal.aborted) return;
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      this.#underWay = message;
      await this.#send(message);
      this.#underWay = null;
      await sleep(this.#options.every, this.#closing.signal);
    }
  }

  /** Tries until it arrives, is refused, or is too old; while closing, at most once more. */
  async #send(message: Message): Promise<void> {
    const from = this.#options.each ? message.since : this.#deps.now();
    for (let tries = 1; ; tries++) {
      const isLast = this.#closing.signal.aborted;
      this.stats.tries++;
      const outcome = await this.#deps.deliver(message, this.#deadline.signal);
      if (outcome.kind === "sent") return this.#succeeded();
      const isOver =
        outcome.kind === "refused" ||
        isLast ||
        this.#deadline.signal.aborted ||
        this.#deps.now() - from >= GIVE_UP;
      this.#failed(outcome, isOver ? message : null);
      if (isOver) return;
      await sleep(backOff(tries, outcome.wait), this.#closing.signal);
    }
  }

  #succeeded(): void {
    this.stats.sent++;
    if (this.stats.lastTrouble !== null) this.#deps.info(`Notifications to ${this.#options.name} work again`);
    this.stats.lastTrouble = null;
    this.#nextWarning = 0;
  }

  /** `lost` is the message if it is given up. */
  #failed(outcome: Exclude<Outcome, { kind: "sent" }>, lost: Message | null): void {
    this.stats.lastTrouble = outcome.fact;
    if (lost !== null) {
      this.stats.failed++;
      this.stats.dropped += sizeOf(lost);
    }
    const now = this.#deps.now();
    if (!isDue(now, this.#nextWarning, WARN_EVERY)) return;
    this.#nextWarning = now + WARN_EVERY;
    const then = lost === null ? "retrying" : `${counted(sizeOf(lost), "change")} not sent`;
    this.#deps.warn(`Cannot notify ${this.#options.name}: ${outcome.fact}; ${then}`);
  }
}

/** How long a change waits for others of the same moment. */
const SOON: Duration = 0.2 * SECOND;
/** The interval of warnings while deliveries fail. */
const WARN_EVERY: Duration = 10 * MINUTE;
