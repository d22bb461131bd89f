import type { Instant } from "../../../core/time.ts";
import { compileFilter } from "../../../match/filter/filter.ts";
import type { ScanContext } from "../../../match/scan.ts";
import { localZone } from "../../../match/time/time-zone.ts";
import type { Disk } from "../disk.ts";
import {
  convertedLines,
  type FilterChoice,
  type FilterContext,
  untriedChoice,
  withFirstDate,
} from "../jail-filter.ts";
import { Notes } from "../notes.ts";
import type { Jail } from "../read-jails.ts";
import type { Log } from "../sources.ts";
import { type LogLines, newestLines } from "./log-lines.ts";
import { type Original, originalOf } from "./original.ts";
import { type Trial, trialFact, tryBoth } from "./trial.ts";

/** Tries the filters of jails on their own logs, beside fail2ban's. */
export class Trials {
  readonly #disk: Disk;
  readonly #notes: Notes;
  readonly #context: ScanContext;
  /** Logs that several jails read. */
  readonly #logs = new Map<string, LogLines | { readonly fact: string }>();

  constructor(disk: Disk, notes: Notes, now: Instant) {
    this.#disk = disk;
    this.#notes = notes;
    this.#context = { now, zone: localZone() };
  }

  /** The filter that fits the log best, with a note on what it and fail2ban's find there. */
  chosen(jail: Jail, first: FilterChoice, logs: readonly Log[], context: FilterContext): FilterChoice {
    const ways = [first, ...(first.mayDateAnywhere ? [withFirstDate(first)] : [])];
    // It counts the bans of Stoplog's own log.
    if (first.ours === "recidive") return first;
    const log = this.#lines(logs);
    const original = "fact" in log ? null : originalOf(first.original);
    if (original === null || "fact" in log) {
      this.#notes.say(`${jail.name}: not tried on its log: ${"fact" in log ? log.fact : UNTRIED}`);
      return untriedChoice(first);
    }
    const tried = ways.map((choice) => ({ choice, trial: this.#trial(original, choice, log) }));
    const plain = tried[0]?.trial ?? null;
    if (plain === null) return first;
    if (this.#isWorse(jail, first, { original, log, plain }, context)) {
      const fact = `Stoplog's filter ${first.ours} matches none of the lines that fail2ban's does in this log`;
      this.#notes.say(`${jail.name}: converted, because ${fact}`);
      const converted = convertedLines(jail, context);
      if (converted !== null) return this.chosen(jail, converted, logs, context);
    }
    const isUntimed = plain.untimed.count > 0 || plain.theirs === 0;
    const best = isUntimed ? tried.findLast(({ trial }) => trial !== null) : tried[0];
    const fact = trialFact(best?.trial ?? plain, original.untried);
    this.#notes.say(`${jail.name}: tried on ${log.from}: ${fact}`);
    return best?.choice ?? first;
  }

  /** Whether Stoplog's own filter matches none of the lines that fail2ban's does, and the converted filter would. */
  #isWorse(
    jail: Jail,
    { ours }: FilterChoice,
    { original, log, plain }: Tried,
    context: FilterContext,
  ): boolean {
    if (ours === null || plain.theirs === 0 || plain.onlyTheirs.count < plain.theirs) return false;
    const converted = convertedLines(jail, { ...context, notes: new Notes() });
    const trial = converted === null ? null : this.#trial(original, converted, log);
    return trial !== null && trial.onlyTheirs.count < plain.onlyTheirs.count;
  }

  #trial(original: Original, { definition }: FilterChoice, { lines }: LogLines): Trial | null {
    const { filter } = compileFilter(definition);
    return filter === null ? null : tryBoth(original, filter, lines, this.#context);
  }

  #lines(logs: readonly Log[]): LogLines | { readonly fact: string } {
    const key = JSON.stringify(logs);
    const known = this.#logs.get(key) ?? newestLines(logs, this.#disk);
    // Only the newest log: jails of the same log mostly follow each other, and logs take memory.
    this.#logs.clear();
    this.#logs.set(key, known);
    return known;
  }
}

interface Tried {
  readonly original: Original;
  readonly log: LogLines;
  readonly plain: Trial;
}

const UNTRIED = "its patterns are of a kind that Stoplog does not run";
