import type { LineBatch } from "../core/batch.ts";
import type { Failure } from "../core/failure.ts";
import { Confirmer } from "./run/confirm.ts";
import type { CompiledFilter } from "./filter/filter.ts";
import { lineText } from "./line-text.ts";
import { type Matcher, newMatcherStats, type ScanContext } from "./scan.ts";

/**
 * The plain engine: every filter and every pattern on every line. Slow, obvious, and kept for ever as the oracle and
 * the baseline of the fast one.
 */
export class NaiveMatcher implements Matcher {
  readonly stats = newMatcherStats();
  readonly #filters: readonly CompiledFilter[];
  readonly #confirmer = new Confirmer(this.stats);

  constructor(filters: readonly CompiledFilter[]) {
    this.#filters = filters;
  }

  scan({ bytes, start, end }: LineBatch, context: ScanContext, onFailure: (failure: Failure) => void): void {
    this.stats.batches++;
    this.stats.bytes += end - start;
    for (let from = start; from < end;) {
      const newline = bytes.indexOf(LF, from);
      const next = newline < 0 || newline >= end ? end : newline + 1;
      this.#line(lineText(bytes, from, next), context, onFailure);
      from = next;
    }
  }

  #line(line: string, context: ScanContext, onFailure: (failure: Failure) => void): void {
    if (line === "") return;
    this.#confirmer.begin(line, context);
    for (let i = 0; i < this.#filters.length; i++) {
      const failure = this.#confirmer.sight(this.#filters[i]!, i, null, 0, 0);
      if (failure !== null) onFailure(failure);
    }
  }
}

const LF = 10;
