import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../core/clock.ts";
import { isDue } from "../core/due.ts";
import { cannot, factOf } from "../core/errors.ts";
import { type Duration, type Instant, SECOND } from "../core/time.ts";
import { counted } from "../core/wording.ts";
import type { Ban } from "../core/ban.ts";
import type { Offences } from "../jail/offences.ts";
import type { BansSince } from "../store/bans-since.ts";
import {
  type Progress,
  PROGRESS_FILE,
  readProgress,
  saveProgress,
  type SavedProgress,
} from "../store/progress.ts";
import { sayKept } from "../store/set-aside.ts";
import type { BanFile } from "./ban-file.ts";
import type { CloseOptions, Feature, Settings } from "./feature.ts";
import type { Jails } from "./jails.ts";
import { startOptimizing } from "./optimizer.ts";
import type { RunningJail } from "./pipeline.ts";
import type { Sources } from "./sources.ts";

export interface ProgressFileDeps {
  readonly jails: Jails;
  readonly sources: Pick<Sources, "noteNew" | "positions" | "resumeAt">;
  readonly bans: Pick<BanFile, "commit" | "takeSince" | "capture">;
  /** Whether failures wait for the address of a name: they are in no counter, and their lines are behind the position. */
  readonly isWaiting: () => boolean;
  readonly clock: Clock;
  readonly warn: (sentence: string) => void;
}

/**
 * Counters and read positions on disk, of one moment, saved every few seconds, and at the end once the sources have stopped. Saving takes at most
 * a twentieth of the time, however much there is to save. The bans of that moment are on disk first: they cleared counters.
 *
 *      moment ─► capture (at once) ─► write `progress.new`, while lines are counted ─► bans are on disk ─► rename
 *
 * After a crash the lines behind the positions are read again. What they led to and the journal of bans has is taken from there. Where a new
 * source begins is on disk before its first line is read: a crash before the next snapshot loses no line.
 */
export class ProgressFile implements Feature {
  readonly name = "the progress on disk";
  readonly #directory: string;
  readonly #deps: ProgressFileDeps;
  #restored = false;
  #next: Instant = 0;
  #pause: Duration = EVERY;
  #saving: Promise<void> = Promise.resolve();
  #busy = false;
  #failed = 0;

  constructor(directory: string, deps: ProgressFileDeps) {
    this.#directory = directory;
    this.#deps = deps;
  }

  /** Restores counters and positions, once. The jails are built, the sources not yet open; nor are those that a reload adds. */
  async follow(settings: Settings): Promise<void> {
    if (this.#restored) {
      const hasNew = await this.#deps.sources.noteNew(settings);
      if (hasNew) await this.#saveBetween(this.#deps.clock.now());
      return;
    }
    const progress = await this.#read();
    this.#restored = true;
    if (progress !== null) this.#deps.sources.resumeAt(progress.positions);
    await this.#saveBeginnings(progress ?? NOTHING);
    const since = this.#deps.bans.takeSince();
    if (progress !== null) await restoreCounters(this.#deps.jails, progress);
    for (const { prefix } of since.unallowed) this.#deps.jails.trusted.revoke(prefix);
    await recallBans(this.#deps.jails.all, since);
  }

  /** Null without a file, or with one that cannot be read. A damaged file is set aside, and the log says so. */
  async #read(): Promise<SavedProgress | null> {
    try {
      const progress = await readProgress(this.#directory, startOptimizing);
      if (progress?.hasHead === false)
        this.#sayLost(`Cannot read all of ${PROGRESS_FILE} in ${this.#directory}: its first line is damaged`);
      return progress;
    } catch (error) {
      this.#sayLost(factOf(error));
      return null;
    }
  }

  #sayLost(fact: string): void {
    const kept = sayKept(join(this.#directory, PROGRESS_FILE));
    this.#deps.warn(`${fact}; ${kept}; counters begin at 0, and files are read from their ends`);
  }

  tick(now: Instant): void {
    if (this.#busy || !isDue(now, this.#next, this.#pause)) return;
    if (this.#deps.isWaiting() && !isDue(now, this.#next + PATIENCE, this.#pause + PATIENCE)) return;
    void this.#saveBetween(now);
  }

  warnings(): readonly string[] {
    return this.#failed > 0 ? [`progress could not be saved ${counted(this.#failed, "time")}`] : [];
  }

  async close({ started }: CloseOptions): Promise<void> {
    await this.#saving;
    if (started) await this.#save(this.#deps.clock.now());
  }

  /** Adds the positions of sources that have none on disk. The rest of the file stays: lines behind the other positions are still to be read. */
  async #saveBeginnings(
    saved: Omit<Progress, "positions"> & Pick<SavedProgress, "positions">,
  ): Promise<void> {
    const positions = this.#deps.sources.positions();
    if (Object.keys(positions).every((name) => name in saved.positions)) return;
    try {
      await saveProgress(this.#directory, { ...saved, positions });
    } catch (error) {
      this.#complain(error);
    }
  }

  /** Saves after the save that runs. */
  async #saveBetween(now: Instant): Promise<void> {
    await this.#saving;
    this.#busy = true;
    const start = performance.now(); // how long saving takes, which `now` does not tell
    this.#saving = this.#save(now).finally(() => {
      this.#busy = false;
      this.#pause = Math.max(EVERY, 20 * (performance.now() - start));
      this.#next = now + this.#pause;
    });
    await this.#saving;
  }

  async #save(now: Instant): Promise<void> {
    const { jails, sources, bans } = this.#deps;
    // No await until both are captured.
    const captured = captureOf(jails, now);
    const positions = sources.positions();
    const saved = bans.capture();
    const committed = bans.commit();
    passMillisecond();
    try {
      await saveProgress(this.#directory, { at: now, positions, ...captured.parts }, async () => {
        const fact = await committed;
        if (fact !== null) throw new Error(fact);
      });
      saved();
    } catch (error) {
      this.#complain(error);
    } finally {
      captured.release();
    }
  }

  #complain(error: unknown): void {
    this.#failed++;
    this.#deps.warn(cannot(`save progress in ${this.#directory}`, error).message);
  }
}

const EVERY = 5 * SECOND;
/** Without a file: every ban of the journal is newer. */
const NOTHING: Progress & Pick<SavedProgress, "positions"> = {
  at: 0,
  positions: {},
  counters: {},
  offences: {},
  forgiven: {},
  trusted: [],
};
/** How long a snapshot waits for answers of the resolver. */
const PATIENCE = 5 * SECOND;

/** Bans are dated in ms: those after the capture must be dated later than it, to be told from those before. */
function passMillisecond(): void {
  const end = performance.now() + 1;
  while (performance.now() < end);
}

/**
 * Adds the failures in the order in which they happened, the stalest address first. Where maxretry was lowered meanwhile, one fewer than it: the
 * next failure bans.
 */
async function restoreCounters({ all, offences, trusted }: Jails, progress: SavedProgress): Promise<void> {
  for (const [name, { jail, shared }] of counting(all)) {
    const most = shared === null ? jail.options.maxretry - 1 : undefined;
    for await (const counters of progress.counters[name]?.stalestFirst() ?? []) {
      for (const { address, ages } of counters)
        for (const age of ages.slice(0, most).toReversed()) jail.counting.add(address, progress.at - age, 1);
    }
  }
  for (const [name, remembered] of offencesOf(all, offences)) {
    let restored = 0;
    for (const offence of (progress.offences[name] ?? []).toReversed()) {
      remembered.remember(offence.address, offence);
      if (++restored % AT_ONCE === 0) await nextTurn();
    }
  }
  for (const { jail } of all)
    for (const { address, at } of (progress.forgiven[jail.options.name] ?? []).toReversed())
      jail.forgiving.recall(address, at);
  for (const { prefix, until } of [...progress.trusted].reverse()) trusted.trust(prefix, until);
}

/** Offences restored in one turn of the event loop. */
const AT_ONCE = 2000;

/** Applies bans and unbans that are newer than the counters. */
async function recallBans(jails: readonly RunningJail[], { ended, active }: BansSince): Promise<void> {
  const byName = new Map(jails.map(({ jail }) => [jail.options.name, jail]));
  const recall = (ban: Ban, ended: Instant | null): void => {
    if (ban.origin === "local") byName.get(ban.jail)?.recall(ban, ended);
  };
  let recalled = 0;
  for (const { ban, end } of ended) {
    recall(ban, end.at);
    if (end.by === "operator") for (const { jail } of jails) jail.recallReset(ban.prefix.address, end.at);
    if (++recalled % AT_ONCE === 0) await nextTurn();
  }
  for (const ban of active) {
    recall(ban, null);
    if (++recalled % AT_ONCE === 0) await nextTurn();
  }
}

interface Captured {
  readonly parts: Pick<Progress, "counters" | "offences" | "forgiven" | "trusted">;
  readonly release: () => void;
}

/** Of this moment, whenever they are read. */
function captureOf({ all, offences, trusted }: Jails, now: Instant): Captured {
  const captures = [...counting(all)].map(([name, { jail }]) => [name, jail.counting.capture(now)] as const);
  const remembered = [...offencesOf(all, offences)].map(([name, own]) => [name, own.capture()] as const);
  return {
    parts: {
      counters: Object.fromEntries(captures.map(([name, { counters }]) => [name, counters])),
      offences: Object.fromEntries(remembered),
      forgiven: Object.fromEntries(all.map(({ jail }) => [jail.options.name, jail.forgiving.capture()])),
      trusted: trusted.capture(),
    },
    release: () => {
      for (const [, capture] of captures) capture.release();
    },
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
