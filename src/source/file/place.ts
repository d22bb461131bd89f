import type { Stats } from "node:fs";
import type { SourcePosition } from "../source.ts";
import { type SavedFingerprint, stillBegins } from "./fingerprint.ts";
import type { Gap } from "./gaps.ts";

/** How far a file was read, and enough to know it again under another name. */
export interface Place {
  readonly path: string;
  readonly device: number;
  readonly inode: number;
  /** The first byte that was not delivered: where a line begins, unless `skipping`. */
  readonly offset: number;
  readonly fingerprint: SavedFingerprint;
  /** True in the middle of a line that was too long. */
  readonly skipping: boolean;
  /** What lies before the offset and was left for later, oldest first. */
  readonly gaps: readonly Gap[];
}

/** The places of a source, and the moment they were true (milliseconds since 1970). */
export interface Places {
  readonly savedAt: number;
  readonly files: readonly Place[];
}

export function savePlaces(places: Places): SourcePosition {
  return { savedAt: places.savedAt, files: places.files };
}

/** Reads what `savePlaces` wrote; entries that are no places, from an older program or a broken disk, are left out. */
export function readPlaces(position: SourcePosition | null): Places | null {
  if (position === null) return null;
  const { savedAt, files } = position;
  if (typeof savedAt !== "number" || !Array.isArray(files)) return null;
  return { savedAt, files: files.map(readPlace).filter((place) => place !== null) };
}

/** Is the open file the one the place is in, and does it reach that far? Its name may have changed since. */
export function isPlaceIn(place: Place, fd: number, found: Stats): boolean {
  if (place.inode !== found.ino || found.size < place.offset) return false;
  // Device numbers may change when the machine starts; the first bytes then speak for the file alone.
  const known = place.device === found.dev || place.fingerprint.length >= 64;
  return known && stillBegins(fd, place.fingerprint);
}

function readPlace(entry: unknown): Place | null {
  const { path, device, inode, offset, fingerprint, skipping, gaps } = fieldsOf(entry);
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
  };
}

/** Gaps in their order, all before the offset; what is none, or lies in another, is left out. */
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
