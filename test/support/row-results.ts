import { formatAddress, parseAddress } from "../../src/core/address.ts";
import { disk } from "../../src/import/fail2ban/disk.ts";
import { convertedLines, withFirstDate } from "../../src/import/fail2ban/jail-filter.ts";
import { Notes } from "../../src/import/fail2ban/notes.ts";
import { FileReader } from "../../src/import/fail2ban/read-files.ts";
import { readJails } from "../../src/import/fail2ban/read-jails.ts";
import type { LineMatch } from "../../src/core/line-match.ts";
import { compileFilter, type FilterDefinition } from "../../src/match/filter/filter.ts";
import { createMatcher } from "../../src/match/matcher.ts";
import { parseTimeZone } from "../../src/match/time/time-zone.ts";
import { type Instance, type Row, ROWS_NOW, ROWS_ZONE } from "./fail2ban-rows.ts";

/** A row that Stoplog reads otherwise than fail2ban. */
export interface Disagreement {
  readonly row: Row;
  readonly fact: string;
}

/** What a filter became. */
export interface ConvertedRows {
  readonly definition: FilterDefinition | null;
  /** What the import said about it. */
  readonly notes: readonly string[];
}

/** What the filters of a folder made by `rowsFolder` become. */
export function convertAll(folder: string, count: number): readonly ConvertedRows[] {
  const jails = readJails(folder, new FileReader(disk, new Notes()), new Notes())?.enabled ?? [];
  return Array.from({ length: count }, (_, i) => {
    const jail = jails.find(({ name }) => name === `row-${i}`);
    const notes = new Notes();
    if (jail === undefined) return { definition: null, notes: ["no such jail"] };
    const isJournal = jail.backend.name === "systemd";
    const choice = convertedLines(jail, { packaged: new Map(), disk, notes, isJournal });
    // As the import does without a log to try it on.
    const chosen = choice?.mayDateAnywhere === true ? withFirstDate(choice) : choice;
    return { definition: chosen?.definition ?? null, notes: notes.sentences };
  });
}

/**
 * Reads the rows of an instance in order with its converted filter. Null when a pattern was given up: the plain engine tries every pattern, and
 * may exhaust the work of a line.
 */
export function disagreements(
  instance: Instance,
  definition: FilterDefinition | null,
  engine: "naive" | "fast",
): readonly Disagreement[] | null {
  const { found, gaveUp } = matchesOf(
    instance.rows.map(({ line }) => line),
    definition,
    engine,
  );
  if (gaveUp) return null;
  return instance.rows.flatMap((row, i) => {
    const fact = factOf(row, found[i] ?? []);
    return fact === null ? [] : [{ row, fact }];
  });
}

/** The address that a converted filter finds in each line, in their order; null for none. */
export function addressesIn(
  lines: readonly string[],
  definition: FilterDefinition | null,
): readonly (string | null)[] {
  const { found } = matchesOf(lines, definition, "fast");
  return lines.map((_, i) => {
    const address = found[i]?.at(-1)?.address ?? null;
    return address === null ? null : formatAddress(address);
  });
}

/** The failures in each line. */
function matchesOf(
  lines: readonly string[],
  definition: FilterDefinition | null,
  engine: "naive" | "fast",
): { readonly found: readonly (readonly LineMatch[])[]; readonly gaveUp: boolean } {
  const filter = definition === null ? null : compileFilter(definition).filter;
  const zone = parseTimeZone(ROWS_ZONE);
  if (filter === null || zone === null) return { found: [], gaveUp: false };
  const matcher = createMatcher([filter], { engine });
  const found = lines.map((line) => {
    const matches: LineMatch[] = [];
    const bytes = Buffer.from(`${line}\n`, "latin1");
    matcher.scan({ bytes, start: 0, end: bytes.length, backlog: false }, { now: ROWS_NOW, zone }, (match) => {
      if (match.kind === "failure") matches.push(match);
    });
    return matches;
  });
  return { found, gaveUp: matcher.stats.givenUp > 0 };
}

function factOf(row: Row, [match]: readonly LineMatch[]): string | null {
  if (match === undefined) return row.isMatch ? "only fail2ban counts it" : null;
  if (!row.isMatch) return `only Stoplog counts it, for ${match.host}`;
  const wanted = row.host === null ? null : parseAddress(row.host);
  const shown = match.address === null ? match.host : formatAddress(match.address);
  const host = wanted === null ? row.host : formatAddress(wanted);
  if (host !== null && host.toLowerCase() !== shown.toLowerCase()) return `host ${shown}, not ${host}`;
  if (row.time === null || match.at === null) return row.time === null ? null : "no time";
  const time = localTime(match.at);
  // One sample has a day of one digit.
  return time === row.time.slice(0, 19).replace("-7T", "-07T") ? null : `time ${time}, not ${row.time}`;
}

/** As in the samples, in their zone. */
function localTime(at: number): string {
  return new Date(at).toLocaleString("sv-SE", { timeZone: ROWS_ZONE }).replace(" ", "T");
}
