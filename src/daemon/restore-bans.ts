import type { Book } from "../book/book.ts";
import type { Ban } from "../core/ban.ts";
import { factOf } from "../core/errors.ts";
import type { Instant } from "../core/time.ts";
import type { Log } from "../observe/log.ts";
import { readBans } from "../store/ban-journal.ts";
import { startOptimizing } from "./optimizer.ts";
import type { Targets } from "./targets.ts";

export interface RestoreParts {
  readonly book: Book;
  readonly targets: Targets;
  readonly log: Log;
}

/** Puts the bans of the last run into the book: from the journal in the state directory, else from the kernel. */
export async function restoreBans(
  directory: string | null,
  { book, targets, log }: RestoreParts,
  now: Instant,
): Promise<void> {
  const options = { now, ended: targets.needsUnban, onLarge: startOptimizing };
  const read = directory === null ? null : await readBans(directory, book, options);
  if (read?.found !== true) for (const ban of await leftOver(targets, log, now)) book.ban(ban);
  if (book.size > 0) log.info(`Restored ${book.size} bans of the last run`);
  if (directory === null || read === null || read.torn === 0) return;
  log.warn(
    `Cannot read ${read.torn} lines of the bans in ${directory}: they are damaged; the others are restored`,
  );
}

/** A kernel that cannot be read back must not keep the daemon from starting. */
async function leftOver(targets: Targets, log: Log, now: Instant): Promise<readonly Ban[]> {
  try {
    return await targets.leftOver(now);
  } catch (error) {
    log.warn(`${factOf(error)}: removing these bans`);
    return [];
  }
}
