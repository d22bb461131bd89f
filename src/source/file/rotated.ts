import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  type Stats,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { BoundedMap } from "../../core/bounded-map.ts";
import type { Instant } from "../../core/time.ts";
import { stillBegins } from "./fingerprint.ts";
import { isPlaceIn, type Place } from "./place.ts";
import { fileId, type Tail } from "./tail.ts";

/** What the file of a place is called now, if it was renamed within its folder; null when its path still leads to it. */
export function findRotated(place: Place): string | null {
  try {
    if (statSync(place.path, { throwIfNoEntry: false })?.ino === place.inode) return null;
    for (const { path, found } of beside(place)) {
      if (found.ino === place.inode && opened(path, (fd) => isPlaceIn(place, fd, fstatSync(fd)))) return path;
    }
  } catch {
    // Gone or closed to us: what the search for files finds there stands in the state.
  }
  return null;
}

/**
 * The copy that copytruncate made of a file before it cut it, where there is more in it than was read; null when there is none.
 * It is called `auth.log.1` or `auth.log-20261120` beside `auth.log`, begins as the file did, and was written after `since`;
 * should several logs begin alike, the latest.
 */
export function findCopy(place: Place, since: Instant): string | null {
  if (place.fingerprint.length < TELLING) return null;
  const unreadFrom = place.gaps.length > 0 ? place.offset : place.offset + 1;
  let latest: { readonly path: string; readonly at: number } | null = null;
  try {
    const name = basename(place.path);
    for (const { path, found } of beside(place)) {
      if (path === place.path || found.ino === place.inode || !basename(path).startsWith(name)) continue;
      if (found.size < unreadFrom || found.mtimeMs < Math.max(since, latest?.at ?? 0)) continue;
      if (opened(path, (fd) => stillBegins(fd, place.fingerprint))) latest = { path, at: found.mtimeMs };
    }
  } catch {
    // As above.
  }
  return latest?.path ?? null;
}

/**
 * Files that were called `path` and were rotated away before anybody looked: born after the last that was followed under this name
 * and before the one that has it now, and called `auth.log.1` or `auth.log-20261120`. Oldest first.
 */
export function findMissed(path: string, last: Stats, now: Stats): string[] {
  const missed: { readonly path: string; readonly born: number }[] = [];
  try {
    for (const { path: other, found } of beside({ path })) {
      if (!other.startsWith(path) || !ROTATED.test(other.slice(path.length))) continue;
      const born = found.birthtimeMs;
      if (found.ino === last.ino || found.ino === now.ino || born <= last.birthtimeMs) continue;
      // Where a time of birth is not known, that of the last change stands in its place: it is later than the last line.
      if (born === 0 || born > now.birthtimeMs || born > found.mtimeMs + CLOCK_STEP) continue;
      missed.push({ path: other, born });
    }
  } catch {
    // As above.
  }
  return missed.toSorted((a, b) => a.born - b.born).map((file) => file.path);
}

/** Was the file of this place cut, or written anew under its inode? Not when it is gone. */
export function isCut(place: Place): boolean {
  try {
    if (statSync(place.path, { throwIfNoEntry: false })?.ino !== place.inode) return false;
    return !opened(place.path, (fd) => isPlaceIn(place, fd, fstatSync(fd)));
  } catch {
    return false;
  }
}

/**
 * Copies of files that are followed, as copytruncate makes them: a pattern like `auth.log*` finds `auth.log.1` too,
 * and reading it would count everything twice.
 */
export class Copies {
  /** Keys with the time of birth, since inodes are soon used again; oldest first. */
  readonly #known: BoundedMap<string, true>;

  constructor(limit: number) {
    this.#known = new BoundedMap(limit);
  }

  has(found: Stats): boolean {
    return this.#known.has(keyOf(found));
  }

  /** From now on this file is a copy. */
  remember(found: Stats): void {
    this.#known.set(keyOf(found), true);
  }

  /** Is this new file, called `auth.log.1` beside `auth.log`, a copy of one of these? It is remembered if so. */
  recognise(tail: Tail, others: Iterable<Tail>): boolean {
    if (!tail.isNew || !tail.fingerprint.holds(tail.fd)) return false;
    for (const other of others) {
      const named = other.lostAt === null && tail.path !== other.path && tail.path.startsWith(other.path);
      if (!named || !tail.fingerprint.copies(other.fingerprint)) continue;
      this.remember(fstatSync(tail.fd));
      return true;
    }
    return false;
  }
}

/** How many names of a folder are looked through. */
const MAX_SEARCHED = 4096;

/** What rotation puts behind a name: a number or a date. */
const ROTATED = /^[-.]\d[\d.-]*$/;
/** File times are the kernel's last tick, in ms. */
const CLOCK_STEP = 20;
/** First bytes that tell one log from another. */
const TELLING = 64;

/** The files in a place's folder. */
function* beside({ path }: Pick<Place, "path">): Generator<{ readonly path: string; readonly found: Stats }> {
  const folder = dirname(path);
  for (const name of readdirSync(folder).slice(0, MAX_SEARCHED)) {
    const other = join(folder, name);
    const found = lstatSync(other, { throwIfNoEntry: false });
    if (found?.isFile() === true) yield { path: other, found };
  }
}

function opened<Result>(path: string, use: (fd: number) => Result): Result {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

function keyOf(found: Stats): string {
  return `${fileId(found)}:${found.birthtimeMs}`;
}
