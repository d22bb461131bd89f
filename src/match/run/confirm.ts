import type { Failure } from "../../core/failure.ts";
import type { Instant } from "../../core/time.ts";
import type { CompiledFilter } from "../filter/filter.ts";
import { BoundedRun } from "./bounded-run.ts";
import type { Match } from "./dfa/walk.ts";
import { hostAddress } from "./host-address.ts";
import type { MatcherStats, ScanContext } from "../scan.ts";
import type { Capture, CompiledPattern, CompiledTest } from "../filter/pattern.ts";
import { unwrapRepeated } from "../banned/repeated.ts";
import { readTimestamp } from "../time/read-timestamp.ts";

/**
 * Runs filters' patterns over one line at a time and makes the failure. Both engines end here, so that they differ in
 * which lines and patterns they try and in nothing else.
 */
export class Confirmer {
  readonly #stats: MatcherStats;
  readonly #run: BoundedRun;
  #context: ScanContext | null = null;
  #line = "";
  /** The line as the patterns see it: without the wrapper of repeated messages. */
  #subject = "";
  #count = 1;
  /** The line's time as read without a datepattern; undefined before it was looked for. */
  #at: Instant | null | undefined = undefined;

  constructor(stats: MatcherStats) {
    this.#stats = stats;
    this.#run = new BoundedRun(stats);
  }

  /** The line as the patterns see it. */
  get subject(): string {
    return this.#subject;
  }

  /** Whether the line came in the wrapper of repeated messages. */
  get isRepeated(): boolean {
    return this.#subject !== this.#line;
  }

  /** `mayRepeat` is false when it is known that the line does not hold the wrapper's words. */
  begin(line: string, context: ScanContext, mayRepeat = true): void {
    const repeated = mayRepeat ? unwrapRepeated(line) : null;
    this.#line = line;
    this.#subject = repeated === null ? line : repeated.text;
    this.#count = repeated === null ? 1 : repeated.count;
    this.#context = context;
    this.#at = undefined;
    this.#stats.candidates++;
    this.#run.begin();
  }

  /**
   * What the filter sees in the line. With `marks`, only patterns whose mark is `generation` are tried; the mark of the
   * filter's first pattern is at `base`.
   */
  sight(
    filter: CompiledFilter,
    place: number,
    marks: Int32Array | null,
    base: number,
    generation: number,
  ): Failure | null {
    let content = this.#subject;
    let prefix: Match | null = null;
    if (filter.prefix !== null) {
      prefix = this.#exec(filter.prefix, content);
      if (prefix === null) return null;
      content = prefix[filter.prefix.content] ?? "";
    }
    const patterns = filter.patterns;
    for (let i = 0; i < patterns.length; i++) {
      if (marks !== null && marks[base + i] !== generation) continue;
      const pattern = patterns[i]!;
      const match = this.#exec(pattern, content);
      if (match === null) continue;
      const failure = this.#failure(filter, place, pattern, match, prefix);
      if (failure === null) continue;
      if (this.isIgnored(filter)) {
        this.#stats.ignored++;
        return null;
      }
      return this.#counted(failure);
    }
    return null;
  }

  /** Whether an ignoreregex takes the line out. */
  isIgnored(filter: CompiledFilter): boolean {
    for (const test of filter.ignore) if (this.#exec(test, this.#subject) !== null) return true;
    return false;
  }

  #exec(test: CompiledTest, text: string): Match | null {
    this.#stats.tries++;
    const match = this.#run.exec(test, text, this.#context!.now);
    if (match === undefined) this.#stats.givenUp++;
    return match ?? null;
  }

  #failure(
    filter: CompiledFilter,
    place: number,
    pattern: CompiledPattern,
    match: Match,
    prefix: Match | null,
  ): Failure | null {
    let host = firstGroup(pattern.hosts, match);
    let needsAddress = pattern.needsAddress;
    if (host === "" && prefix !== null && filter.prefix !== null) {
      host = firstGroup(filter.prefix.hosts, prefix);
      needsAddress = filter.prefix.needsAddress;
    }
    if (host === "") return null;
    const address = hostAddress(host);
    if (address === null && needsAddress) return null;
    return {
      kind: pattern.kind,
      filter: place,
      pattern: pattern.index,
      host,
      address,
      at: this.#timeFor(filter),
      count: this.#count,
      line: this.#line,
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
    if (filter.date !== null) return filter.date.read(this.#line, now, zone);
    if (this.#at === undefined) this.#at = readTimestamp(this.#line, now, zone);
    return this.#at;
  }

  #counted(failure: Failure): Failure {
    if (failure.kind === "failure") this.#stats.failures++;
    else this.#stats.good++;
    if (failure.at === null) this.#stats.undated++;
    if (failure.address === null) this.#stats.names++;
    return failure;
  }
}

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
