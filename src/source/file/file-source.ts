import type { LineSink } from "../../core/batch.ts";
import { StoplogError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { DEFAULT_MAX_LINE } from "../line-splitter.ts";
import { newSourceStats, type Source, type SourcePosition } from "../source.ts";
import { Follower, type FollowOptions } from "./follower.ts";
import { OVERLOAD } from "./gaps.ts";
import { type Glob, hasWildcards, parseGlob } from "./glob.ts";
import { type FileOptions, START } from "./kind.ts";
import { type Places, readPlaces, savePlaces } from "./place.ts";

/** Follows log files as they grow, through rotation and truncation, and files that appear later. */
export class FileSource implements Source {
  readonly kind = "file";
  readonly name: string;
  readonly stats = newSourceStats();
  readonly #options: FollowOptions;
  #places: Places | null;
  #follower: Follower | null = null;

  /** Throws a StoplogError for an invalid path. */
  constructor(name: string, options: FileOptions, position: SourcePosition | null = null) {
    const paths = typeof options.path === "string" ? [options.path] : options.path;
    this.name = name;
    this.#places = readPlaces(position);
    this.#options = {
      globs: paths.map(readGlob),
      literal: new Set(paths.filter((path) => !hasWildcards(path))),
      start: options.start ?? START,
      maxLine: options.maxLine ?? DEFAULT_MAX_LINE,
      maxFiles: options.maxFiles ?? LIMITS.files.value,
      maxRotated: options.maxRotated ?? LIMITS.rotatedBytes.value,
      overload: {
        maxBehind: options.maxBehind ?? OVERLOAD.maxBehind,
        maxGaps: options.maxGaps ?? OVERLOAD.maxGaps,
      },
    };
  }

  async run(sink: LineSink, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const follower = new Follower(this.#options, this.stats, sink, this.#places);
    this.#follower = follower;
    try {
      follower.start();
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    } finally {
      follower.stop();
      this.#places = { savedAt: Date.now(), files: follower.places() };
      this.#follower = null;
      this.stats.waitingBytes = 0;
      this.stats.laterBytes = 0;
      this.stats.state = "stopped";
    }
  }

  trouble(): string | null {
    return this.#follower?.trouble() ?? null;
  }

  position(): SourcePosition | null {
    const places =
      this.#follower === null ? this.#places : { savedAt: Date.now(), files: this.#follower.places() };
    return places === null ? null : savePlaces(places);
  }
}

function readGlob(path: string): Glob {
  const glob = parseGlob(path);
  if (typeof glob === "string") throw new StoplogError(`Cannot follow ${path}: ${glob}`);
  return glob;
}
