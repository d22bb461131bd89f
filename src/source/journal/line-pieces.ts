import { LIMITS } from "../../core/limits.ts";
import type { SourceStats } from "../source.ts";
import { LINE_FIELDS } from "./entry-line.ts";
import type { JournalEntry } from "./export-format.ts";

/** The fields of entries that make lines. */
export const JOURNAL_FIELDS: readonly string[] = [...LINE_FIELDS, "_LINE_BREAK", "_STREAM_ID"];

/**
 * Joins the entries that journald made of one line of a service's output. journald ends an entry at LineMax (48 KiB by default), at a
 * NUL byte, and where another process writes into the same stream; the rest of the line is another entry. An attacker can choose where that
 * begins, so it must not be read as a line of its own. journald drops blanks at both ends of an entry (seen with systemd 252).
 *
 *      entry     _LINE_BREAK     given
 *      "a "      line-max        –
 *      "b "      line-max        –
 *      "c"                       "a b c"
 *
 * Bounded: `maxLine` bytes of a line, and `LIMITS.journalPieces` unfinished lines.
 */
export class LinePieces {
  readonly #stats: SourceStats;
  readonly #maxLine: number;
  /** By stream and process, longest waiting first. Null: the first pieces are lost, so the rest is skipped. */
  readonly #waiting = new Map<string, Waiting | null>();

  /** `unfinished` is that of the last run. */
  constructor(stats: SourceStats, maxLine: number, unfinished: readonly string[] = []) {
    this.#stats = stats;
    this.#maxLine = maxLine;
    for (const key of unfinished.slice(0, LIMITS.journalPieces.value)) this.#waiting.set(key, null);
  }

  /** The lines whose end has not come yet. After a restart their rests are skipped and counted. */
  get unfinished(): readonly string[] {
    return [...this.#waiting.keys()];
  }

  /** The whole line, with the fields of its first entry; null while its end is missing. */
  join(entry: JournalEntry): JournalEntry | null {
    const stream = entry.get("_STREAM_ID");
    if (stream === undefined) return entry;
    const ends = !CONTINUES.has(entry.get("_LINE_BREAK") ?? "");
    if (ends && this.#waiting.size === 0) return entry;
    const key = `${stream} ${entry.get("_PID") ?? ""}`;
    const before = this.#waiting.get(key);
    if (ends && before === undefined) return entry;
    const message = entry.get("MESSAGE") ?? "";
    if (before === null) {
      this.#shed(message.length);
      if (ends) this.#waiting.delete(key);
      return null;
    }
    const line = before ?? { first: entry, text: "" };
    line.text += this.#fitting(line.text.length, message);
    if (ends) {
      this.#waiting.delete(key);
      return new Map([...line.first, ["MESSAGE", line.text]]);
    }
    // A NUL byte is a byte of the line. The other breaks add none.
    if (entry.get("_LINE_BREAK") === "nul") line.text += this.#fitting(line.text.length, "\0");
    if (before === undefined) this.#add(key, line);
    return null;
  }

  /** As much of the text as the line has room for; one byte too many shows that the line is cut. */
  #fitting(length: number, text: string): string {
    const room = this.#maxLine + 1 - length;
    if (text.length <= room) return text;
    this.#shed(text.length - room);
    return text.slice(0, room);
  }

  #add(key: string, line: Waiting): void {
    if (this.#waiting.size >= LIMITS.journalPieces.value) {
      this.#dropOldest();
    }
    this.#waiting.set(key, line);
  }

  #dropOldest(): void {
    for (const [key, line] of this.#waiting) {
      this.#waiting.delete(key);
      this.#stats.shed++;
      this.#shed(line?.text.length ?? 0);
      return;
    }
  }

  #shed(bytes: number): void {
    this.#stats.shedBytes += bytes;
  }
}

interface Waiting {
  readonly first: JournalEntry;
  text: string;
}

/** The values of _LINE_BREAK after which the line goes on: systemd.journal-fields(7). After `eof` nothing comes. */
const CONTINUES: ReadonlySet<string> = new Set(["line-max", "nul", "pid-change"]);
