import { LF } from "../core/ascii.ts";
import { LineStream } from "../source/line-splitter.ts";
import { newSourceStats } from "../source/source.ts";
import type { LineEnds } from "../config/line-ends.ts";
import { transcoderFor } from "../match/encoding/transcoder.ts";
import type { LineBatch } from "../core/batch.ts";
import type { LineMatch } from "../core/line-match.ts";
import { explainLine } from "../match/explain.ts";
import type { CompiledFilter } from "../match/filter/filter.ts";
import { lineText } from "../match/line-text.ts";
import type { ScanContext } from "../match/scan.ts";

/** How many lines of each kind are kept as examples. */
export interface TrialExamples {
  readonly missed: number;
  readonly matched: number;
}

/** Runs a filter over lines and counts the results. Memory is bounded by the number of examples, not by the log. */
export class FilterTrial {
  readonly #filter: CompiledFilter;
  readonly #examples: TrialExamples;
  readonly #context: ScanContext;
  readonly #source = newSourceStats();
  readonly #lines: LineStream;
  readonly counts: TrialCounts = {
    lines: 0,
    failureLines: 0,
    goodLines: 0,
    ignoredLines: 0,
    notedLines: 0,
    missedLines: 0,
    failures: 0,
    undated: 0,
    names: 0,
  };
  /** Lines by pattern. */
  readonly byPattern: Map<string, number> = new Map();
  readonly missed: string[] = [];
  readonly matched: LineMatch[] = [];

  constructor(filter: CompiledFilter, examples: TrialExamples, context: ScanContext, ends?: LineEnds) {
    this.#filter = filter;
    this.#examples = examples;
    this.#context = context;
    const transcoder = ends === undefined ? null : transcoderFor(ends.encoding, ends.cuts);
    const take = (batch: LineBatch): void => this.#take(transcoder?.of(batch) ?? batch);
    this.#lines = new LineStream(take, this.#source, ends?.maxLine);
  }

  /** Lines over the limit, of which only the beginning was read. */
  get cut(): number {
    return this.#source.cut;
  }

  async read(chunks: AsyncIterable<Buffer>): Promise<void> {
    for await (const chunk of chunks) this.#lines.push(chunk);
    this.#lines.flush();
  }

  #take({ bytes, start, end }: LineBatch): void {
    for (let from = start; from < end;) {
      const next = bytes.indexOf(LF, from) + 1;
      const line = lineText(bytes, from, next);
      if (line !== "") this.#try(line);
      from = next;
    }
  }

  #try(line: string): void {
    const { counts } = this;
    counts.lines++;
    const explanation = explainLine(this.#filter, line, this.#context);
    switch (explanation.kind) {
      case "missed":
        counts.missedLines++;
        if (this.missed.length < this.#examples.missed) this.missed.push(line);
        return;
      case "noted":
        counts.notedLines++;
        this.#countPattern(explanation.list, explanation.pattern);
        return;
      case "ignored":
        counts.ignoredLines++;
        return;
      case "good":
      case "failure":
        this.#matched(explanation.match);
    }
  }

  #matched(failure: LineMatch): void {
    const { counts } = this;
    if (failure.kind === "good") counts.goodLines++;
    else {
      counts.failureLines++;
      counts.failures += failure.count;
    }
    if (failure.at === null) counts.undated++;
    if (failure.address === null) counts.names++;
    this.#countPattern(failure.kind, failure.pattern);
    if (this.matched.length < this.#examples.matched) this.matched.push(failure);
  }

  #countPattern(kind: "failure" | "good", index: number): void {
    const key = patternKey(kind, index);
    this.byPattern.set(key, (this.byPattern.get(key) ?? 0) + 1);
  }
}

/** In lines, except `failures`: a line that was repeated five times counts five. */
export interface TrialCounts {
  lines: number;
  failureLines: number;
  goodLines: number;
  ignoredLines: number;
  /** Lines that told of a session and did not count. */
  notedLines: number;
  missedLines: number;
  failures: number;
  /** Matched lines without a readable time: they count as now. */
  undated: number;
  /** Matched lines with a name instead of an address: they count only in jails with `usedns`. */
  names: number;
}

export function patternKey(kind: "failure" | "good", index: number): string {
  return `${kind === "good" ? "goodregex" : "failregex"} ${index}`;
}
