import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TargetConfig } from "../config/config.ts";
import { findOpenFiles, refusalsOf } from "../config/open-files.ts";
import { cannot } from "../core/errors.ts";
import { replaceFile } from "../core/replace-file.ts";
import { ENFORCER_KINDS, placesOf } from "../enforce/kinds.ts";

export interface LastTargetsDeps {
  /** Whether no other daemon uses this object of the kernel or this file. */
  readonly isFree: (place: string) => boolean;
  readonly warn: (sentence: string) => void;
}

/**
 * The targets of the last run, in the state directory. Where the configuration was edited while no daemon ran, only they tell what the kernel may
 * still hold that no target has any longer.
 */
export class LastTargets {
  readonly #path: string;
  readonly #deps: LastTargetsDeps;
  /** What the file holds. */
  #written = "";

  constructor(directory: string, deps: LastTargetsDeps) {
    this.#path = join(directory, "targets.json");
    this.#deps = deps;
  }

  /** Those of the last run if one of them is not in the configuration as it was, without those that another daemon has now; otherwise none. */
  changed(now: readonly TargetConfig[]): readonly TargetConfig[] {
    const present = new Set(now.map(textOf));
    const last = this.#read().filter((target) => this.#isOurs(target));
    return last.every((target) => present.has(textOf(target))) ? [] : last;
  }

  /** Remembers the targets for the next run. Call it once the kernel holds no bans at others. */
  async remember(targets: readonly TargetConfig[]): Promise<void> {
    const text = `${JSON.stringify({ version: 1, targets })}\n`;
    if (text === this.#written) return;
    try {
      await replaceFile(this.#path, [text]);
      this.#written = text;
    } catch (error) {
      this.#deps.warn(cannot(`remember the targets in ${this.#path}`, error).message);
    }
  }

  /** None without a file, or with one that cannot be used. It names files and programs, so only a file that no other user can write counts. */
  #read(): readonly TargetConfig[] {
    try {
      const text = readFileSync(this.#path, "utf8");
      const [refusal] = refusalsOf(findOpenFiles([this.#path]));
      if (refusal !== undefined) {
        this.#deps.warn(refusal);
        return [];
      }
      this.#written = text;
      const { targets } = JSON.parse(text) as { targets?: unknown };
      return Array.isArray(targets) ? targets.filter(isTarget) : [];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT")
        this.#deps.warn(cannot(`read the targets of the last run`, error).message);
      return [];
    }
  }

  #isOurs({ enforcers }: TargetConfig): boolean {
    return enforcers.flatMap(placesOf).every((place) => this.#deps.isFree(place));
  }
}

/** Null without a state directory. */
export function lastTargets(directory: string | null, deps: LastTargetsDeps): LastTargets | null {
  return directory === null ? null : new LastTargets(directory, deps);
}

/** Where a target bans: its bantime does not matter. */
function textOf({ name, enforcers }: TargetConfig): string {
  return JSON.stringify({ name, enforcers });
}

function isTarget(value: unknown): value is TargetConfig {
  const { name, enforcers } = (value ?? {}) as Partial<TargetConfig>;
  const known = new Set(ENFORCER_KINDS.map((kind) => kind.name));
  return (
    typeof name === "string" &&
    Array.isArray(enforcers) &&
    enforcers.length > 0 &&
    enforcers.every((spec: unknown) => {
      const { enforcer, name: of } = (spec ?? {}) as { enforcer?: unknown; name?: unknown };
      return of === name && typeof enforcer === "string" && known.has(enforcer);
    })
  );
}
