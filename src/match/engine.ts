import { setImmediate as nextTurn } from "node:timers/promises";
import type { LineBatch } from "../core/batch.ts";
import type { Failure } from "../core/failure.ts";
import { ByteSet } from "./filter/byte-set.ts";
import { Confirmer } from "./run/confirm.ts";
import type { CompiledFilter } from "./filter/filter.ts";
import { typicalFrequency } from "./prefilter/gram-frequency.ts";
import { buildGramTable, type GramTable } from "./prefilter/gram-table.ts";
import { lineText } from "./line-text.ts";
import { type LiteralPlan, planInSteps, planLiterals } from "./prefilter/literal-plan.ts";
import type { Requirement } from "./prefilter/literals.ts";
import { type LiteralSink, Prefilter } from "./prefilter/prefilter.ts";
import { REPEATED_LITERAL } from "./banned/repeated.ts";
import { NeighbourSearch } from "./banned/settled.ts";
import { type Matcher, newMatcherStats, type ScanContext } from "./scan.ts";
import { type Study, TrafficStudy } from "./prefilter/traffic-study.ts";
import { PlainWords } from "./prefilter/wasm/flagged-words.ts";

/**
 * The fast engine. It does not look at lines but, four bytes at a time, at all of a batch for pieces of text that the
 * patterns cannot do without; only where one stands the line's ends are looked for, and only those patterns are
 * tried on it whose text it was.
 *
 *      batch ─► Prefilter ─► found(literal, at) ─► marks of this line ─┬─► end of the line: Confirmer ─► failures
 *                                                                      └─ the next literal in the same line
 */
export class FastMatcher implements Matcher, LiteralSink {
  readonly stats = newMatcherStats();
  readonly #plan: Plan;
  readonly #confirmer = new Confirmer(this.stats);
  readonly #study: Study;
  #table: GramTable;
  #prefilter: Prefilter;
  /** The next choice of literals while it is being made: a little with each batch, since all of it would hold up the others. */
  #choosing: Generator<undefined, LiteralPlan> | null = null;
  /** For what stands in the wrapper of repeated messages, while the other one is at work; null before the first. */
  #inner: Prefilter | null = null;

  /** The mark of each pattern: the number of the line in which its text stands. */
  readonly #marks: Int32Array;
  readonly #filterMarks: Int32Array;
  readonly #candidates: Int32Array;
  #candidateCount = 0;
  #repeated = false;
  /** Lines in a row that were not settled: after some, only every 16th is asked, since asking costs as much as a line end. */
  #unsettled = 0;
  #generation = 1;

  /** The line that literals were last found in; none while `#lineEnd` is not beyond `#done`. */
  #lineStart = 0;
  #lineEnd = 0;
  /** All before it is dealt with. */
  #done = 0;
  #bytes: Buffer = NO_BYTES;
  #end = 0;
  #context: ScanContext | null = null;
  #onFailure: (failure: Failure) => void = () => undefined;

  /** The same in steps, others' turns between them: to choose literals for a filter can take some tens of milliseconds. */
  static async makeInSteps(filters: readonly CompiledFilter[]): Promise<FastMatcher> {
    const plan = planOf(filters);
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
    plan: Plan = planOf(filters),
    literals: LiteralPlan = planLiterals(plan.requirements, typicalFrequency()),
    study: Study = new TrafficStudy(),
  ) {
    this.#plan = plan;
    this.#study = study;
    this.#marks = new Int32Array(this.#plan.requirements.length);
    this.#filterMarks = new Int32Array(filters.length);
    this.#candidates = new Int32Array(filters.length);
    this.#table = buildGramTable(literals);
    // Compiled ones come with the texts that are chosen by the traffic: a daemon that reads little need not load a compiler.
    this.#prefilter = new Prefilter(this.#table, new PlainWords(this.#table));
  }

  scan({ bytes, start, end }: LineBatch, context: ScanContext, onFailure: (failure: Failure) => void): void {
    this.stats.batches++;
    this.stats.bytes += end - start;
    const frequency = this.#study.watch(bytes, start, end, this.stats);
    if (frequency !== null) this.#choosing = planInSteps(this.#plan.requirements, frequency);
    if (this.#choosing !== null) this.#chooseOn(this.#choosing, (end - start) / BYTES_A_STEP);
    this.#bytes = bytes;
    this.#end = end;
    this.#done = start;
    this.#lineEnd = start;
    this.#context = context;
    this.#onFailure = onFailure;
    for (const search of this.#plan.searches) search.begin();
    this.#prefilter.scan(bytes, start, end, this);
    this.#finishLine();
    if (this.#plan.everyLine.length > 0) this.#plainLines(end);
    this.#bytes = NO_BYTES;
    this.#onFailure = () => undefined;
  }

  /** Literals come line by line, so one behind the line's end finishes that line. */
  found(literal: number, at: number): void {
    if (at >= this.#lineEnd) {
      this.#finishLine();
      this.#beginLine(at);
    }
    this.#mark(literal);
  }

  #mark(literal: number): void {
    const { owners, ownerStart } = this.#table;
    const { filterOf } = this.#plan;
    const generation = this.#generation;
    for (let i = ownerStart[literal]!; i < ownerStart[literal + 1]!; i++) {
      const pattern = owners[i]!;
      const filter = filterOf[pattern]!;
      if (filter < 0) this.#repeated = true;
      else {
        this.#marks[pattern] = generation;
        if (this.#filterMarks[filter] === generation) continue;
        this.#filterMarks[filter] = generation;
        this.#candidates[this.#candidateCount++] = filter;
      }
    }
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

  /** Tries the marked patterns on the line at hand, if there is one. */
  #finishLine(): void {
    if (this.#lineEnd <= this.#done) return;
    this.#done = this.#lineEnd;
    if (this.#isSettled()) return;
    const line = lineText(this.#bytes, this.#lineStart, this.#lineEnd);
    this.#confirmer.begin(line, this.#context!, this.#repeated);
    if (this.#repeated) this.#markUnwrapped();
    this.#tryMarked();
  }

  /**
   * Whether the line at hand can only be about addresses of which nothing more is wanted, such as banned ones. Only a single
   * filter's lines are looked at so: with several, each would have to agree, and none may be told twice.
   */
  #isSettled(): boolean {
    const settling = this.#context!.settling;
    if (settling === undefined || this.#repeated || this.#candidateCount !== 1) return false;
    if (this.#unsettled > FEW && (++this.#unsettled & 15) !== 0) return false;
    const filter = this.#candidates[0]!;
    const neighbour = this.#neighbourOfMarked(filter);
    if (neighbour === null) return false;
    const host = neighbour.settledHost(this.#bytes, this.#lineStart, this.#lineEnd, settling, filter);
    if (host === null) {
      this.#unsettled++;
      return false;
    }
    this.#unsettled = 0;
    settling.passOver(filter, host);
    this.stats.settled++;
    this.#candidateCount = 0;
    this.#nextGeneration();
    return true;
  }

  /** The neighbour that all marked patterns of the filter share; null when they do not. */
  #neighbourOfMarked(filter: number): NeighbourSearch | null {
    const { bases, neighbours, everyLine } = this.#plan;
    if (everyLine.length > 0) return null;
    let shared: NeighbourSearch | null = null;
    for (let pattern = bases[filter]!; pattern < bases[filter + 1]!; pattern++) {
      if (this.#marks[pattern] !== this.#generation) continue;
      const neighbour = neighbours[pattern] ?? null;
      if (neighbour === null || (shared !== null && shared !== neighbour)) return null;
      shared = neighbour;
    }
    return shared;
  }

  /** The wrapper of a repeated message may stand in the middle of a literal: looks again without it. */
  #markUnwrapped(): void {
    this.#repeated = false;
    if (!this.#confirmer.isRepeated) return;
    const subject = Buffer.from(this.#confirmer.subject, "latin1");
    this.#inner ??= new Prefilter(this.#table, new PlainWords(this.#table));
    this.#inner.scan(subject, 0, subject.length, { found: (literal) => this.#mark(literal) });
    this.#repeated = false;
  }

  #tryMarked(): void {
    const { filters, bases, everyLine } = this.#plan;
    for (let i = 0; i < everyLine.length; i++) this.#markPattern(everyLine[i]!);
    const candidates = this.#candidates;
    sortFirst(candidates, this.#candidateCount);
    for (let i = 0; i < this.#candidateCount; i++) {
      const place = candidates[i]!;
      const failure = this.#confirmer.sight(
        filters[place]!,
        place,
        this.#marks,
        bases[place]!,
        this.#generation,
      );
      if (failure !== null) this.#onFailure(failure);
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

  /** Lines without any literal, up to `until`, for the patterns that have none. */
  #plainLines(until: number): void {
    while (this.#done < until) {
      const from = this.#done;
      this.#done = Math.min(this.#lineEndAfter(from), until);
      const line = lineText(this.#bytes, from, this.#done);
      if (line === "") continue;
      this.#confirmer.begin(line, this.#context!, false);
      this.#tryMarked();
    }
  }

  /** Looks for other literals from this batch on, or from a later one. */
  #chooseOn(choosing: Generator<undefined, LiteralPlan>, steps: number): void {
    for (let i = 0; i < steps; i++) {
      const { done, value } = choosing.next();
      if (done !== true) continue;
      this.#table = buildGramTable(value);
      this.#prefilter = new Prefilter(this.#table);
      this.#inner = null;
      this.#choosing = null;
      this.stats.learned++;
      return;
    }
  }
}

const LF = 10;
const FEW = 8;
/** Of traffic, for each pattern whose literals are chosen anew. */
const BYTES_A_STEP = 32_768;
const NO_BYTES = Buffer.alloc(0);

/** What does not change with the traffic. Patterns of all filters are numbered through; the last number is the wrapper's. */
interface Plan {
  readonly filters: readonly CompiledFilter[];
  /** The number of each filter's first pattern, and behind the last one how many there are. */
  readonly bases: Int32Array;
  /** The filter of each pattern; -1 for the wrapper of repeated messages. */
  readonly filterOf: Int32Array;
  readonly requirements: readonly (readonly Requirement[])[];
  /** By pattern, what stands before its host; null for good patterns, which are always looked at. Equal ones are one object. */
  readonly neighbours: readonly (NeighbourSearch | null)[];
  /** Each of them once. */
  readonly searches: readonly NeighbourSearch[];
  /** Patterns without a usable literal. */
  readonly everyLine: Int32Array;
}

function planOf(filters: readonly CompiledFilter[]): Plan {
  const bases: number[] = [];
  const filterOf: number[] = [];
  const neighbours: (NeighbourSearch | null)[] = [];
  const known = new Map<string, NeighbourSearch>();
  const requirements: (readonly Requirement[])[] = [];
  filters.forEach((filter, place) => {
    bases.push(filterOf.length);
    for (const pattern of filter.patterns) {
      filterOf.push(place);
      const wanted = filter.prefix === null && pattern.kind === "failure";
      neighbours.push(wanted ? sharedText(pattern.neighbour, known) : null);
      // What the pattern's content holds the line holds too, so prefregex only helps out.
      requirements.push(
        pattern.requirements.length > 0 ? pattern.requirements : (filter.prefix?.requirements ?? []),
      );
    }
  });
  bases.push(filterOf.length);
  const everyLine = requirements.flatMap((list, pattern) => (list.length > 0 ? [] : [pattern]));
  filterOf.push(-1);
  requirements.push([[Array.from(REPEATED_LITERAL, (char) => ByteSet.of(char.charCodeAt(0)))]]);
  return {
    filters,
    bases: Int32Array.from(bases),
    filterOf: Int32Array.from(filterOf),
    requirements,
    neighbours,
    searches: [...known.values()],
    everyLine: Int32Array.from(everyLine),
  };
}

function sharedText(text: string | null, known: Map<string, NeighbourSearch>): NeighbourSearch | null {
  if (text === null) return null;
  const made = known.get(text) ?? new NeighbourSearch(text);
  known.set(text, made);
  return made;
}

/** Sorts the first `count` numbers in place; they are few. */
function sortFirst(numbers: Int32Array, count: number): void {
  for (let i = 1; i < count; i++) {
    const number = numbers[i]!;
    let j = i - 1;
    for (; j >= 0 && numbers[j]! > number; j--) numbers[j + 1] = numbers[j]!;
    numbers[j + 1] = number;
  }
}
