import { fstatSync, openSync, readSync, closeSync, type Stats, statSync, constants } from "node:fs";
import { basename } from "node:path";
import { constants as zlib, gunzipSync } from "node:zlib";
import type { Instant } from "../../core/time.ts";
import { HEAD_BYTES, matches, saveFingerprint } from "./fingerprint.ts";
import { isPlaceIn, type Place } from "./place.ts";
import { beside, ROTATED } from "./rotated.ts";

/** A rotated file with unread lines. Offsets of the place are those of the content, compressed or not. */
export interface RotatedFile {
  readonly path: string;
  readonly isCompressed: boolean;
  readonly place: Place;
  /** Size of the content, in bytes; of a compressed file, what gzip says of it (modulo 2^32). */
  readonly size: number;
  readonly found: Stats;
}

/** What was written to a log while it was not read. */
export interface RotatedSince {
  /** Oldest first. Without the file that the path names now. */
  readonly files: readonly RotatedFile[];
  /** Places whose file was found: by its inode, or by its first bytes when it was compressed or copied. */
  readonly found: readonly Place[];
  /** Places whose file is gone; what was not read of it is lost. */
  readonly gone: readonly Place[];
  /** Files that were skipped, the oldest ones, because there was more than `most` bytes. */
  readonly skipped: { readonly files: number; readonly bytes: number };
}

/**
 * Finds the rest of files that were followed as `path`, and files that came and went since, under any rotated name: `log.1`, `log.2.gz`,
 * `log-20261201`, `log-20261201.gz`.
 *
 *      log.4.gz    log.3.gz    log.2    log.1    log
 *      read        read up to  ── since: unread ──    named by the path, not looked at here
 *                  a place
 *
 * Rotated files are in the order of their last write, which compressing keeps.
 */
export function findRotatedSince(
  path: string,
  { places, savedAt }: { readonly places: readonly Place[]; readonly savedAt: Instant },
  most: number,
): RotatedSince {
  const current = statSync(path, { throwIfNoEntry: false });
  const candidates = candidatesOf(path, current);
  const files: RotatedFile[] = [];
  const found: Place[] = [];
  const gone: Place[] = [];
  let newest: number | null = null;
  for (const place of places) {
    const isOld = place.fingerprint.length > 0 || (current?.birthtimeMs ?? 0) < savedAt - TICK;
    if (current !== undefined && isOld && opened(path, (fd) => isPlaceIn(place, fd, current)) === true) {
      found.push(place);
      newest = Number.POSITIVE_INFINITY;
      continue;
    }
    // Nothing is missing of these. Their inodes may be those of other files by now.
    if (place.isComplete === true || place.fingerprint.length === 0) continue;
    const file = locate(place, candidates, savedAt);
    if (file === null) {
      gone.push(place);
      continue;
    }
    found.push(place);
    files.push(file);
    newest = Math.max(newest ?? 0, file.found.mtimeMs);
  }
  const taken = new Set(files.map((file) => file.path));
  for (const candidate of candidates) {
    const { mtimeMs } = candidate.found;
    const step = candidate.isCompressed ? CLOCK_STEP : TICK;
    const isNewer = newest === null ? mtimeMs > savedAt - step : mtimeMs > newest;
    if (!candidate.isRotated || taken.has(candidate.path) || !isNewer) continue;
    const head = headOf(candidate);
    if (head === null) continue;
    const { dev: device, ino: inode } = candidate.found;
    const place = {
      path,
      device,
      inode,
      offset: 0,
      fingerprint: saveFingerprint(head),
      skipping: false,
      gaps: [],
    };
    files.push({ ...candidate, place });
  }
  files.sort((a, b) => a.found.mtimeMs - b.found.mtimeMs);
  return { ...withinBound(files, most), found, gone };
}

/** The log that a rotated name belongs to: `/var/log/auth.log` of `/var/log/auth.log.1`. */
export function logOf(path: string, isFollowed: (path: string) => boolean): string {
  const log = path.replace(SUFFIX, "");
  return log !== path && isFollowed(log) ? log : path;
}

type Candidate = Omit<RotatedFile, "place"> & { readonly isRotated: boolean };

/** File times are those of the kernel's tick, at most 10 ms ago. In ms. */
const TICK = 20;
/** Some compressors keep only the seconds of file times. In ms. */
const CLOCK_STEP = 1000;
/** First bytes that distinguish one log from another. */
const TELLING = 64;
/** Bytes of a compressed file that contain the first bytes of its content. */
const COMPRESSED_HEAD = 4096;
const SUFFIX = new RegExp(`(?:${ROTATED.source.replace(/^\^|\$$/g, "")})(?:\\.gz)?$`);

/** Files beside the log: with a rotated name, or with the inode of a place. */
function candidatesOf(path: string, current: Stats | undefined): readonly Candidate[] {
  const name = basename(path);
  const all: Candidate[] = [];
  for (const { path: other, found } of beside({ path })) {
    if (found.ino === current?.ino || other === path) continue;
    const isCompressed = other.endsWith(".gz");
    const rest = basename(other).startsWith(name) ? basename(other).slice(name.length) : "";
    const isRotated = ROTATED.test(isCompressed ? rest.slice(0, -3) : rest);
    all.push({ path: other, found, isCompressed, isRotated, size: sizeOf(other, found, isCompressed) });
  }
  // While a file is compressed, both are there.
  const paths = new Set(all.map((one) => one.path));
  return all.filter((one) => !one.isCompressed || !paths.has(one.path.slice(0, -3)));
}

function locate(place: Place, candidates: readonly Candidate[], savedAt: Instant): RotatedFile | null {
  const renamed = candidates.find(
    (one) => !one.isCompressed && opened(one.path, (fd) => isPlaceIn(place, fd, fstatSync(fd))) === true,
  );
  if (renamed !== undefined) return { ...renamed, place };
  const isCopy = (one: Candidate): boolean => {
    if (!one.isRotated || one.size < place.offset) return false;
    if (place.fingerprint.length < TELLING && one.found.mtimeMs < savedAt - CLOCK_STEP) return false;
    const head = headOf(one);
    return head !== null && matches(head, place.fingerprint);
  };
  const copies = candidates.filter(isCopy).toSorted((a, b) => a.found.mtimeMs - b.found.mtimeMs);
  const copy = copies.find(({ found }) => found.mtimeMs >= savedAt - CLOCK_STEP) ?? copies.at(-1);
  return copy === undefined ? null : { ...copy, place };
}

function withinBound(files: readonly RotatedFile[], most: number): Pick<RotatedSince, "files" | "skipped"> {
  let bytes = 0;
  let first = files.length;
  while (first > 0) {
    const file = files[first - 1] as RotatedFile;
    bytes += unreadOf(file);
    if (bytes > most) break;
    first--;
  }
  const skipped = files.slice(0, first);
  return {
    files: files.slice(first),
    skipped: { files: skipped.length, bytes: skipped.reduce((sum, file) => sum + unreadOf(file), 0) },
  };
}

/** Unread bytes of the content. */
export function unreadOf({ size, place }: Pick<RotatedFile, "size" | "place">): number {
  return Math.max(0, size - place.offset) + place.gaps.reduce((sum, { from, to }) => sum + to - from, 0);
}

function headOf({ path, isCompressed }: Pick<RotatedFile, "path" | "isCompressed">): Buffer | null {
  const head = opened(path, (fd) => {
    const bytes = Buffer.alloc(isCompressed ? COMPRESSED_HEAD : HEAD_BYTES);
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0));
  });
  if (head === null || !isCompressed) return head;
  try {
    return gunzipSync(head, { finishFlush: zlib.Z_SYNC_FLUSH }).subarray(0, HEAD_BYTES);
  } catch {
    return null; // not gzip, or damaged
  }
}

/** RFC 1952: the last four bytes of a gzip file are the size of its content. */
function sizeOf(path: string, { size }: Stats, isCompressed: boolean): number {
  if (!isCompressed) return size;
  const read = opened(path, (fd) => {
    const bytes = Buffer.alloc(4);
    return size >= 18 && readSync(fd, bytes, 0, 4, size - 4) === 4 ? bytes.readUInt32LE(0) : 0;
  });
  return read ?? 0;
}

/** Null when the file cannot be opened: it is gone, or not readable. */
function opened<Result>(path: string, use: (fd: number) => Result): Result | null {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      return use(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    return null;
  }
}
