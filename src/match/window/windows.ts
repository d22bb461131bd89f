import { LF } from "../../core/ascii.ts";
import { LIMITS } from "../../core/limits.ts";
import type { LineMatch } from "../../core/line-match.ts";
import type { CompiledFilter } from "../filter/filter.ts";
import { lineText } from "../line-text.ts";
import type { Origin } from "../plain/plain-lines.ts";
import type { Confirmer } from "../run/confirmer.ts";
import type { MatcherStats, ScanContext } from "../scan.ts";
import { LineWindow } from "./line-window.ts";

/** Lines of one batch, as the programs wrote them. */
export interface WindowBatch {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly log: object | undefined;
  readonly originOf: (place: number) => Origin | null;
}

/** Where the literals of a filter's patterns are, in the order of the lines: pairs of a line's start and a pattern. */
export type Hits = readonly number[];

/**
 * Runs the patterns of a filter with `maxlines` on the newest lines of each log. With hits it looks only at lines near one, which finds
 * the same: a pattern does not match in lines without any of its literals.
 *
 *      …  line  line  line  HIT   line  line  line  …
 *               └ pushed ┘  └ tried after each ┘
 */
export class Windows {
  readonly #filter: CompiledFilter;
  /** The filter's own. */
  readonly place: number;
  readonly #confirmer: Confirmer;
  readonly #stats: MatcherStats;
  readonly #byLog = new WeakMap<object, OpenWindow>();
  readonly #onlyLog = {};
  readonly #marks: Int32Array;

  constructor(filter: CompiledFilter, place: number, confirmer: Confirmer, stats: MatcherStats) {
    this.#filter = filter;
    this.place = place;
    this.#confirmer = confirmer;
    this.#stats = stats;
    this.#marks = new Int32Array(filter.patterns.length);
  }

  /** Reads a batch; without `hits` every pattern is tried after every line. */
  scan(
    batch: WindowBatch,
    context: ScanContext,
    hits: Hits | null,
    onMatch: (match: LineMatch) => void,
  ): void {
    const open = this.#openFor(batch.log);
    const { bytes, end } = batch;
    let hit = 0;
    for (let from = batch.start; from < end;) {
      if (hits !== null && open.left === 0) {
        const next = hits[hit] ?? end;
        this.#skipTo(open.window, batch, from, next);
        from = next;
        if (next === end) return;
      }
      const newline = bytes.indexOf(LF, from);
      const next = newline < 0 || newline >= end ? end : newline + 1;
      open.left = Math.max(0, open.left - 1);
      this.#push(open.window, batch, { from, next }, context);
      for (; hits?.[hit] === from; hit += 2) {
        open.window.see(hits[hit + 1]!);
        open.left = this.#filter.maxlines - 1;
      }
      const match = this.#try(open.window, hits === null);
      if (match !== null) onMatch(match);
      from = next;
    }
  }

  #openFor(log: object | undefined): OpenWindow {
    const key = log ?? this.#onlyLog;
    const { maxlines, patterns } = this.#filter;
    const open = this.#byLog.get(key) ?? { window: new LineWindow(maxlines, patterns.length), left: 0 };
    this.#byLog.set(key, open);
    return open;
  }

  /** Pushes the last lines between two places. */
  #skipTo(window: LineWindow, batch: WindowBatch, from: number, to: number): void {
    let back = to;
    for (let i = 1; i < this.#filter.maxlines && back > from; i++)
      back = Math.max(from, batch.bytes.lastIndexOf(LF, back - 2) + 1);
    if (back > from) window.clear();
    for (let at = back; at < to;) {
      const next = batch.bytes.indexOf(LF, at) + 1;
      const end = next === 0 || next > to ? to : next;
      this.#push(window, batch, { from: at, next: end }, null);
      at = end;
    }
  }

  /** Pushes a line, and makes it the confirmer's when it has a context. */
  #push(window: LineWindow, batch: WindowBatch, { from, next }: Span, context: ScanContext | null): void {
    const length = next - from - 1;
    const isLong = length > LIMITS.windowLine.value;
    const text = isLong ? "" : lineText(batch.bytes, from, next);
    if (isLong) this.#stats.cutLines++;
    if (context === null) return window.push(text);
    this.#confirmer.begin(text, length, context, { mayRepeat: false, origin: batch.originOf(from) });
    window.push(this.#confirmer.isCut ? "" : text);
  }

  #try(window: LineWindow, all: boolean): LineMatch | null {
    const { patterns } = this.#filter;
    let isAny = all;
    for (let i = 0; i < patterns.length; i++) {
      this.#marks[i] = Number(all || window.hasSeen(i));
      if (this.#marks[i] === 1) isAny = true;
    }
    if (!isAny) return null;
    this.#confirmer.widen(window.text);
    const match = this.#confirmer.match(this.#filter, this.place, this.#marks, 0, 1);
    const { span } = this.#confirmer;
    if (span !== null) window.take(span.from, span.to, span.skipped);
    return match;
  }
}

interface OpenWindow {
  readonly window: LineWindow;
  /** Coming lines after each of which the patterns are tried. */
  left: number;
}

interface Span {
  readonly from: number;
  readonly next: number;
}
