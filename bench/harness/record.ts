import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Definition } from "../definition.ts";
import type { Report, Settings } from "../workloads/workload.ts";
import { root } from "./engine-bundle.ts";
import type { Machine } from "./machine.ts";

/** The part of a record for one definition. */
export interface Recorded {
  readonly definition: Definition;
  readonly report: Report;
}

/** Writes bench/record/DATE-MACHINE.json: every figure, the machine and the versions of the programs. */
export function writeRecord(
  results: readonly Recorded[],
  machine: Machine,
  settings: Settings,
  now: Date,
): string {
  const folder = join(root, "bench/record");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${now.toISOString().slice(0, 10)}-${machine.id}.json`);
  const record = { at: now.toISOString(), revision: revision(), machine, settings, results };
  writeFileSync(path, `${JSON.stringify(record, null, 1)}\n`);
  return path;
}

/** The measured commit, marked when the working tree differs from it. */
function revision(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
    return (
      git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain", "src") === "" ? "" : " and changes")
    );
  } catch {
    return "unknown";
  }
}
