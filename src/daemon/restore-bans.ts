import { join } from "node:path";
import type { Book } from "../book/book.ts";
import type { Ban } from "../core/ban.ts";
import type { Instant } from "../core/time.ts";
import { counted } from "../core/wording.ts";
import type { Allows } from "../jail/allows.ts";
import type { Log } from "../observe/log.ts";
import type { AllowRecord } from "../store/allow-record.ts";
import { type BansSince, BansSinceReader } from "../store/bans-since.ts";
import { readProgressTime } from "../store/progress.ts";
import { BANS_FILE, readBans } from "../store/read-bans.ts";
import { sayKept } from "../store/set-aside.ts";
import { startOptimizing } from "./optimizer.ts";
import type { Targets } from "./targets.ts";

export interface RestoreParts {
  readonly book: Book;
  readonly targets: Pick<Targets, "needsUnban" | "leftOver">;
  readonly allows: Pick<Allows, "restore">;
  readonly log: Pick<Log, "info" | "warn">;
}

/**
 * Puts the bans of the last run into the book. A journal that ended cleanly knows best. Any other one may lack the last bans, so the bans that the
 * firewall holds are adopted first, and the journal is read on top of them: what it says of an address counts.
 *
 *      firewall ─► book ◄─ journal: bans, unbans
 *
 * Returns what changed after the snapshot of the counters.
 */
export async function restoreBans(
  directory: string | null,
  { book, targets, allows, log }: RestoreParts,
  now: Instant,
): Promise<BansSince> {
  const saved = directory === null ? null : await readProgressTime(directory);
  const since = new BansSinceReader(saved ?? Number.NEGATIVE_INFINITY);
  const seeAllow = (record: AllowRecord): void => {
    allows.restore(record, now);
    since.seeAllow(record);
  };
  const options = { now, ended: targets.needsUnban, onLarge: startOptimizing, see: since.see, seeAllow };
  const read = directory === null ? null : await readBans(directory, book, options);
  if (directory !== null && read !== null && read.damage !== null) log.warn(sayDamage(directory, read));
  if (read?.isComplete !== true) {
    // A sound journal lacks the last tenth of a second at most; without one, the firewall is all there is.
    const isSound = read !== null && read.found && read.damage === null;
    for (const ban of await targets.leftOver(now, isSound ? undefined : MOST_ADOPTED)) book.restore(ban);
    if (directory !== null) await readBans(directory, book, { now, ended: options.ended });
  }
  const adopted = countOf(book.bans(), (ban) => ban.since === now && ban.origin === RESTORED);
  const restored = book.size - adopted;
  if (restored > 0) log.info(`Restored ${counted(restored, "ban")} of the last run`);
  if (adopted > 0)
    log.warn(
      `Adopted ${counted(adopted, "ban")} that the firewall holds${directory === null ? "" : ` and ${join(directory, BANS_FILE)} does not`}`,
    );
  return since.at(now);
}

/** A ban that an enforcer holds, as a ban of the book. One whose end cannot be read back ends after `bantime`. */
export function banFoundIn(
  { prefix, target, until }: Pick<Ban, "prefix" | "target"> & { readonly until: Instant | null },
  now: Instant,
  bantime: number,
): Ban {
  const reason = "found in the firewall";
  return { prefix, target, jail: "", reason, since: now, until: until ?? now + bantime, origin: RESTORED };
}

/** Bans of a set. Two busy cores need 20 s to list so many, which is the most that a set gets, and 5 s for 100,000. The daemon then takes 320 MB. */
const MOST_ADOPTED = 300_000;

/** The origin of such bans. */
const RESTORED = "restored";

function sayDamage(
  directory: string,
  { changes, damage }: { readonly changes: number; readonly damage: string | null },
): string {
  const path = join(directory, BANS_FILE);
  const rest =
    changes === 0 ? "nothing could be read from it" : `${counted(changes, "change")} could be read`;
  return `Cannot read all of ${path}: ${damage}; ${rest}; ${sayKept(path)}`;
}

function countOf<T>(items: Iterable<T>, isCounted: (item: T) => boolean): number {
  let count = 0;
  for (const item of items) if (isCounted(item)) count++;
  return count;
}
