import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readRegularFile } from "../../core/read-regular-file.ts";
import { DAY, type Instant } from "../../core/time.ts";
import type { ListSize } from "./check-list.ts";
import type { Validators } from "./fetch-list.ts";

/** The state of a list that outlives a restart. */
export interface Kept {
  /** The URL of the copy; null for a list that is not fetched. */
  readonly url: string | null;
  readonly validators: Validators;
  /** The list must not be fetched before this. */
  readonly next: Instant;
  /** The size of the version that was last in use. */
  readonly listed: ListSize | null;
}

export const NOTHING_KEPT: Kept = {
  url: null,
  validators: { etag: null, lastModified: null },
  next: 0,
  listed: null,
};

/**
 * A folder of the state directory with the files of each list:
 *
 *      NAME.list   the last good copy of a fetched list
 *      NAME.held   a copy that is held back
 *      NAME.new    a copy that is being fetched or checked
 *      NAME.json   the state
 */
export class KeptCopies {
  readonly #folder: string;

  /** The folder must exist. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  path(name: string, kind: "list" | "held" | "new"): string {
    return join(this.#folder, `${name}.${kind}`);
  }

  move(name: string, from: "held" | "new", to: "list" | "held"): void {
    renameSync(this.path(name, from), this.path(name, to));
  }

  remove(name: string, kind: "list" | "held" | "new"): void {
    rmSync(this.path(name, kind), { force: true });
  }

  /** A file that cannot be read, or is not ours, counts as missing. */
  read(name: string, now: Instant): Kept {
    try {
      const value = JSON.parse(readRegularFile(join(this.#folder, `${name}.json`), "utf8")) as Record<
        string,
        unknown
      >;
      const { url, etag, lastModified, next, listed } = value;
      return {
        url: textOrNull(url),
        validators: { etag: textOrNull(etag), lastModified: textOrNull(lastModified) },
        // If the clock was wrong when this was written, the list must not wait for years.
        next: typeof next === "number" && next <= now + 8 * DAY ? next : 0,
        listed: sizeOrNull(listed),
      };
    } catch {
      return NOTHING_KEPT;
    }
  }

  write(name: string, { validators, ...rest }: Kept): void {
    const path = join(this.#folder, `${name}.json`);
    // Never through a link: it is removed, and `wx` follows none.
    rmSync(`${path}.new`, { force: true });
    writeFileSync(`${path}.new`, `${JSON.stringify({ ...rest, ...validators })}\n`, {
      mode: 0o600,
      flag: "wx",
    });
    renameSync(`${path}.new`, path);
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function sizeOrNull(value: unknown): ListSize | null {
  if (typeof value !== "object" || value === null) return null;
  const { networks, v4, v6 } = value as Record<string, unknown>;
  return typeof networks === "number" && typeof v4 === "number" && typeof v6 === "number"
    ? { networks, v4, v6 }
    : null;
}
