import type { Book } from "../book/book.ts";
import type { Clock } from "../core/clock.ts";
import type { Trouble } from "../core/trouble.ts";
import { counted } from "../core/wording.ts";
import type { Allowed, OrderNote } from "../core/order-note.ts";
import type { Allows } from "../jail/allows.ts";
import type { Log } from "../observe/log.ts";
import { BanJournal } from "../store/ban-journal.ts";
import type { BansSince } from "../store/bans-since.ts";
import type { Feature } from "./feature.ts";
import { restoreBans } from "./restore-bans.ts";
import type { Targets } from "./targets.ts";

export interface BanFileDeps {
  readonly book: Book;
  readonly targets: Targets;
  /** Made later than the file. */
  readonly allows: () => Allows;
  readonly clock: Clock;
  readonly log: Log;
  readonly warn: (sentence: string) => void;
}

/** The bans on disk: restored at the start, then appended as they change. */
export class BanFile implements Feature {
  readonly name = "the bans on disk";
  readonly isEssential = true;
  readonly #directory: string | null;
  readonly #deps: BanFileDeps;
  #journal: BanJournal | null = null;
  #restored = false;
  #since: BansSince = NONE;

  /** Without a directory bans are restored from the kernel and not saved. */
  constructor(directory: string | null, deps: BanFileDeps) {
    this.#directory = directory;
    this.#deps = deps;
  }

  /** Restores the bans and writes them to the kernel, once: a reload does not move the state directory. */
  async follow(): Promise<void> {
    if (this.#restored) return;
    const { book, targets, clock, log, warn } = this.#deps;
    const allows = this.#deps.allows();
    const since = await restoreBans(this.#directory, { book, targets, allows, log }, clock.now());
    await targets.resync();
    this.#restored = true;
    if (this.#directory === null) return;
    this.#since = since;
    const allowed = (): Iterable<Allowed> => allows.active(clock.now());
    this.#journal = new BanJournal(this.#directory, { book, clock, allowed, warn });
    await this.#journal.open(since);
  }

  /** Appends what an order did apart from the bans. */
  note(note: OrderNote): void {
    this.#journal?.note(note);
  }

  /** Tries again after a failure. */
  tick(): void {
    this.#journal?.check();
    void this.flush();
  }

  /** Appends the changes so far. They then survive a crash of the daemon. */
  async flush(): Promise<void> {
    await this.#journal?.flush();
  }

  troubles(): readonly Trouble[] {
    const trouble = this.#journal?.trouble ?? null;
    return trouble === null ? [] : [{ of: this.name, sentence: trouble }];
  }

  warnings(): readonly string[] {
    const failed = this.#journal?.failed ?? 0;
    return failed > 0 ? [`bans could not be saved ${counted(failed, "time")}`] : [];
  }

  /**
   * Makes the changes so far survive a crash of the machine. Resolves with null, or the sentence why they do not; also null when nothing is
   * configured to be saved.
   */
  async commit(): Promise<string | null> {
    return (await this.#journal?.commit()) ?? null;
  }

  /** What changed after the snapshot of the counters, and is not in them; once. */
  takeSince(): BansSince {
    const since = this.#since;
    this.#since = NONE;
    return since;
  }

  /** Call when the counters are captured. What it returns is called when they are saved: what changed before need not be known any more. */
  capture(): () => void {
    return this.#journal?.capture() ?? (() => undefined);
  }

  async close(): Promise<void> {
    await this.#journal?.close(this.#deps.clock.now());
  }
}

const NONE: BansSince = { ended: [], active: [], unallowed: [] };
