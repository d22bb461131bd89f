import { LF } from "../core/ascii.ts";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { LineBatch } from "../core/batch.ts";
import type { LineMatch } from "../core/line-match.ts";
import { Confirmer } from "./run/confirmer.ts";
import type { CompiledFilter } from "./filter/filter.ts";
import { typicalFrequency } from "./prefilter/gram-frequency.ts";
import { buildGramTable, type GramTable } from "./prefilter/gram-table.ts";
import { lineText } from "./line-text.ts";
import { type PlainBatch, PlainLines } from "./plain/plain-lines.ts";
import { type LiteralPlan, planInSteps, planLiterals } from "./prefilter/literal-plan.ts";
import { type LiteralSink, Prefilter } from "./prefilter/prefilter.ts";
import { Windows } from "./window/windows.ts";
import type { BannedSearch } from "./banned/banned-search.ts";
import { type Matcher, newMatcherStats, type ScanContext } from "./scan.ts";
import { type ScanPlan, scanPlan } from "./scan-plan.ts";
import { type Study, TrafficStudy } from "./prefilter/traffic-study.ts";
import { PlainWords } from "./prefilter/wasm/flagged-words.ts";

/**
 * The fast engine. It searches the whole batch, four bytes at a time, for literals: texts that the patterns cannot match without.
 * Only where it finds one does it look for the ends of the line, and it tries only the patterns that need this literal.
 *
 *      batch ─► Prefilter ─► found(literal, at) ─► marks of this line ─┬─► end of the line: Confirmer ─► failures
 *                                                                      └─ the next literal in the same line
 */
export class FastMatcher implements Matcher, LiteralSink {
  readonly stats = newMatcherStats();
  readonly #plan: ScanPlan;
  readonly #plain = new PlainLines();
  readonly #confirmer = new Confirmer(this.stats);
  readonly #study: Study;
  #table: GramTable;
  #prefilter: Prefilter;
  /** The next choice of literals while it is being made, a little with each batch. All at once would delay the lines. */
  #choosing: Generator<undefined, LiteralPlan> | null = null;
  /** Searches repeated messages without their wrapper while `#prefilter` is busy; null before the first. */
  #unwrapped: Prefilter | null = null;

  /** The generation of the line in which a literal of each pattern was last found. */
  readonly #marks: Int32Array;
  readonly #filterMarks: Int32Array;
  readonly #candidates: Int32Array;
  /** By filter with `maxlines`, what its windows need to know of this batch. */
  readonly #hits: number[][];
  readonly #windows: readonly Windows[];
  #candidateCount = 0;
  #repeated = false;
  /** Lines in a row that were not skipped. After FEW, checks one line in 16: the check costs as much as finding a line end. */
  #notSkipped = 0;
  /** A number for the current line, which outdates the marks of all lines before it. */
  #generation = 1;

  /** The line with the literals found last; there is none while `#lineEnd` is not beyond `#done`. */
  #lineStart = 0;
  #lineEnd = 0;
  /** Lines before this place are finished. */
  #done = 0;
  #bytes: Buffer = NO_BYTES;
  #end = 0;
  #context: ScanContext | null = null;
  #originOf: PlainBatch["originOf"] = () => null;
  #onMatch: (match: LineMatch) => void = () => undefined;

  /** Makes a matcher over several turns of the event loop: choosing literals takes up to tens of milliseconds per filter. */
  static async makeInSteps(filters: readonly CompiledFilter[]): Promise<FastMatcher> {
    const plan = scanPlan(filters);
    await nextTurn();
    const choosing = planInSteps(plan.requirements, typicalFrequency());
    let step = choosing.next();
    while (step.done !== true) {
      await nextTurn();
      step = choosing.next();
    }
    return new FastMatcher(filters, plan, step.value);
  }

  constructor(
    filters: readonly CompiledFilter[],
    plan: ScanPlan = scanPlan(filters),
    literals: LiteralPlan = planLiterals(plan.requirements, typicalFrequency()),
    study: Study = new TrafficStudy(),
  ) {
    this.#plan = plan;
    this.#study = study;
    this.#marks = new Int32Array(this.#plan.requirements.length);
    this.#filterMarks = new Int32Array(filters.length);
    this.#candidates = new Int32Array(filters.length);
    this.#hits = filters.map(() => []);
    this.#windows = filters.flatMap((filter, place) =>
      filter.maxlines > 1 ? new Windows(filter, place, this.#confirmer, this.stats) : [],
    );
    this.#table = buildGramTable(literals);
    // WebAssembly comes with the first learned literals: a daemon that reads little never loads a compiler.
    this.#prefilter = new Prefilter(this.#table, new PlainWords(this.#table));
  }

  scan(batch: LineBatch, context: ScanContext, onMatch: (match: LineMatch) => void): void {
    this.stats.batches++;
    this.stats.bytes += batch.end - batch.start;
    const { bytes, start, end, originOf } = this.#plain.of(batch);
    this.#originOf = originOf;
    const frequency = this.#study.watch(bytes, start, end, this.stats);
    if (frequency !== null) this.#choosing = planInSteps(this.#plan.requirements, frequency);
    if (this.#choosing !== null) this.#chooseOn(this.#choosing, (end - start) / BYTES_PER_STEP);
    this.#bytes = bytes;
    this.#end = end;
    this.#done = start;
    this.#lineEnd = start;
    this.#context = context;
    this.#confirmer.enter(batch.log);
    this.#onMatch = onMatch;
    for (const search of this.#plan.distinctSearches) search.begin();
    this.#prefilter.scan(bytes, start, end, this);
    this.#finishLine();
    if (this.#plan.everyLine.length > 0) this.#plainLines(end);
    for (const windows of this.#windows) {
      const { place } = windows;
      const hits = this.#plan.isWideEverywhere[place] === 1 ? null : this.#hits[place]!;
      windows.scan({ bytes, start, end, log: batch.log, originOf }, context, hits, onMatch);
      this.#hits[place] = [];
    }
    this.#bytes = NO_BYTES;
    this.#originOf = () => null;
    this.#onMatch = () => undefined;
  }

  /** Literals come in the order of the lines, so one behind the current line finishes it. */
  found(literal: number, at: number): void {
    if (at >= this.#lineEnd) {
      this.#finishLine();
      this.#beginLine(at);
    }
    this.#mark(literal);
  }

  #mark(literal: number): void {
    const { owners, ownerStart } = this.#table;
    const { filterOf, isWide } = this.#plan;
    const generation = this.#generation;
    for (let i = ownerStart[literal]!; i < ownerStart[literal + 1]!; i++) {
      const pattern = owners[i]!;
      const filter = filterOf[pattern]!;
      if (filter < 0) this.#repeated = true;
      else {
        if (isWide[filter] === 1) {
          this.#hitsOf(filter, pattern, generation);
          continue;
        }
        this.#marks[pattern] = generation;
        if (this.#filterMarks[filter] === generation) continue;
        this.#filterMarks[filter] = generation;
        this.#candidates[this.#candidateCount++] = filter;
      }
    }
  }

  /** Notes that the line has a literal of a pattern of a filter with `maxlines`. */
  #hitsOf(filter: number, pattern: number, generation: number): void {
    if (this.#marks[pattern] === generation) return;
    this.#marks[pattern] = generation;
    this.#hits[filter]!.push(this.#lineStart, pattern - this.#plan.bases[filter]!);
  }

  #beginLine(at: number): void {
    const before = at === this.#done ? -1 : this.#bytes.lastIndexOf(LF, at - 1);
    const from = before < this.#done ? this.#done : before + 1;
    if (this.#plan.everyLine.length > 0) this.#plainLines(from);
    this.#lineStart = from;
    this.#lineEnd = this.#lineEndAfter(at);
  }

  #lineEndAfter(at: number): number {
    const newline = this.#bytes.indexOf(LF, at);
    return newline < 0 || newline >= this.#end ? this.#end : newline + 1;
  }

  /** Skips the current line or tries its marked patterns. Does nothing when there is none. */
  #finishLine(): void {
    if (this.#lineEnd <= this.#done) return;
    this.#done = this.#lineEnd;
    if (this.#candidateCount === 0 && !this.#repeated && this.#plan.everyLine.length === 0) {
      this.#nextGeneration();
      return;
    }
    if (this.#skipBanned()) return;
    const line = lineText(this.#bytes, this.#lineStart, this.#lineEnd);
    const origin = this.#originOf(this.#lineStart);
    const length = this.#lineEnd - this.#lineStart - 1;
    this.#confirmer.begin(line, length, this.#context!, { mayRepeat: this.#repeated, origin });
    if (this.#repeated) this.#markUnwrapped();
    this.#tryMarked();
  }

  /**
   * Skips the current line when its match could only be a failure of banned hosts. Only for lines with candidates of a single
   * filter: several filters would each have to agree, and a skipped line must be reported once.
   */
  #skipBanned(): boolean {
    const { banned, cuts } = this.#context!;
    if (banned === undefined || this.#repeated || this.#candidateCount !== 1) return false;
    // An address at the cut may be the beginning of another one.
    const origin = this.#originOf(this.#lineStart);
    const length = origin?.line.length ?? this.#lineEnd - this.#lineStart - 1;
    if (origin?.isPiece === true || (cuts !== undefined && length >= cuts.least)) return false;
    if (this.#notSkipped > FEW && (++this.#notSkipped & 15) !== 0) return false;
    const filter = this.#candidates[0]!;
    const search = this.#sharedSearch(filter);
    if (search === null) return false;
    const host = search.bannedHost(this.#bytes, this.#lineStart, this.#lineEnd, banned, filter);
    if (host === null) {
      this.#notSkipped++;
      return false;
    }
    this.#notSkipped = 0;
    banned.skipped(filter, host);
    this.stats.banned++;
    this.#candidateCount = 0;
    this.#nextGeneration();
    return true;
  }

  /** The host search that all marked patterns of the filter share; null when they have different ones or none. */
  #sharedSearch(filter: number): BannedSearch | null {
    const { bases, searches, everyLine } = this.#plan;
    if (everyLine.length > 0) return null;
    let shared: BannedSearch | null = null;
    for (let pattern = bases[filter]!; pattern < bases[filter + 1]!; pattern++) {
      if (this.#marks[pattern] !== this.#generation) continue;
      const search = searches[pattern] ?? null;
      if (search === null || (shared !== null && shared !== search)) return null;
      shared = search;
    }
    return shared;
  }

  /** Searches the line again without the wrapper of a repeated message, which may interrupt a literal. */
  #markUnwrapped(): void {
    this.#repeated = false;
    if (!this.#confirmer.isRepeated) return;
    const subject = Buffer.from(this.#confirmer.subject, "latin1");
    this.#unwrapped ??= new Prefilter(this.#table, new PlainWords(this.#table));
    this.#unwrapped.scan(subject, 0, subject.length, { found: (literal) => this.#mark(literal) });
    this.#repeated = false;
  }

  #tryMarked(): void {
    const { filters, bases, everyLine } = this.#plan;
    for (let i = 0; i < everyLine.length; i++) this.#markPattern(everyLine[i]!);
    const candidates = this.#candidates;
    sortFirst(candidates, this.#candidateCount);
    for (let i = 0; i < this.#candidateCount; i++) {
      const place = candidates[i]!;
      const base = bases[place]!;
      const match = this.#confirmer.match(filters[place]!, place, this.#marks, base, this.#generation);
      if (match !== null) this.#onMatch(match);
    }
    this.#candidateCount = 0;
    this.#nextGeneration();
  }

  #markPattern(pattern: number): void {
    this.#marks[pattern] = this.#generation;
    const filter = this.#plan.filterOf[pattern]!;
    if (this.#filterMarks[filter] === this.#generation) return;
    this.#filterMarks[filter] = this.#generation;
    this.#candidates[this.#candidateCount++] = filter;
  }

  #nextGeneration(): void {
    if (++this.#generation < 0x7fffffff) return;
    this.#marks.fill(0);
    this.#filterMarks.fill(0);
    this.#generation = 1;
  }

  /** Tries the patterns without a literal on the lines without one, up to `until`. */
  #plainLines(until: number): void {
    while (this.#done < until) {
      const from = this.#done;
      this.#done = Math.min(this.#lineEndAfter(from), until);
      const line = lineText(this.#bytes, from, this.#done);
      if (line === "") continue;
      const origin = this.#originOf(from);
      this.#confirmer.begin(line, this.#done - from - 1, this.#context!, { mayRepeat: false, origin });
      this.#tryMarked();
    }
  }

  /** Continues the choice of literals; the prefilter searches for them once it is complete. */
  #chooseOn(choosing: Generator<undefined, LiteralPlan>, steps: number): void {
    for (let i = 0; i < steps; i++) {
      const { done, value } = choosing.next();
      if (done !== true) continue;
      this.#table = buildGramTable(value);
      this.#prefilter = new Prefilter(this.#table);
      this.#unwrapped = null;
      this.#choosing = null;
      this.stats.learned++;
      return;
    }
  }
}

/** Lines. */
const FEW = 8;
/** Traffic that pays for choosing the literals of one pattern. */
const BYTES_PER_STEP = 32_768;
const NO_BYTES = Buffer.alloc(0);

/** Sorts the first `count` numbers in place, by insertion: they are few. */
function sortFirst(numbers: Int32Array, count: number): void {
  for (let i = 1; i < count; i++) {
    const number = numbers[i]!;
    let j = i - 1;
    for (; j >= 0 && numbers[j]! > number; j--) numbers[j + 1] = numbers[j]!;
    numbers[j + 1] = number;
  }
}
