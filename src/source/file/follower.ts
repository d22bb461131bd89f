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
import { COMPRESSED, Copies, findCopy, findMissed } from "./rotated.ts";
import { findRotatedSince, logOf, type RotatedFile, type RotatedSince, unreadOf } from "./rotated-files.ts";
import { WholeFile } from "./whole-file.ts";
import { counted } from "../../core/wording.ts";
import { fileId, Tail, type TailStart } from "./tail.ts";

export interface FollowOptions {
  readonly globs: readonly Glob[];
  /** Paths without wildcards. Followed even if the name looks like that of a compressed file. */
  readonly literal: ReadonlySet<string>;
  readonly start: "beginning" | "end";
  readonly maxLine: number;
  readonly maxFiles: number;
  /** Unread bytes of rotated files, for each log. */
  readonly maxRotated: number;
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
  /** What was lost at the start, as phrases. */
  readonly #losses: string[] = [];
  /** Rotated files that are read, and those that wait for it. */
  readonly #older = new Set<WholeFile>();
  readonly #abort = new AbortController();
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
    this.#folders.close();
    this.#loop.stop();
    this.#abort.abort();
    for (const tail of this.#tails.values()) this.#letGo(tail);
    clearTimeout(this.#retry);
    clearTimeout(this.#lostTimer);
  }

  /** What the paths name and cannot be followed, or name nowhere; null when all is well. A rotated file is followed for a minute more. */
  trouble(): string | null {
    const known = new Set([...this.#tails.values()].map(({ path }) => path));
    const missing = [...this.#options.literal].filter((path) => !known.has(path) && isMissing(path));
    const facts = [...missing.map((path) => `${path} does not exist`), ...this.#faults];
    if (facts.length === 0 && known.size === 0) facts.push("no file matches");
    return facts.length === 0 ? null : listed(facts, "; ");
  }

  places(): readonly Place[] {
    const older = [...this.#older].map((file) => file.place()).filter((place) => place !== null);
    const open = [...[...this.#tails.values()].map((tail) => tail.place()), ...older];
    return [...this.#left.filter((left) => !open.some((place) => isSameFile(place, left))), ...open];
  }

  /** Reads first what was written to the logs while Stoplog was not running, in files that were rotated since. */
  #openRotated(): void {
    const { files = [], savedAt = 0 } = this.#places ?? {};
    for (const [path, places] of byLog(files, this.#options.literal)) {
      try {
        const since = findRotatedSince(path, { places, savedAt }, this.#options.maxRotated);
        for (const place of since.found) this.#resumed.add(place);
        this.#lose(path, since);
        this.#readInOrder(path, since.files);
      } catch (thrown) {
        this.#refuse(path, thrown);
      }
    }
  }

  /** The newest one may still be written, by a service that did not reopen its log yet: it is followed. */
  #readInOrder(path: string, files: readonly RotatedFile[]): void {
    const newest = files.at(-1);
    const isFollowed = newest?.isCompressed === false && this.#makeRoom();
    const older = (isFollowed ? files.slice(0, -1) : files).filter((file) => unreadOf(file) > 0);
    for (const { found } of files) this.#copies.remember(found);
    // A pattern may match them at the next start.
    for (const file of files) if (unreadOf(file) === 0) this.#leave(completed(file));
    let last: Tail | null = null;
    if (isFollowed && newest !== undefined) {
      last = this.#open(newest.path, () => newest.place);
      last.path = path; // treat it as renamed, so that it is found again after a restart
      last.isHeld = older.length > 0;
      this.#lost(last);
    }
    if (older.length > 0) void this.#readOlder(older, last);
  }

  async #readOlder(files: readonly RotatedFile[], next: Tail | null): Promise<void> {
    const { maxLine } = this.#options;
    const whole = files.map((file) => [file, new WholeFile(file, this.#sink, this.#stats, maxLine)] as const);
    for (const [, one] of whole) this.#older.add(one);
    for (const [file, one] of whole) {
      try {
        await one.read(this.#abort.signal);
      } catch (thrown) {
        this.#losses.push(`cannot read ${file.path}: ${factOf(thrown)}`);
        this.#stats.lostFiles++;
        this.#describe();
      }
      if (this.#abort.signal.aborted) return;
      this.#older.delete(one);
      this.#leave(completed(file));
    }
    if (next === null) return;
    next.isHeld = false;
    if (this.#tails.get(next.id) === next) this.#loop.wake(next);
  }

  #lose(path: string, { gone, skipped }: RotatedSince): void {
    const lost = gone.filter((place) => place.isComplete !== true && place.offset > 0);
    this.#stats.lostFiles += lost.length + skipped.files;
    this.#stats.shedBytes += skipped.bytes;
    if (lost.length > 0)
      this.#losses.push(
        `did not find ${counted(lost.length, "rotated file")} of ${path} again: what was unread is lost`,
      );
    if (skipped.files > 0)
      this.#losses.push(
        `skipped ${counted(skipped.files, "rotated file")} of ${path} with ${skipped.bytes} unread bytes`,
      );
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
        if (found.isDirectory() && !this.#options.literal.has(path)) continue;
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
    if (beyond > 0)
      this.#faults.push(
        `cannot follow ${beyond} of ${claimed.size} files: the limit is ${this.#options.maxFiles}`,
      );
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
    if (!this.#starting && !this.#refusedAtStart.delete(path))
      return this.#rewritten(path, fd, found) ?? "new";
    const createdSince = this.#places !== null && found.birthtimeMs > this.#places.savedAt - CLOCK_STEP;
    const isReplaced = saved.some((candidate) => candidate.path === path);
    return createdSince || isReplaced ? "beginning" : this.#options.start;
  }

  /** A program may rewrite a log and put it in the place of the old one: then its first lines are known. */
  #rewritten(path: string, fd: number, found: Stats): Place | null {
    const before = [...this.#tails.values()].filter((tail) => tail.path === path).at(-1);
    const offset = before?.endIn(fd, found.size) ?? null;
    if (offset === null) return null;
    const fingerprint = { length: 0, hash: "" };
    return { path, device: found.dev, inode: found.ino, offset, fingerprint, skipping: false, gaps: [] };
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
    this.#leave({ ...tail.place(), offset: fstatSync(tail.fd).size, isComplete: true });
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
      this.#leave(finish ? { ...tail.place(), isComplete: true } : tail.place());
    } catch (thrown) {
      this.#faults.push(`cannot read the end of ${tail.path}: ${factOf(thrown)}`);
      this.#tryLater(); // the next scan forgets this fault
    } finally {
      tail.close();
    }
  }

  #leave(place: Place): void {
    this.#left.push(place);
    const oldest = this.#left.length > this.#options.maxFiles ? this.#left.shift() : undefined;
    if (oldest !== undefined) this.#forget(oldest);
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
      ...this.#losses,
    ];
    if (phrases.length === 0) phrases.push("waits for a matching file");
    const fact = this.#loop.fault || this.#folders.fault;
    if (fact) phrases.push(`polls every ${POLL_EVERY} ms: ${fact}`);
    this.#stats.state = listed(phrases, ", ");
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
/** Maximum number of phrases in the state and in a trouble. */
const MAX_PHRASES = 5;

function listed(phrases: readonly string[], between: string): string {
  const shown = phrases.slice(0, MAX_PHRASES).join(between);
  return phrases.length > MAX_PHRASES ? `${shown} and ${phrases.length - MAX_PHRASES} more` : shown;
}

function rename(tail: Tail, path: string): void {
  tail.path = path;
  tail.lostAt = null;
}

/** Places by the log that they belong to: a pattern such as `auth.log*` follows rotated files under their own names. */
function byLog(
  places: readonly Place[],
  literal: ReadonlySet<string>,
): ReadonlyMap<string, readonly Place[]> {
  const paths = new Set(places.map(({ path }) => path));
  const groups = new Map<string, Place[]>();
  for (const place of places) {
    const isLog = (path: string): boolean => paths.has(path) || literal.has(path);
    const log = literal.has(place.path) ? place.path : logOf(place.path, isLog);
    groups.set(log, [...(groups.get(log) ?? []), place]);
  }
  return groups;
}

/** The place at the end of a rotated file, under its present inode. */
function completed({ place, size, found }: RotatedFile): Place {
  const { dev: device, ino: inode } = found;
  return { ...place, device, inode, offset: Math.max(size, place.offset), gaps: [], isComplete: true };
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
