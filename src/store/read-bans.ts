import { join } from "node:path";
import type { Book } from "../book/book.ts";
import { factOf } from "../core/errors.ts";
import type { Instant } from "../core/time.ts";
import { type AllowRecord, readAllow } from "./allow-record.ts";
import { readRecord, type SeeRecord } from "./ban-record.ts";
import { readLines } from "./read-lines.ts";

export const BANS_FILE = "bans.jsonl";

/** The first line of a journal. */
export const HEAD_LINE = '{"journal":"bans","version":1}\n';

/** The last line of a journal that holds everything. */
export function endLine(now: Instant): string {
  return `{"end":${now}}\n`;
}

/** The outcome of reading the journal. */
export interface ReadBans {
  /** False when there was no journal. */
  readonly found: boolean;
  /** Whether it holds everything that the last run knew: it ended cleanly, and no line is damaged. */
  readonly isComplete: boolean;
  /** Bans and unbans that were read. */
  readonly changes: number;
  /** What is damaged, as a fact: `2 lines are damaged`, `permission denied`. Null for a journal that could be read. */
  readonly damage: string | null;
}

export interface ReadBansOptions {
  readonly now: Instant;
  /** Whether to restore bans that expired while the daemon was down, so that they are unbanned. */
  readonly ended: boolean;
  /** As `readLines` has it. */
  readonly onLarge?: () => void;
  /** Called with every record, in order. */
  readonly see?: SeeRecord | undefined;
  /** Called with every order to allow and every one that was taken back, in order. */
  readonly seeAllow?: ((record: AllowRecord) => void) | undefined;
}

/**
 * Restores the bans of the last run into the book, change by change as they were written; the feed does not report them. What cannot be read is
 * skipped and described, whatever is at the path.
 */
export async function readBans(
  directory: string,
  book: Book,
  { now, ended, onLarge, see, seeAllow }: ReadBansOptions,
): Promise<ReadBans> {
  let changes = 0;
  let damaged = 0;
  let hasHead = false;
  let hasEnd = false;
  const apply: SeeRecord = (kind, ban, end) => {
    see?.(kind, ban, end);
    changes++;
    if (kind === "ban" && (ended || ban.until > now)) book.restore(ban);
    else book.unrestore(ban);
  };
  const take = (line: string): void => {
    if (line === "") return;
    hasEnd = END.test(line);
    if (hasEnd) return;
    const allow = readAllow(line);
    if (allow !== null) seeAllow?.(allow);
    else if (line === HEAD) hasHead = true;
    else if (!readRecord(line, apply)) damaged++;
  };
  let fault: string | null = null;
  try {
    for await (const lines of readLines(join(directory, BANS_FILE), onLarge))
      for (const line of lines) take(line);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      return { found: false, isComplete: false, changes, damage: null };
    fault = factOf(error);
  }
  if (fault === null && damaged > 0)
    fault = damaged === 1 ? "1 line is damaged" : `${damaged} lines are damaged`;
  if (fault === null && !hasHead && changes === 0) fault = "it is empty";
  return { found: true, isComplete: fault === null && hasHead && hasEnd, changes, damage: fault };
}

const HEAD = HEAD_LINE.trimEnd();
const END = /^\{"end":\d+\}$/;
