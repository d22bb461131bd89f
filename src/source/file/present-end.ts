import type { LineSink } from "../../core/batch.ts";
import { LIMITS } from "../../core/limits.ts";
import { DEFAULT_MAX_LINE, LineSplitter } from "../line-splitter.ts";
import { newSourceStats, type SourcePosition } from "../source.ts";
import { findFiles } from "./find-files.ts";
import { OVERLOAD } from "./gaps.ts";
import { parseGlob } from "./glob.ts";
import { type FileOptions, START } from "./kind.ts";
import { type Place, savePlaces } from "./place.ts";
import { COMPRESSED } from "./rotated.ts";
import { Tail } from "./tail.ts";

/** Where the files of a source end now; null for a source that reads files from their beginnings. Files that cannot be read are left out. */
export function presentEnd({ path, start, maxFiles, maxLine }: FileOptions): SourcePosition | null {
  if ((start ?? START) !== "end") return null;
  const paths = typeof path === "string" ? [path] : path;
  const globs = paths.map(parseGlob);
  const savedAt = Date.now();
  const files: Place[] = [];
  for (const found of findFiles(globs.filter((glob) => typeof glob !== "string")).paths) {
    if (files.length >= (maxFiles ?? LIMITS.files.value)) break;
    if (COMPRESSED.test(found) && !paths.includes(found)) continue; // is not followed
    const place = endOf(found, maxLine);
    if (place !== null) files.push(place);
  }
  return savePlaces({ savedAt, files });
}

function endOf(path: string, maxLine: number | undefined): Place | null {
  const stats = newSourceStats();
  const splitter = new LineSplitter(NO_SINK, stats, maxLine ?? DEFAULT_MAX_LINE);
  try {
    const tail = new Tail(path, { splitter, stats, overload: OVERLOAD, onCut: () => false }, () => "end");
    const place = tail.place();
    tail.close();
    return place;
  } catch {
    return null;
  }
}

const NO_SINK: LineSink = () => undefined;
