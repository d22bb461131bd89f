import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type FilterReading, readFilterText } from "../../src/config/filters.ts";
import { type CompiledFilter, compileFilter } from "../../src/match/filter/filter.ts";
import type { ScanContext } from "../../src/match/scan.ts";
import { fixedZone } from "../../src/match/time/time-zone.ts";
import { parseSamples, type Sample } from "./samples.ts";

/** One folder of filters/. */
export interface LibraryFilter {
  readonly name: string;
  /** The text of filter.yaml. */
  readonly text: string;
  readonly reading: FilterReading;
  /** Null when it does not compile. */
  readonly filter: CompiledFilter | null;
  readonly samples: readonly Sample[];
}

/** The time at which samples are read: shortly after they were written, in UTC. */
export const CONTEXT: ScanContext = { now: Date.parse("2026-11-20T15:00:00Z"), zone: fixedZone(0) };

export function readLibrary(): LibraryFilter[] {
  const root = fileURLToPath(new URL("../../filters", import.meta.url));
  const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.map(({ name }) => {
    const file = join(root, name, "filter.yaml");
    const text = readFileSync(file, "utf8");
    const reading = readFilterText(text, file, name);
    const { filter } = compileFilter(reading.definition);
    const samples = parseSamples(readFileSync(join(root, name, "samples.log"), "latin1"));
    return { name, text, reading, filter, samples };
  });
}
