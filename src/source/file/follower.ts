import { fstatSync, lstatSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import type { LineSink } from "../../core/batch.ts";
import { factOf, StoplogError } from "../../core/errors.ts";
import type { Instant } from "../../core/time.ts";
import { LineSplitter } from "../line-splitter.ts";
import type { SourceStats } from "../source.ts";
import { findFiles } from "./find-files.ts";
import { type OverloadRule, sizeOf } from "./gaps.ts";
import { FolderWatch } from "./folder-watch.ts";
import type { Glob } from "./glob.ts";
import { isPlaceIn, type Place, type Places } from "./place.ts";
import { POLL_EVERY, ReadLoop } from "./read-loop.ts";
import { Copies, findCopy, findMissed, findRotated, isCut } from "./rotated.ts";
import { fileId, Tail, type TailStart } from "./tail.ts";

export interface FollowOptions {
  readonly globs: readonly Glob[];
  /** Paths without wildcards. Followed even if the name looks like that of a compressed file. */
  readonly literal: ReadonlySet<string>;
  readonly start: "beginning" | "end";
  readonly maxLine: number;
  readonly maxFiles: number;
  readonly overload: OverloadRule;
}

/**
 * Decides which files are open, from `start` to `stop`.
 *
 *      path names another file ──► old file: read until it has not grown for a minute; new file: read from its start
 *
 * Watches only the folders in which a file could appear: folders of wildcards, of links, and of missing files.
 */
export class Follower {
  readonly #options: FollowOptions;
  readonly #stats: SourceStats;
  readonly #sink: LineSink;
  readonly #places: Places | null;
  readonly #tails = new Map<string, Tail>();
  readonly #loop: ReadLoop;
  readonly #folders = new FolderWatch(() => this.#scan());
  readonly #copies: Copies;
  /** Places of files that were closed, in case the files come back. */
  readonly #left: Place[] = [];
  /** Saved places whose files were found. */
  readonly #resumed = new Set<Place>();
  /** Paths that existed at the start and could not be opened. Such a file is not new when it becomes readable. */
  readonly #refusedAtStart = new Set<string>();
  #faults: string[] = [];
  #retry: NodeJS.Timeout | undefined;
  #lostTimer: NodeJS.Timeout | undefined;
  #starting = true;

  constructor(options: FollowOptions, stats: SourceStats, sink: LineSink, places: Places | null) {
    this.#options = options;
    this.#stats = stats;
    this.#sink = sink;
    this.#places = places;
    this.#copies = new Copies(options.maxFiles);
    this.#loop = new ReadLoop(options.maxLine, stats, {
      moved: () => this.#scan(),
      broke: (tail, thrown) => this.#broke(tail, thrown),
      shouldRead: (tail) => this.#shouldRead(tail),
      blind: () => this.#describe(),
    });
  }

  start(): void {
    this.#openRotated();
    this.#scan();
    this.#starting = false;
    for (const place of this.#places?.files ?? []) {
      if (!this.#resumed.has(place) && !this.#refusedAtStart.has(place.path)) this.#forget(place);
    }
  }

  stop(): void {
    clearTimeout(this.#retry);
    clearTimeout(this.#lostTimer);
    this.#folders.close();
    this.#loop.stop();
    for (const tail of this.#tails.values()) this.#letGo(tail);
  }

  places(): readonly Place[] {
    const open = [...this.#tails.values()].map((tail) => tail.place());
    return [...this.#left.filter((left) => !open.some((place) => isSameFile(place, left))), ...open];
  }

  /** Opens files that were renamed or truncated while Stoplog was not running, even if no pattern matches the new name. Reads their rest first. */
  #openRotated(): void {
    const { files = [], savedAt = 0 } = this.#places ?? {};
    for (const place of files) {
      if (isCut(place) && this.#openCopy(place, savedAt)) this.#resumed.add(place);
      const path = findRotated(place);
      if (path === null || !this.#makeRoom()) continue;
      try {
        this.#open(path, () => this.#resume(place));
      } catch (thrown) {
        this.#refuse(path, thrown);
      }
    }
  }

  /** Reads the unread rest of a truncated file from the copy that copytruncate made. False when there is no copy. */
  #openCopy(place: Place, since: Instant): boolean {
    const path = findCopy(place, since);
    if (path === null || this.#tails.size >= this.#options.maxFiles) return false;
    try {
      const found = statSync(path);
      const there = this.#tails.get(fileId(found));
      if (there !== undefined && there.position > 0) return true;
      if (there !== undefined) this.#drop(there); // a pattern matched it, too
      const tail = this.#open(path, () => place);
      tail.path = place.path; // treat it as renamed, so that it is found again after a restart
      this.#copies.remember(found);
      this.#lost(tail);
      return true;
    } catch (thrown) {
      this.#refuse(path, thrown);
      return false;
    }
  }

  /** Opens and closes files so that they match what the paths name now. */
  #scan(): void {
    clearTimeout(this.#retry);
    const findings = findFiles(this.#options.globs);
    this.#faults = [...findings.faults];
    const folders = new Set(findings.folders);
    const claimed = new Set<string>();
    let beyond = 0;
    for (const path of findings.paths) {
      try {
        if (!this.#options.literal.has(path) && COMPRESSED.test(path)) continue;
        if (lstatSync(path).isSymbolicLink()) folders.add(dirname(path));
        const found = statSync(path);
        const id = fileId(found);
        if (claimed.has(id) || this.#copies.has(found)) continue;
        claimed.add(id);
        const tail = this.#tails.get(id);
        if (tail !== undefined) rename(tail, path);
        else if (this.#makeRoom()) {
          if (!this.#starting) this.#openMissed(path, found);
          this.#open(path, (fd, opened) => this.#startOf(path, fd, opened));
        } else beyond++;
      } catch (thrown) {
        this.#refuse(path, thrown);
        folders.add(dirname(path));
      }
    }
    if (beyond > 0) this.#faults.push(`skips ${beyond} files: the limit is ${this.#options.maxFiles}`);
    for (const tail of this.#tails.values()) if (!claimed.has(tail.id)) this.#lost(tail);
    // A file that appeared between the search and the start of the watch raised no event: search again.
    if (this.#folders.watch(folders)) this.#scan();
    else this.#describe();
  }

  /** If the file was rotated more than once since the last scan, reads the files in between first. */
  #openMissed(path: string, now: Stats): void {
    const before = [...this.#tails.values()].filter((tail) => tail.path === path).at(-1);
    if (before === undefined) return;
    for (const missed of findMissed(path, fstatSync(before.fd), now)) {
      const found = statSync(missed, { throwIfNoEntry: false });
      if (found === undefined || this.#tails.has(fileId(found)) || this.#copies.has(found)) continue;
      if (this.#tails.size + 1 >= this.#options.maxFiles) return;
      const tail = this.#open(missed, () => "new");
      tail.path = path;
      this.#lost(tail);
    }
  }

  #open(path: string, chooseStart: (fd: number, found: Stats) => TailStart): Tail {
    const { maxLine, overload } = this.#options;
    const splitter = new LineSplitter(this.#sink, this.#stats, maxLine);
    const onCut = (place: Place): boolean => this.#openCopy(place, Date.now() - JUST_NOW);
    const tail = new Tail(path, { splitter, stats: this.#stats, overload, onCut }, chooseStart);
    this.#tails.set(tail.id, tail);
    this.#loop.wake(tail);
    return tail;
  }

  #startOf(path: string, fd: number, found: Stats): TailStart {
    const saved = this.#places?.files ?? [];
    const place = [...this.#left, ...saved].find((candidate) => isPlaceIn(candidate, fd, found));
    if (place !== undefined) return this.#resume(place);
    if (!this.#starting && !this.#refusedAtStart.delete(path)) return "new";
    const createdSince = this.#places !== null && found.birthtimeMs > this.#places.savedAt - CLOCK_STEP;
    const isReplaced = saved.some((candidate) => candidate.path === path);
    return createdSince || isReplaced ? "beginning" : this.#options.start;
  }

  #resume(place: Place): Place {
    this.#resumed.add(place);
    return place;
  }

  /** Gives up a place whose file is gone: counts its gaps as shed. */
  #forget({ gaps }: Place): void {
    for (const gap of gaps) this.#stats.shedBytes += sizeOf(gap);
  }

  #refuse(path: string, thrown: unknown): void {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === "ENOENT") return; // removed since the search; the folder watch notices when it is back
    const own = thrown instanceof StoplogError;
    this.#faults.push(own ? thrown.message.replace(/^C/, "c") : `cannot read ${path}: ${factOf(thrown)}`);
    if (this.#starting) this.#refusedAtStart.add(path);
    if (code !== "EACCES" && !own) this.#tryLater();
  }

  #broke(tail: Tail, thrown: unknown): void {
    this.#letGo(tail);
    this.#faults.push(`cannot read ${tail.path}: ${factOf(thrown)}`);
    this.#tryLater();
    this.#describe();
  }

  #tryLater(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#scan(), RETRY_AFTER);
  }

  /** At the limit, closes a file whose path was lost, in favour of a file that has one. False when there is none. */
  #makeRoom(): boolean {
    if (this.#tails.size < this.#options.maxFiles) return true;
    for (const tail of this.#tails.values()) {
      if (tail.lostAt === null) continue;
      this.#letGo(tail);
      return true;
    }
    return false;
  }

  #shouldRead(tail: Tail): boolean {
    if (!this.#copies.recognise(tail, this.#tails.values())) return true;
    this.#drop(tail);
    this.#describe();
    return false;
  }

  #drop(tail: Tail): void {
    this.#tails.delete(tail.id);
    this.#loop.forget(tail, false);
    tail.close();
  }

  /** The path no longer names this file. Its writer may continue for a while: rotation tells a service to reopen its log after the rename. */
  #lost(tail: Tail): void {
    tail.lostAt ??= Date.now();
    this.#lostTimer ??= setTimeout(() => this.#dropLost(), LOST_AFTER);
    this.#loop.wake(tail);
  }

  #dropLost(): void {
    this.#lostTimer = undefined;
    const now = Date.now();
    for (const tail of this.#tails.values()) {
      if (tail.lostAt === null) continue;
      if (now - tail.lostAt < LOST_AFTER)
        this.#lostTimer ??= setTimeout(() => this.#dropLost(), LOST_AFTER / 2);
      else this.#letGo(tail, true);
    }
    this.#describe();
  }

  #letGo(tail: Tail, finish = false): void {
    this.#tails.delete(tail.id);
    try {
      this.#loop.forget(tail, finish);
      this.#left.push(tail.place());
      const oldest = this.#left.length > this.#options.maxFiles ? this.#left.shift() : undefined;
      if (oldest !== undefined) this.#forget(oldest);
    } catch (thrown) {
      this.#faults.push(`cannot read the end of ${tail.path}: ${factOf(thrown)}`);
    } finally {
      tail.close();
    }
  }

  #describe(): void {
    const followed = [...this.#tails.values()].filter((tail) => tail.lostAt === null);
    const [first] = followed;
    const phrases = [
      ...(first === undefined
        ? []
        : [`follows ${followed.length === 1 ? first.path : `${followed.length} files`}`]),
      ...[...this.#options.literal].filter(isMissing).map((path) => `waits for ${path}`),
      ...this.#faults,
    ];
    if (phrases.length === 0) phrases.push("waits for a matching file");
    const fact = this.#loop.fault || this.#folders.fault;
    if (fact) phrases.push(`polls every ${POLL_EVERY} ms: ${fact}`);
    const shown = phrases.slice(0, MAX_PHRASES).join(", ");
    this.#stats.state =
      phrases.length > MAX_PHRASES ? `${shown} and ${phrases.length - MAX_PHRASES} more` : shown;
  }
}

/** Time to the next attempt after any error but a missing permission, in ms. */
const RETRY_AFTER = 1000;
/** How long a file without a path stays open after it last grew, in ms. */
const LOST_AFTER = 60_000;
/** File times have the resolution of the kernel's tick: a file may look older than it is by this much, in ms. */
const CLOCK_STEP = 20;
/** Maximum age of the copy of a file that was truncated just now, in ms. */
const JUST_NOW = 60_000;
/** Maximum number of phrases in the state. */
const MAX_PHRASES = 5;

/** Files that logrotate compressed; a pattern such as `auth.log*` skips them. */
const COMPRESSED = /\.(gz|bz2|xz|zst|lz4|Z|zip)$/;

function rename(tail: Tail, path: string): void {
  tail.path = path;
  tail.lostAt = null;
}

function isSameFile(a: Place, b: Place): boolean {
  return a.inode === b.inode && a.device === b.device;
}

function isMissing(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false; // the scan has reported the error
  }
}
