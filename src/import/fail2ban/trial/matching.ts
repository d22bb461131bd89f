import { dirname, join } from "node:path";
import { type GlobPart, parseGlob } from "../../../source/file/glob.ts";
import type { Disk } from "../disk.ts";

/** The files that a path with wildcards names now, up to a number. */
export function matching(path: string, disk: Disk): readonly string[] {
  const glob = parseGlob(path);
  if (typeof glob === "string") return [];
  return glob.ways.flatMap((parts) =>
    parts.reduce<readonly string[]>(
      (found, part) => found.flatMap((at) => next(at, part, disk)).slice(0, MOST_MATCHES),
      ["/"],
    ),
  );
}

const MOST_MATCHES = 1000;

function next(at: string, part: GlobPart, disk: Disk): readonly string[] {
  if (part.kind === "name") return [join(at, part.name)];
  if (part.kind === "folders") return [at];
  return disk
    .list(at)
    .filter(
      (path) =>
        dirname(path) === (at === "/" ? "/" : at) && part.matches(path.slice(at === "/" ? 1 : at.length + 1)),
    );
}
