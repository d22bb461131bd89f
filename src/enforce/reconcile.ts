import { setImmediate as nextTurn } from "node:timers/promises";
import { address } from "../core/address.ts";
import type { Ban, BanChange } from "../core/ban.ts";
import { factOf } from "../core/errors.ts";
import type { Prefix } from "../core/prefix.ts";
import type { Instant } from "../core/time.ts";
import type { Book } from "../book/book.ts";
import type { Cursor } from "../book/feed.ts";
import type { Enforcement, Enforcer, Refusal, TargetSpec } from "./enforcer.ts";
import { serially } from "./serially.ts";

export interface ReconcilerStats {
  /** What it is doing, as a phrase. */
  state: string;
  /** Changes that hold. */
  applied: number;
  refused: number;
  /** How often the whole book was written anew: after falling behind, after a flush from outside, after trouble. */
  resyncs: number;
  lastTrouble: string | null;
}

export interface ReconcilerDeps {
  readonly now: () => Instant;
  /** Waits, or less when the signal aborts. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly warn: (sentence: string) => void;
  /** Is told of each new ban when it holds, or was refused. */
  readonly held?: (prefix: Prefix, target: string) => void;
}

/**
 * Keeps one enforcer in step with the book: reads the feed with a cursor of its own, hands over what belongs to its targets in
 * batches, and writes the whole book anew when it fell behind, when somebody took the rules away, or after trouble.
 */
export class Reconciler {
  readonly enforcer: Enforcer;
  readonly stats: ReconcilerStats = {
    state: "not started",
    applied: 0,
    refused: 0,
    resyncs: 0,
    lastTrouble: null,
  };
  readonly #book: Book;
  readonly #deps: ReconcilerDeps;
  readonly #stopListening: () => void;
  /** An enforcer does one thing at a time. */
  readonly #serially = serially();
  #targets: ReadonlySet<string> = new Set();
  #specs: readonly TargetSpec[] = [];
  #cursor: Cursor = 0;
  /** When the kernel was last written to; null before the first time, when all bans are an earlier run's. */
  #writtenAt: Instant | null = null;
  #stale = true;
  #reopen = false;
  #running = false;
  #stopped = false;
  /** Attempts in a row that failed. */
  #failures = 0;
  readonly #waiting: (() => void)[] = [];
  /** Ends the pause before the next attempt. */
  #hurry: () => void = () => undefined;

  constructor(enforcer: Enforcer, book: Book, deps: ReconcilerDeps) {
    this.enforcer = enforcer;
    this.#book = book;
    this.#deps = deps;
    this.#stopListening = book.feed.onChange(() => this.#wake());
  }

  /**
   * Opens the enforcer for these targets. Rejects when it cannot work here; what it had before is kept to then. Changes flow after the
   * first `resync`.
   */
  open(targets: readonly TargetSpec[]): Promise<void> {
    return this.#serially(async () => {
      await this.enforcer.open(targets, (fact) => this.#lost(fact));
      this.#specs = targets;
      this.#targets = new Set(targets.map((target) => target.name));
      if (this.#failures === 0) this.stats.state = "ready";
    });
  }

  /** Writes the whole book anew, at once also in trouble, and answers as `settled` does. */
  async resync(): Promise<void> {
    this.#stale = true;
    this.#failures = Math.min(this.#failures, 1);
    this.#hurry();
    this.#wake();
    await this.#rest();
  }

  /** Answers when everything that is in the book now has been handed over, or when trouble lasts: nobody shall wait for its end. */
  async settled(): Promise<void> {
    this.#wake();
    await this.#rest();
  }

  async close(options: { readonly flush: boolean }): Promise<void> {
    this.#stopped = true;
    this.#stopListening();
    this.#hurry();
    await this.#rest();
    await this.#serially(() => this.enforcer.close(options));
  }

  #rest(): Promise<void> {
    if (!this.#running || this.#failures > 1) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #lost(fact: string): void {
    this.#trouble(`${fact}: put back`);
    this.#reopen = true;
    this.#stale = true;
    this.#wake();
  }

  /** All changes of one turn of the event loop go together: that is one transaction for a chunk of the log. */
  #wake(): void {
    if (this.#running || this.#stopped) return;
    this.#running = true;
    setImmediate(() => {
      void this.#work().finally(() => {
        this.#running = false;
        this.#release();
        if (this.#behind()) this.#wake();
      });
    });
  }

  #behind(): boolean {
    return !this.#stopped && (this.#stale || this.#cursor !== this.#book.feed.last);
  }

  get #stretch(): number {
    return this.#book.feed.last - this.#cursor > FAR_BEHIND ? LONG_STRETCH : STRETCH;
  }

  async #work(): Promise<void> {
    let pause = FIRST_PAUSE;
    let turn = performance.now();
    while (this.#behind()) {
      try {
        await this.#serially(() => this.#attempt());
        this.#failures = 0;
        // An enforcer may have done its work at once: in a flood there is batch after batch, and others wait.
        if (this.#behind() && performance.now() - turn >= this.#stretch) {
          await nextTurn();
          turn = performance.now();
        }
        pause = FIRST_PAUSE;
      } catch (error) {
        this.#stale = true;
        this.#reopen = true;
        this.stats.state = "in trouble";
        this.#trouble(factOf(error));
        if (++this.#failures > 1) this.#release();
        await Promise.race([
          this.#deps.sleep(pause),
          new Promise<void>((resolve) => (this.#hurry = resolve)),
        ]);
        pause = Math.min(pause * 2, LONGEST_PAUSE);
      }
    }
  }

  /** Somebody else may have had his turn with the enforcer before. */
  async #attempt(): Promise<void> {
    if (!this.#behind()) return;
    if (this.#stale) await this.#replaceAll();
    else await this.#applyNext();
  }

  async #applyNext(): Promise<void> {
    const changes: Enforcement[] = [];
    const held: Enforcement[] = [];
    const walked = this.#book.feed.walk(this.#cursor, BATCH, (change) => {
      if (!this.#targets.has(change.ban.target)) return;
      const enforcement = this.#enforcementOf(change);
      if (enforcement === null) return;
      changes.push(enforcement);
      if (change.kind === "ban") held.push(enforcement);
    });
    if (walked.kind === "resync") {
      this.#stale = true;
      return;
    }
    this.#writtenAt = this.#deps.now();
    if (changes.length > 0) this.#count(changes.length, await this.enforcer.apply(changes, this.#writtenAt));
    this.#cursor = walked.next;
    for (const { prefix, target } of held) this.#deps.held?.(prefix, target);
  }

  async #replaceAll(): Promise<void> {
    if (this.#reopen) await this.enforcer.open(this.#specs, (fact) => this.#lost(fact));
    this.#reopen = false;
    this.#stale = false;
    this.#cursor = this.#book.feed.last;
    this.stats.resyncs++;
    const before = this.#writtenAt;
    this.#writtenAt = this.#deps.now();
    let told = 0;
    const count = (): number => told++;
    const refusals = await this.enforcer.replace(this.#standing(count), this.#writtenAt);
    this.#count(told, refusals);
    this.stats.state = "ready";
    if (this.#deps.held === undefined || before === null) return;
    let seen = 0;
    for (const ban of this.#book.bans()) {
      if (ban.since >= before) this.#tell(ban);
      if (++seen % SEEN_AT_ONCE === 0) await nextTurn();
    }
  }

  #tell({ prefix, target }: Ban): void {
    if (this.#targets.has(target)) this.#deps.held?.(prefix, target);
  }

  /** The book's bans at our targets, each made when it is asked for. What changes meanwhile comes again by the feed. */
  *#standing(count: () => void): Generator<Enforcement> {
    for (const ban of this.#book.bans()) {
      if (!this.#targets.has(ban.target)) continue;
      count();
      yield banned(ban);
    }
  }

  /** Null for what the kernel does by itself: its elements carry their own time-out. */
  #enforcementOf(change: BanChange): Enforcement | null {
    const { prefix, target, until } = change.ban;
    if (change.kind !== "lift") return { kind: "ban", prefix: copyOf(prefix), target, until };
    if (change.by === "expiry" && this.enforcer.expires === "kernel") return null;
    return { kind: "unban", prefix: copyOf(prefix), target };
  }

  #count(all: number, refusals: readonly Refusal[]): void {
    this.stats.applied += all - refusals.length;
    this.stats.refused += refusals.length;
    const first = refusals[0];
    if (first === undefined) return;
    const more = refusals.length > 1 ? ` (and ${refusals.length - 1} more)` : "";
    this.#trouble(`${first.fact}${more}`);
  }

  #trouble(sentence: string): void {
    this.stats.lastTrouble = sentence;
    this.#deps.warn(sentence);
  }
}

/** Changes handed over at once: about a millisecond of the kernel's time. */
const BATCH = 1000;
/**
 * In ms: batches go on for so long before others have their turn; longer when so many changes wait that the feed might forget some, and
 * with that the whole book would have to be written. Who reads packets does so for 5 ms at a time.
 */
const STRETCH = 5;
const LONG_STRETCH = 20;
const FAR_BEHIND = 10_000;
/** Bans looked at in one turn of the event loop: about a millisecond. */
const SEEN_AT_ONCE = 5000;
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 30_000;

function banned({ prefix, target, until }: Ban): Enforcement {
  return { kind: "ban", prefix, target, until };
}

/** Of a prefix that is filled anew for the next change. */
function copyOf({ address: { w0, w1, w2, w3 }, length }: Prefix): Prefix {
  return { address: address(w0, w1, w2, w3), length };
}
