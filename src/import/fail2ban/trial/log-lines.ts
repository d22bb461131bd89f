import { LF } from "../../../core/ascii.ts";
import { lineText } from "../../../match/line-text.ts";
import { hasWildcards } from "../../../source/file/glob.ts";
import { entryLine } from "../../../source/journal/entry-line.ts";
import { JOURNAL_FIELDS, LinePieces } from "../../../source/journal/line-pieces.ts";
import { newSourceStats } from "../../../source/source.ts";
import { ExportReader } from "../../../source/journal/export-format.ts";
import type { Disk } from "../disk.ts";
import { matching } from "./matching.ts";
import type { Log } from "../sources.ts";

/** The newest lines of a jail's logs, one character per byte. */
export interface LogLines {
  /** What was read, for messages. */
  readonly from: string;
  readonly lines: readonly string[];
}

/** Null, with the reason, when there is nothing to read. */
export function newestLines(logs: readonly Log[], disk: Disk): LogLines | { readonly fact: string } {
  const read = logs.map((log) =>
    log.kind === "files" ? fromFiles(log.paths, disk) : fromJournal(log, disk),
  );
  const found = read.flatMap((each) => ("lines" in each ? [each] : []));
  const [first] = read;
  if (found.length === 0) return first !== undefined && "fact" in first ? first : { fact: "it has no log" };
  return {
    from: found.map(({ from }) => from).join(", "),
    lines: found.flatMap(({ lines }) => lines).slice(-MOST_LINES),
  };
}

const MOST_LINES = 20_000;
const MOST_BYTES = 1 << 22;
/** Characters; longer lines are cut. */
const LONGEST_LINE = 8192;

function fromFiles(paths: readonly string[], disk: Disk): LogLines | { readonly fact: string } {
  const files = [...new Set(paths.flatMap((path) => (hasWildcards(path) ? matching(path, disk) : [path])))];
  if (files.length === 0) return { fact: `no file matches ${paths.join(", ")}` };
  const chosen = files.slice(-MOST_FILES);
  const share = Math.floor(MOST_BYTES / chosen.length);
  const read = chosen.map((path) => ({ path, ...disk.tail(path, share) }));
  const lines = read.flatMap((each) =>
    "bytes" in each ? linesOf(each.bytes, each.bytes.length === share) : [],
  );
  const [first] = read;
  if (first !== undefined && read.every((each) => "fact" in each))
    return { fact: `cannot read ${first.path}: ${"fact" in first ? first.fact : ""}` };
  const [only = ""] = chosen;
  return { from: chosen.length === 1 ? only : `${chosen.length} files like ${only}`, lines };
}

const MOST_FILES = 10;

/** Without the first line if it may be a part of one. */
function linesOf(bytes: Buffer, isPart: boolean): readonly string[] {
  const lines: string[] = [];
  let from = isPart ? bytes.indexOf(LF) + 1 : 0;
  while (from < bytes.length) {
    const end = bytes.indexOf(LF, from);
    const next = end < 0 ? bytes.length : end + 1;
    const line = lineText(bytes, from, next);
    if (line !== "") lines.push(line.slice(0, LONGEST_LINE));
    from = next;
  }
  return lines;
}

function fromJournal(log: Log, disk: Disk): LogLines | { readonly fact: string } {
  if (log.kind !== "journal") return { fact: "Stoplog has not written its log yet" };
  const printed = disk.journal([
    "--no-pager",
    "--quiet",
    "--output=export",
    `--output-fields=${JOURNAL_FIELDS.join(",")}`,
    `--lines=${MOST_LINES}`,
    ...(log.directory === null ? [] : [`--directory=${log.directory}`]),
    ...log.matches,
  ]);
  if (printed === null) return { fact: "cannot read the journal" };
  const lines: string[] = [];
  const pieces = new LinePieces(newSourceStats(), LONGEST_LINE);
  const reader = new ExportReader(FIELDS, LONGEST_LINE, (entry) => {
    const whole = pieces.join(entry);
    if (whole !== null) lines.push(entryLine(whole));
  });
  reader.push(printed);
  return { from: ["the journal", ...log.matches].join(" "), lines };
}

const FIELDS: ReadonlySet<string> = new Set([...JOURNAL_FIELDS, "__REALTIME_TIMESTAMP"]);
