import { type Address, formatAddress } from "../../core/address.ts";
import type { LineMatch } from "../../core/line-match.ts";
import type { Instant } from "../../core/time.ts";
import type { CompiledFilter } from "../filter/filter.ts";
import { BoundedRun } from "./bounded-run.ts";
import type { Settled } from "./steps/step-search.ts";
import type { Match } from "./dfa/walk.ts";
import { hostAddress } from "./host-address.ts";
import type { MatcherStats, ScanContext } from "../scan.ts";
import type {
  Capture,
  CompiledPattern,
  CompiledPrefix,
  CompiledTest,
  SessionGroups,
} from "../filter/pattern.ts";
import { type SessionLine, Sessions } from "../session/sessions.ts";
import type { Origin } from "../plain/plain-lines.ts";
import { unwrapRepeated } from "../run/repeated-message.ts";
import { readTimestamp } from "../time/read-timestamp.ts";

/**
 * Runs the patterns of filters on one line at a time and makes the match. Both engines use it, so they differ only in the lines and
 * patterns that they try.
 */
export class Confirmer {
  readonly #stats: MatcherStats;
  readonly #run: BoundedRun;
  #context: ScanContext | null = null;
  /** The line as its program wrote it. */
  #line = "";
  /** The line as it is in the log; null when it is the same. */
  #origin: Origin | null = null;
  /** The line without the wrapper of repeated messages, which is what patterns see. */
  #subject = "";
  #count = 1;
  /** Whether the end of the line is missing. */
  #isCut = false;
  /** The pattern by which the line told of a session and did not count; null for none. */
  noted: CompiledPattern | null = null;
  /** Where the last match is in the text that the patterns saw, ignored and noted ones too; null for none. */
  span: MatchSpan | null = null;
  /** Null before the first line of a session. */
  #sessions: Sessions | null = null;
  #log: object | undefined = undefined;
  readonly #sessionLine: SessionLine = {
    id: "",
    filter: 0,
    at: 0,
    age: 0,
    address: null,
    hasHost: false,
    user: "",
    isNote: false,
    isGained: false,
    isBegin: false,
    isEnd: false,
  };
  /** The time in the line, read without a datepattern; undefined before it was read. */
  #at: Instant | null | undefined = undefined;

  constructor(stats: MatcherStats) {
    this.#stats = stats;
    this.#run = new BoundedRun(stats);
  }

  /** The line without the wrapper of repeated messages. */
  get subject(): string {
    return this.#subject;
  }

  /** Whether the end of the line is missing, or may be. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Makes the patterns see these lines, of which the current one is the last. */
  widen(text: string): void {
    this.#subject = text;
    this.#isCut = false;
    this.#run.begin(text.length);
  }

  /** Sets the log of the next lines. */
  enter(log: object | undefined): void {
    this.#log = log;
  }

  /** Whether the line has the wrapper of repeated messages. */
  get isRepeated(): boolean {
    return this.#subject !== this.#line;
  }

  /**
   * Takes another line, of `length` bytes without its LF. `mayRepeat` is false when the line is known not to contain REPEATED_LITERAL.
   */
  begin(
    line: string,
    length: number,
    context: ScanContext,
    { mayRepeat = true, origin }: { readonly mayRepeat?: boolean; readonly origin: Origin | null },
  ): void {
    const isCut = isCutLine(line, length, context, origin);
    const repeated = mayRepeat ? unwrapRepeated(line, isCut) : null;
    this.#isCut = isCut;
    this.#line = line;
    this.#origin = origin;
    this.#subject = repeated === null ? line : repeated.text;
    this.#count = repeated === null ? 1 : repeated.count;
    this.#context = context;
    this.#at = undefined;
    this.noted = null;
    this.span = null;
    this.#stats.candidates++;
    if (isCut) this.#stats.cutLines++;
    this.#run.begin(line.length);
  }

  /**
   * The match of the filter in the line; null for none. With `marks`, it tries only patterns whose mark is `generation`; `base` is
   * the place of the filter's first mark. `place` is the filter's own, for the match.
   */
  match(
    filter: CompiledFilter,
    place: number,
    marks: Int32Array | null = null,
    base = 0,
    generation = 0,
  ): LineMatch | null {
    let content = this.#subject;
    let isCut = this.#isCut;
    let prefix: Match | null = null;
    if (filter.prefix !== null) {
      prefix = this.#exec(filter.prefix, content, isCut);
      if (prefix === null) return null;
      content = prefix[filter.prefix.content] ?? "";
      // What ends before the cut is whole.
      if (isCut) isCut = this.#run.reachesCut;
    }
    const patterns = filter.patterns;
    for (let i = 0; i < patterns.length; i++) {
      if (marks !== null && marks[base + i] !== generation) continue;
      const pattern = patterns[i]!;
      const match = this.#exec(pattern, content, isCut);
      if (match === null) continue;
      const found = { pattern, match, prefix };
      const id = filter.session === null ? "" : sessionText("id", filter, found);
      const host = this.#hostOf(filter, found);
      if (host === null || (host.text === "" && id === "")) continue;
      if (filter.maxlines > 1) this.span = spanOf(found, content.length);
      return this.#judged(filter, place, found, { id, host });
    }
    return null;
  }

  /** What a match comes to; null when it is ignored or only notes something. */
  #judged(filter: CompiledFilter, place: number, found: Found, { id, host }: Said): LineMatch | null {
    if (this.isIgnored(filter)) {
      this.#stats.ignored++;
      return null;
    }
    const isNote = found.pattern.kind === "failure" && sessionText("note", filter, found) !== "";
    const counted = id === "" ? (isNote ? null : host) : this.#inSession(filter, place, found, { id, host });
    if (counted === null) this.noted = found.pattern;
    return counted === null ? null : this.#counted(this.#made(filter, place, found, counted));
  }

  /** The host for which a line of a session counts; null when it only tells of the session. */
  #inSession(filter: CompiledFilter, place: number, found: Found, { id, host }: Said): Host | null {
    const isGood = found.pattern.kind === "good";
    const isNote = sessionText("note", filter, found) !== "";
    // The rest of the line might end the session or name another address.
    if (this.#isCut) return isNote || host.text === "" ? null : host;
    const { now } = this.#context!;
    const sessions = (this.#sessions ??= new Sessions());
    sessions.enter(this.#log);
    const line = this.#sessionLine;
    line.id = id;
    line.filter = place;
    line.at = this.#timeFor(filter) ?? now;
    line.age = filter.session ?? 0;
    line.address = host.address;
    line.hasHost = host.text !== "";
    line.user = sessionText("user", filter, found);
    line.isNote = isNote;
    line.isGained = isGood || sessionText("gained", filter, found) !== "";
    line.isBegin = sessionText("begin", filter, found) !== "";
    line.isEnd = sessionText("end", filter, found) !== "";
    const counts = sessions.counts(line);
    this.#stats.sessionsForgotten = sessions.table.forgotten;
    const { remembered } = sessions;
    const known = remembered === null ? host : { text: formatAddress(remembered), address: remembered };
    return (counts || isGood) && known.text !== "" ? known : null;
  }

  /** Whether an ignoreregex excludes the line. */
  isIgnored(filter: CompiledFilter): boolean {
    const text = this.span === null ? this.#subject : linesAround(this.#subject, this.span);
    for (const test of filter.ignore) {
      if (this.#exec(test, text, this.#isCut) !== null) return true;
    }
    return false;
  }

  #exec(test: CompiledTest, text: string, isCut: boolean): Match | null {
    this.#stats.tries++;
    const match = isCut ? this.#run.execCut(test, text, settledOf(test)) : this.#run.exec(test, text);
    if (match === undefined) this.#stats.givenUp++;
    return match ?? null;
  }

  /** The host that the line names, with no text when it names none; null when it must be an address and is not. */
  #hostOf(filter: CompiledFilter, { pattern, match, prefix }: Found): Host | null {
    let text = firstGroup(pattern.hosts, match);
    let needsAddress = pattern.needsAddress;
    if (text === "" && prefix !== null && filter.prefix !== null) {
      text = firstGroup(filter.prefix.hosts, prefix);
      needsAddress = filter.prefix.needsAddress;
    }
    if (text === "") return NO_HOST;
    const address = hostAddress(text);
    return address === null && needsAddress ? null : { text, address };
  }

  #made(filter: CompiledFilter, place: number, found: Found, host: Host): LineMatch {
    const { pattern, match, prefix } = found;
    return {
      kind: pattern.kind,
      filter: place,
      pattern: pattern.index,
      host: host.text,
      address: host.address,
      at: this.#timeFor(filter),
      count: this.#count,
      line: this.#origin?.line ?? this.#line,
      captures: this.#captures(filter, place, pattern, match, prefix),
    };
  }

  #captures(
    filter: CompiledFilter,
    place: number,
    pattern: CompiledPattern,
    match: Match,
    prefix: Match | null,
  ): Readonly<Record<string, string>> {
    const { capturing } = this.#context!;
    if (capturing !== undefined && capturing !== place) return NO_CAPTURES;
    const own = capturesOf(pattern.captures, match);
    if (prefix === null || filter.prefix === null || filter.prefix.captures.length === 0) return own;
    return { ...capturesOf(filter.prefix.captures, prefix), ...own };
  }

  #timeFor(filter: CompiledFilter): Instant | null {
    const { now, zone } = this.#context!;
    if (filter.maxlines > 1) return this.#timeOfLines(filter);
    if (filter.date !== null) return filter.date.read(this.#line, now, zone) ?? this.#timeOfOrigin();
    if (this.#at === undefined) this.#at = readTimestamp(this.#line, now, zone) ?? this.#timeOfOrigin();
    return this.#at;
  }

  /** The time in the last line that has one. */
  #timeOfLines({ date }: CompiledFilter): Instant | null {
    const { now, zone } = this.#context!;
    const lines = this.#subject.split("\n");
    for (let i = lines.length - 1; i >= 0; i--) {
      const line = lines[i]!;
      const at = date === null ? readTimestamp(line, now, zone) : date.read(line, now, zone);
      if (at !== null) return at;
    }
    return this.#timeOfOrigin();
  }

  #timeOfOrigin(): Instant | null {
    const { now, zone } = this.#context!;
    const time = this.#origin?.time ?? null;
    return time === null ? null : readTimestamp(time, now, zone);
  }

  #counted(match: LineMatch): LineMatch {
    if (match.kind === "failure") this.#stats.failures++;
    else this.#stats.good++;
    if (match.at === null) this.#stats.undated++;
    if (match.address === null) this.#stats.names++;
    return match;
  }
}

/** What a match took of several lines. */
export interface MatchSpan {
  readonly from: number;
  readonly to: number;
  /** Whole lines in between that `<SKIPLINES>` skipped. */
  readonly skipped: readonly string[];
}

/** With a prefregex, the match took everything that the patterns saw. */
function spanOf({ pattern, match, prefix }: Found, length: number): MatchSpan {
  if (prefix !== null) return { from: 0, to: Number.MAX_SAFE_INTEGER, skipped: [] };
  const skipped = pattern.skipped.flatMap((group) => (match[group] ?? "").split("\n").slice(0, -1));
  return { from: match.index, to: Math.min(length, match.index + (match[0] ?? "").length), skipped };
}

/** The lines that a match touches. */
function linesAround(text: string, { from, to }: MatchSpan): string {
  const begin = text.lastIndexOf("\n", from - 1) + 1;
  const end = text.indexOf("\n", to);
  return text.slice(from === 0 ? 0 : begin, end < 0 ? text.length : end);
}

/** A match of a pattern, and of the filter's prefregex. */
interface Found {
  readonly pattern: CompiledPattern;
  readonly match: Match;
  readonly prefix: Match | null;
}

interface Host {
  /** Empty for none. */
  readonly text: string;
  /** Null for a name. */
  readonly address: Address | null;
}

interface Said {
  /** The session's; empty for none. */
  readonly id: string;
  readonly host: Host;
}

const NO_HOST: Host = { text: "", address: null };

/** The text of a group of sessions, in the pattern or else in prefregex; empty for none. */
function sessionText(group: keyof SessionGroups, filter: CompiledFilter, found: Found): string {
  const own = found.pattern.session === null ? "" : firstGroup(found.pattern.session[group], found.match);
  const outer = filter.prefix?.session ?? null;
  return own !== "" || outer === null || found.prefix === null ? own : firstGroup(outer[group], found.prefix);
}

/** The writer and the source cut the line as it is in the log. */
function isCutLine(line: string, length: number, { cuts }: ScanContext, origin: Origin | null): boolean {
  if (origin?.isPiece === true) return true;
  if (cuts === undefined) return false;
  const bytes = origin?.line.length ?? length;
  return bytes >= cuts.least && cuts.isCut(origin?.line ?? line, bytes);
}

/** What must be certain of a match in a cut line. */
function settledOf(test: CompiledTest & Partial<CompiledPrefix>): Settled {
  const { hosts = NO_GROUPS, content = 0 } = test;
  return { hosts, content };
}

const NO_GROUPS: readonly number[] = [];

function firstGroup(groups: readonly number[], match: Match): string {
  for (let i = 0; i < groups.length; i++) {
    const text = match[groups[i]!];
    if (text !== undefined && text !== "") return text;
  }
  return "";
}

const NO_CAPTURES: Readonly<Record<string, string>> = Object.freeze({});

function capturesOf(captures: readonly Capture[], match: Match): Readonly<Record<string, string>> {
  if (captures.length === 0) return NO_CAPTURES;
  const values: Record<string, string> = {};
  for (let i = 0; i < captures.length; i++) {
    const capture = captures[i]!;
    const text = firstGroup(capture.groups, match);
    if (text !== "") values[capture.name] = text;
  }
  return values;
}
