import type { Stats } from "node:fs";
import type { SourcePosition } from "../source.ts";
import { type SavedFingerprint, stillBegins } from "./fingerprint.ts";
import type { Gap } from "./gaps.ts";

/** How far a file was read, with enough data to recognise the file under another name. */
export interface Place {
  readonly path: string;
  readonly device: number;
  readonly inode: number;
  /** Offset of the first undelivered byte: the start of a line, unless `skipping`. */
  readonly offset: number;
  readonly fingerprint: SavedFingerprint;
  /** True when the offset is in the middle of a line that is too long. */
  readonly skipping: boolean;
  /** Unread parts before the offset, oldest first. */
  readonly gaps: readonly Gap[];
  /** True when the file had lost its name and did not grow for a minute: it was read to its end. */
  readonly isComplete?: boolean;
}

/** The places of a source, and when they were saved (ms since 1970). */
export interface Places {
  readonly savedAt: number;
  readonly files: readonly Place[];
}

export function savePlaces(places: Places): SourcePosition {
  return { savedAt: places.savedAt, files: places.files };
}

/** Reads what `savePlaces` wrote. Skips invalid entries, which an older version or a broken disk may leave. */
export function readPlaces(position: SourcePosition | null): Places | null {
  if (position === null) return null;
  const { savedAt, files } = position;
  if (typeof savedAt !== "number" || !Array.isArray(files)) return null;
  return { savedAt, files: files.map(readPlace).filter((place) => place !== null) };
}

/** True when the open file is the file of this place and reaches its offset. The name may have changed since. */
export function isPlaceIn(place: Place, fd: number, found: Stats): boolean {
  if (place.inode !== found.ino || found.size < place.offset) return false;
  // Device numbers may change at a reboot. Then the first bytes alone identify the file.
  const known = place.device === found.dev || place.fingerprint.length >= 64;
  return known && stillBegins(fd, place.fingerprint);
}

function readPlace(entry: unknown): Place | null {
  const { path, device, inode, offset, fingerprint, skipping, gaps, isComplete } = fieldsOf(entry);
  const { length, hash } = fieldsOf(fingerprint);
  if (typeof path !== "string" || typeof hash !== "string") return null;
  if (!isCount(device) || !isCount(inode) || !isCount(offset) || !isCount(length)) return null;
  return {
    path,
    device,
    inode,
    offset,
    fingerprint: { length, hash },
    skipping: skipping === true,
    gaps: Array.isArray(gaps) ? readGaps(gaps, offset) : [],
    ...(isComplete === true ? { isComplete } : {}),
  };
}

/** Reads gaps in order, all of them before the offset. Skips entries that are invalid or overlap. */
function readGaps(entries: readonly unknown[], offset: number): Gap[] {
  const gaps: Gap[] = [];
  let end = 0;
  for (const entry of entries) {
    const { from, to, skipping } = fieldsOf(entry);
    if (!isCount(from) || !isCount(to) || from < end || to <= from || to > offset) continue;
    gaps.push({ from, to, skipping: skipping === true });
    end = to;
  }
  return gaps;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
