import { mkdir } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Book } from "../book/book.ts";
import { cannot } from "../core/errors.ts";
import type { Duration, Instant } from "../core/time.ts";
import { SECOND } from "../core/time.ts";
import { BanJournal } from "../store/ban-journal.ts";
import { type Progress, saveProgress, type SavedProgress } from "../store/progress.ts";
import type { Offences } from "../jail/offences.ts";
import type { JailSurroundings } from "./jails.ts";
import type { RunningJail } from "./pipeline.ts";

/** Makes the state directory, where there is none. */
export async function makeStateDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw cannot(`keep state in ${directory}`, error);
  }
}

/** Puts back what jails had counted, the stalest address first, as it happened, and whom they know from before. */
export async function restoreCounters(
  jails: readonly RunningJail[],
  { trusted, offences }: Pick<JailSurroundings, "trusted" | "offences">,
  progress: SavedProgress,
): Promise<void> {
  for (const [name, { jail }] of countsOf(jails)) {
    for await (const counters of progress.counters[name]?.stalestFirst() ?? []) {
      for (const { address, ages } of counters)
        for (const age of ages.toReversed()) jail.counting.add(address, progress.at - age, 1);
    }
  }
  for (const [name, known] of offencesOf(jails, offences)) {
    let restored = 0;
    for (const offence of (progress.offences[name] ?? []).toReversed()) {
      known.remember(offence.address, offence);
      if (++restored % AT_ONCE === 0) await nextTurn();
    }
  }
  for (const { prefix, until } of [...progress.trusted].reverse()) trusted.trust(prefix, until);
}

/** Put back in one turn of the event loop. */
const AT_ONCE = 2000;

/**
 * Keeps state on disk: bans a tenth of a second after they change, progress every few seconds. Saving never takes more than a twentieth of the time,
 * however much there is to save.
 */
export class Saving {
  readonly #directory: string;
  readonly #journal: BanJournal;
  readonly #warn: (sentence: string) => void;
  #nextProgress: Instant = 0;
  #saving: Promise<void> = Promise.resolve();
  #busy = false;
  #failed = 0;

  constructor(directory: string, book: Book, warn: (sentence: string) => void) {
    this.#directory = directory;
    this.#journal = new BanJournal(directory, book, warn);
    this.#warn = warn;
  }

  /** Saves that failed. */
  get failed(): number {
    return this.#failed + this.#journal.failed;
  }

  async open(): Promise<void> {
    await this.#journal.open();
  }

  /** Appends what has changed; called by itself, and at each tick should it have failed. */
  async bans(): Promise<void> {
    await this.#journal.flush();
  }

  /** Saves progress when its time has come; `measure` takes the time the saving itself takes. */
  tick(now: Instant, take: () => Progress, measure: () => Duration): void {
    if (this.#busy || now < this.#nextProgress) return;
    this.#busy = true;
    const start = measure();
    this.#saving = this.#save(take()).finally(() => {
      this.#busy = false;
      this.#nextProgress = now + Math.max(EVERY, 20 * (measure() - start));
    });
  }

  /** Without progress what is on disk stays. */
  async close(progress: Progress | null): Promise<void> {
    await this.#saving;
    if (progress !== null) await this.#save(progress);
    await this.#journal.close();
  }

  async #save(progress: Progress): Promise<void> {
    try {
      await saveProgress(this.#directory, progress);
      await this.#journal.sync();
    } catch (error) {
      this.#failed++;
      this.#warn(cannot(`save progress in ${this.#directory}`, error).message);
    }
  }
}

const EVERY = 5 * SECOND;

/** Everything that jails know of addresses, to be taken as it is written. */
export function knowledgeOf(
  jails: readonly RunningJail[],
  { trusted, offences }: Pick<JailSurroundings, "trusted" | "offences">,
  now: Instant,
): Pick<Progress, "counters" | "offences" | "trusted"> {
  return {
    counters: Object.fromEntries(
      [...countsOf(jails)].map(([name, { jail }]) => [name, jail.counting.entries(now)]),
    ),
    offences: Object.fromEntries(
      [...offencesOf(jails, offences)].map(([name, known]) => [name, known.entries()]),
    ),
    trusted: trusted.entries(),
  };
}

/** One jail for each count: its own name, or `with NAME` for those that count together. */
function countsOf(jails: readonly RunningJail[]): ReadonlyMap<string, RunningJail> {
  return new Map(
    jails.map((running) => {
      const { name, countWith } = running.config;
      return [countWith === null ? name : `with ${countWith}`, running];
    }),
  );
}

function offencesOf(jails: readonly RunningJail[], shared: Offences): ReadonlyMap<string, Offences> {
  const own = jails.filter(({ jail }) => jail.offences !== shared);
  return new Map([
    ["in all jails", shared],
    ...own.map(({ jail }) => [jail.options.name, jail.offences] as const),
  ]);
}
