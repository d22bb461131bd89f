import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DAY, type Instant } from "../../core/time.ts";
import type { ListSize } from "./check-list.ts";
import type { Validators } from "./fetch-list.ts";

/** What is remembered of a list over a restart. */
export interface Kept {
  /** Where the copy is from; null for lists that are not fetched. */
  readonly url: string | null;
  readonly validators: Validators;
  /** Not to be asked for before. */
  readonly next: Instant;
  /** How large the list was that was last in use. */
  readonly listed: ListSize | null;
}

export const NOTHING_KEPT: Kept = {
  url: null,
  validators: { etag: null, lastModified: null },
  next: 0,
  listed: null,
};

/**
 * A folder of the state directory that holds, of each list:
 *
 *      NAME.list   the last good copy of one that is fetched
 *      NAME.held   one that was held back
 *      NAME.new    one that is being fetched or judged
 *      NAME.json   what is remembered
 */
export class KeptCopies {
  readonly #folder: string;

  /** The folder must be there. */
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

  /** What cannot be read, or was written by another program, is as if it were not there. */
  read(name: string, now: Instant): Kept {
    try {
      const value = JSON.parse(readFileSync(join(this.#folder, `${name}.json`), "utf8")) as Record<
        string,
        unknown
      >;
      const { url, etag, lastModified, next, listed } = value;
      return {
        url: textOrNull(url),
        validators: { etag: textOrNull(etag), lastModified: textOrNull(lastModified) },
        // A clock that was wrong then must not keep a list from being fetched for years.
        next: typeof next === "number" && next <= now + 8 * DAY ? next : 0,
        listed: sizeOrNull(listed),
      };
    } catch {
      return NOTHING_KEPT;
    }
  }

  write(name: string, { validators, ...rest }: Kept): void {
    const path = join(this.#folder, `${name}.json`);
    writeFileSync(`${path}.new`, `${JSON.stringify({ ...rest, ...validators })}\n`, { mode: 0o600 });
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
