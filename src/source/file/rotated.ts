import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, type Stats } from "node:fs";
import { basename, dirname, join } from "node:path";
import { BoundedMap } from "../../core/bounded-map.ts";
import type { Instant } from "../../core/time.ts";
import { stillBegins } from "./fingerprint.ts";
import type { Place } from "./place.ts";
import { fileId, type Tail } from "./tail.ts";

/**
 * The copy that copytruncate made of a file before it truncated the file; null when there is none, or when it holds nothing unread.
 * The copy is called `auth.log.1` or `auth.log-20261120` beside `auth.log`, has the same first bytes, and was written after `since`.
 * Of several candidates, the latest.
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
 * Files that were called `path` and were rotated away between two scans. They were created after the last followed file of this
 * name and before the present one, and are called `auth.log.1` or `auth.log-20261120`. Oldest first.
 */
export function findMissed(path: string, last: Stats, now: Stats): string[] {
  const missed: { readonly path: string; readonly born: number }[] = [];
  try {
    for (const { path: other, found } of beside({ path })) {
      if (!other.startsWith(path) || !ROTATED.test(other.slice(path.length))) continue;
      const born = found.birthtimeMs;
      if (found.ino === last.ino || found.ino === now.ino || born <= last.birthtimeMs) continue;
      // A file system without birth times reports 0, or the last status change, which is later than the last line.
      if (born === 0 || born > now.birthtimeMs || born > found.mtimeMs + CLOCK_STEP) continue;
      missed.push({ path: other, born });
    }
  } catch {
    // As above.
  }
  return missed.toSorted((a, b) => a.born - b.born).map((file) => file.path);
}

/**
 * Copies that copytruncate made of followed files. A pattern such as `auth.log*` also matches the copy `auth.log.1`: reading it
 * would count every line twice.
 */
export class Copies {
  /** Keys include the birth time, because file systems reuse inodes soon. Oldest first. */
  readonly #known: BoundedMap<string, true>;

  constructor(limit: number) {
    this.#known = new BoundedMap(limit);
  }

  has(found: Stats): boolean {
    return this.#known.has(keyOf(found));
  }

  /** Marks this file as a copy. */
  remember(found: Stats): void {
    this.#known.set(keyOf(found), true);
  }

  /** True when this new file, such as `auth.log.1` beside `auth.log`, is a copy of one of the others. Marks it as a copy. */
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

/** Maximum number of names examined in a folder. */
const MAX_SEARCHED = 4096;

/** Files that logrotate compressed; a pattern such as `auth.log*` skips them. */
export const COMPRESSED = /\.(gz|bz2|xz|zst|lz4|Z|zip)$/;

/** The suffix that rotation appends to a name: a number or a date. */
export const ROTATED = /^[-.]\d[\d.-]*$/;
/** Resolution of file times: the kernel's tick, in ms. */
const CLOCK_STEP = 20;
/** Number of first bytes that distinguish one log from another. */
const TELLING = 64;

/** The regular files in a place's folder. */
export function* beside({
  path,
}: Pick<Place, "path">): Generator<{ readonly path: string; readonly found: Stats }> {
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
