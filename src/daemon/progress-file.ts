import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../core/clock.ts";
import { cannot, factOf } from "../core/errors.ts";
import { type Instant, SECOND } from "../core/time.ts";
import type { Offences } from "../jail/offences.ts";
import {
  type Progress,
  PROGRESS_FILE,
  readProgress,
  saveProgress,
  type SavedProgress,
} from "../store/progress.ts";
import { sayKept } from "../store/set-aside.ts";
import type { BanFile } from "./ban-file.ts";
import type { CloseOptions, Feature } from "./feature.ts";
import type { Jails } from "./jails.ts";
import { startOptimizing } from "./optimizer.ts";
import type { RunningJail } from "./pipeline.ts";
import type { Sources } from "./sources.ts";

export interface ProgressFileDeps {
  readonly jails: Jails;
  readonly sources: Pick<Sources, "positions" | "resumeAt">;
  readonly bans: Pick<BanFile, "commit">;
  readonly clock: Clock;
  readonly warn: (sentence: string) => void;
}

/**
 * Counters and read positions on disk, saved together every few seconds, and at the end once the sources have stopped. Saving takes at most
 * a twentieth of the time, however much there is to save.
 */
export class ProgressFile implements Feature {
  readonly name = "the progress on disk";
  readonly #directory: string;
  readonly #deps: ProgressFileDeps;
  #restored = false;
  #next: Instant = 0;
  #saving: Promise<void> = Promise.resolve();
  #busy = false;
  #failed = 0;

  constructor(directory: string, deps: ProgressFileDeps) {
    this.#directory = directory;
    this.#deps = deps;
  }

  /** Restores counters and positions, once. The jails are built, the sources not yet open. */
  async follow(): Promise<void> {
    if (this.#restored) return;
    const progress = await this.#read();
    this.#restored = true;
    if (progress === null) return;
    await restoreCounters(this.#deps.jails, progress);
    this.#deps.sources.resumeAt(progress.positions);
  }

  /** Null without a file, or with one that cannot be read: that one is set aside, and said. */
  async #read(): Promise<SavedProgress | null> {
    try {
      return await readProgress(this.#directory, startOptimizing);
    } catch (error) {
      const kept = sayKept(join(this.#directory, PROGRESS_FILE));
      this.#deps.warn(`${factOf(error)}; ${kept}; counters begin at 0, and files are read from their ends`);
      return null;
    }
  }

  tick(now: Instant): void {
    if (this.#busy || now < this.#next) return;
    this.#busy = true;
    const start = performance.now(); // how long saving takes, which `now` does not tell
    this.#saving = this.#save(now).finally(() => {
      this.#busy = false;
      this.#next = now + Math.max(EVERY, 20 * (performance.now() - start));
    });
  }

  warnings(): readonly string[] {
    return this.#failed > 0 ? [`progress could not be saved ${this.#failed} times`] : [];
  }

  async close({ started }: CloseOptions): Promise<void> {
    await this.#saving;
    if (started) await this.#save(this.#deps.clock.now());
  }

  async #save(now: Instant): Promise<void> {
    const { jails, sources, bans, warn } = this.#deps;
    try {
      const progress = { at: now, positions: sources.positions(), ...countersOf(jails, now) };
      // First: what was decided up to these positions is not decided again after a crash.
      await bans.commit();
      await saveProgress(this.#directory, progress);
    } catch (error) {
      this.#failed++;
      warn(cannot(`save progress in ${this.#directory}`, error).message);
    }
  }
}

const EVERY = 5 * SECOND;

/** Adds the failures in the order in which they happened, the stalest address first. */
async function restoreCounters({ all, offences, trusted }: Jails, progress: SavedProgress): Promise<void> {
  for (const [name, { jail }] of counting(all)) {
    for await (const counters of progress.counters[name]?.stalestFirst() ?? []) {
      for (const { address, ages } of counters)
        for (const age of ages.toReversed()) jail.counting.add(address, progress.at - age, 1);
    }
  }
  for (const [name, remembered] of offencesOf(all, offences)) {
    let restored = 0;
    for (const offence of (progress.offences[name] ?? []).toReversed()) {
      remembered.remember(offence.address, offence);
      if (++restored % AT_ONCE === 0) await nextTurn();
    }
  }
  for (const { prefix, until } of [...progress.trusted].reverse()) trusted.trust(prefix, until);
}

/** Offences restored in one turn of the event loop. */
const AT_ONCE = 2000;

/** Iterables, read while the file is written. */
function countersOf(
  { all, offences, trusted }: Jails,
  now: Instant,
): Pick<Progress, "counters" | "offences" | "trusted"> {
  return {
    counters: Object.fromEntries(
      [...counting(all)].map(([name, { jail }]) => [name, jail.counting.entries(now)]),
    ),
    offences: Object.fromEntries(
      [...offencesOf(all, offences)].map(([name, remembered]) => [name, remembered.entries()]),
    ),
    trusted: trusted.entries(),
  };
}

/** One jail for each counter: under its own name, or `with NAME` for jails that count together. */
function counting(jails: readonly RunningJail[]): ReadonlyMap<string, RunningJail> {
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
