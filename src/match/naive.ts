import { LF } from "../core/ascii.ts";
import type { LineBatch } from "../core/batch.ts";
import type { LineMatch } from "../core/line-match.ts";
import { Confirmer } from "./run/confirmer.ts";
import type { CompiledFilter } from "./filter/filter.ts";
import { lineText } from "./line-text.ts";
import { type Origin, PlainLines } from "./plain/plain-lines.ts";
import { Windows } from "./window/windows.ts";
import { type Matcher, newMatcherStats, type ScanContext } from "./scan.ts";

/** The plain engine: tries every pattern of every filter on every line. Slow and obvious: the oracle and baseline of the fast one. */
export class NaiveMatcher implements Matcher {
  readonly stats = newMatcherStats();
  readonly #filters: readonly CompiledFilter[];
  readonly #plain = new PlainLines();
  readonly #confirmer = new Confirmer(this.stats);
  readonly #windows: readonly Windows[];

  constructor(filters: readonly CompiledFilter[]) {
    this.#filters = filters;
    this.#windows = filters.flatMap((filter, place) =>
      filter.maxlines > 1 ? new Windows(filter, place, this.#confirmer, this.stats) : [],
    );
  }

  scan(batch: LineBatch, context: ScanContext, onMatch: (match: LineMatch) => void): void {
    this.stats.batches++;
    this.stats.bytes += batch.end - batch.start;
    const { bytes, start, end, originOf } = this.#plain.of(batch);
    this.#confirmer.enter(batch.log);
    for (let from = start; from < end;) {
      const newline = bytes.indexOf(LF, from);
      const next = newline < 0 || newline >= end ? end : newline + 1;
      this.#line({ bytes, from, next, origin: originOf(from) }, context, onMatch);
      from = next;
    }
    for (const windows of this.#windows)
      windows.scan({ bytes, start, end, log: batch.log, originOf }, context, null, onMatch);
  }

  #line(
    { bytes, from, next, origin }: Line,
    context: ScanContext,
    onMatch: (match: LineMatch) => void,
  ): void {
    const line = lineText(bytes, from, next);
    if (line === "") return;
    this.#confirmer.begin(line, next - from - 1, context, { origin });
    for (let i = 0; i < this.#filters.length; i++) {
      if (this.#filters[i]!.maxlines > 1) continue;
      const match = this.#confirmer.match(this.#filters[i]!, i);
      if (match !== null) onMatch(match);
    }
  }
}

interface Line {
  readonly bytes: Buffer;
  readonly from: number;
  /** One past its LF. */
  readonly next: number;
  readonly origin: Origin | null;
}
