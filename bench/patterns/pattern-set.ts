import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FilterDefinition } from "../../src/match/filter/filter.ts";
import { workFolder } from "../corpora/cache.ts";
import { HAND_WRITTEN } from "./hand-written.ts";
import { syntheticPatterns } from "./synthetic.ts";

/** Only the first ten match lines, so sets of every size find the same failures. */
export function patternSet(count: number): readonly string[] {
  return [...HAND_WRITTEN, ...syntheticPatterns(count - HAND_WRITTEN.length)].slice(0, count);
}

/** As filters of ten patterns each: an installation has many small filters. With `sessions`, those of sshd have its process number as id. */
export function filterDefinitions(count: number, sessions = false): readonly FilterDefinition[] {
  const patterns = patternSet(count).map((pattern) =>
    sessions ? pattern.replace(PROCESS, String.raw`sshd\[<F-MLFID>[0-9]+</F-MLFID>\]`) : pattern,
  );
  return Array.from({ length: Math.ceil(count / 10) }, (_, i) => ({
    name: `bench-${i}`,
    failregex: patterns.slice(i * 10, i * 10 + 10),
    ignoreregex: [],
    goodregex: [],
  }));
}

const PROCESS = String.raw`sshd\[[0-9]+\]`;

/** One per line, as grep -E -f and rg -f read them: a run of address characters replaces the host. */
export function patternFile(count: number): string {
  mkdirSync(workFolder, { recursive: true });
  const path = join(workFolder, `patterns-${count}.txt`);
  writeFileSync(
    path,
    `${patternSet(count)
      .map((pattern) => pattern.replace("<HOST>", "[0-9a-fA-F.:]+"))
      .join("\n")}\n`,
  );
  return path;
}
