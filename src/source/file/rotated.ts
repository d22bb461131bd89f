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
import { dirname, join } from "node:path";
import { isPlaceIn, type Place } from "./place.ts";
import { fileId, type Tail } from "./tail.ts";

/** What the file of a place is called now, if it was renamed within its folder; null when its path still leads to it. */
export function findRotated(place: Place): string | null {
  try {
    if (statSync(place.path, { throwIfNoEntry: false })?.ino === place.inode) return null;
    const folder = dirname(place.path);
    for (const name of readdirSync(folder).slice(0, MAX_SEARCHED)) {
      const path = join(folder, name);
      const found = lstatSync(path, { throwIfNoEntry: false });
      if (found?.ino === place.inode && found.isFile() && leadsTo(path, place)) return path;
    }
  } catch {
    // Gone or closed to us: what the search for files finds there stands in the state.
  }
  return null;
}

/**
 * Copies of files that are followed, as copytruncate makes them: a pattern like `auth.log*` finds `auth.log.1` too,
 * and reading it would count everything twice.
 */
export class Copies {
  /** Keys with the time of birth, since inodes are soon used again; oldest first. */
  readonly #known = new Set<string>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(found: Stats): boolean {
    return this.#known.has(keyOf(found));
  }

  /** Is this new file, called `auth.log.1` beside `auth.log`, a copy of one of these? It is remembered if so. */
  recognise(tail: Tail, others: Iterable<Tail>): boolean {
    if (!tail.isNew || !tail.fingerprint.holds(tail.fd)) return false;
    for (const other of others) {
      const named = other.lostAt === null && tail.path !== other.path && tail.path.startsWith(other.path);
      if (!named || !tail.fingerprint.copies(other.fingerprint)) continue;
      this.#known.add(keyOf(fstatSync(tail.fd)));
      for (const oldest of this.#known) if (this.#known.size > this.#limit) this.#known.delete(oldest);
      return true;
    }
    return false;
  }
}

/** How many names of a folder are looked through. */
const MAX_SEARCHED = 4096;

function leadsTo(path: string, place: Place): boolean {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    return isPlaceIn(place, fd, fstatSync(fd));
  } finally {
    closeSync(fd);
  }
}

function keyOf(found: Stats): string {
  return `${fileId(found)}:${found.birthtimeMs}`;
}
