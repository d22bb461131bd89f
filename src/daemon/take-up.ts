import type { Book } from "../book/book.ts";
import type { Ban } from "../core/ban.ts";
import { factOf } from "../core/errors.ts";
import type { Instant } from "../core/time.ts";
import type { Log } from "../observe/log.ts";
import { readBans } from "../store/ban-journal.ts";
import type { Enforcing } from "./enforcing.ts";
import { startOptimizing } from "./optimizing.ts";

export interface TakeUpParts {
  readonly book: Book;
  readonly enforcing: Enforcing;
  readonly log: Log;
}

/** Puts the bans of the last run into the book: by its notes in the state directory, or else by what the kernel holds. */
export async function takeUpBans(
  directory: string | null,
  { book, enforcing, log }: TakeUpParts,
  now: Instant,
): Promise<void> {
  // Those that ended meanwhile are lifted at the first tick, wherever the kernel does not do it by itself.
  const options = { now, ended: enforcing.needsLifting, onLarge: startOptimizing };
  const read = directory === null ? null : await readBans(directory, book, options);
  if (read?.found !== true) for (const ban of await leftOver(enforcing, log, now)) book.ban(ban);
  if (book.size > 0) log.info(`Took up ${book.size} bans of the last run`);
  if (directory === null || read === null || read.torn === 0) return;
  log.warn(`Cannot read ${read.torn} lines of the bans in ${directory}: they are torn; the rest stands`);
}

/** What the kernel holds when our own notes are lost. Too much to be read back is no reason not to start. */
async function leftOver(enforcing: Enforcing, log: Log, now: Instant): Promise<readonly Ban[]> {
  try {
    return await enforcing.leftOver(now);
  } catch (error) {
    log.warn(`${factOf(error)}: these bans are lifted`);
    return [];
  }
}
