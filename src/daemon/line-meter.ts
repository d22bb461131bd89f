import { LF } from "../core/ascii.ts";
import type { LineBatch } from "../core/batch.ts";
import type { Instant } from "../core/time.ts";
import { counter, declareMetrics } from "../core/metrics.ts";

/**
 * Lines and bytes of a source. Counts every line end in a small batch and estimates a large batch from its first part: finding every line end
 * costs as much as the matching.
 */
export class LineMeter {
  #lines = 0;
  #bytes = 0;
  #bytesPerLine = 100;
  #lastLines = 0;
  #lastBytes = 0;
  #lastAt: Instant = 0;
  #linesPerSecond = 0;
  #bytesPerSecond = 0;

  get lines(): number {
    return Math.round(this.#lines);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get linesPerSecond(): number {
    return this.#linesPerSecond;
  }

  get bytesPerSecond(): number {
    return this.#bytesPerSecond;
  }

  count(batch: LineBatch): void {
    const size = batch.end - batch.start;
    const sample = Math.min(size, SAMPLE);
    const limit = batch.start + sample;
    let ends = 0;
    let counted = batch.start;
    for (
      let i = batch.bytes.indexOf(LF, counted);
      i >= 0 && i < limit;
      i = batch.bytes.indexOf(LF, counted)
    ) {
      counted = i + 1;
      ends++;
    }
    if (ends > 0) this.#bytesPerLine = (counted - batch.start) / ends;
    this.#bytes += size;
    this.#lines += sample === size ? ends : size / this.#bytesPerLine;
  }

  /** Counts orders from a bus, which have no text. */
  add(lines: number): void {
    this.#lines += lines;
  }

  /** Sets the rates to those since the last call; called once a second. */
  tick(now: Instant): void {
    const seconds = (now - this.#lastAt) / 1000;
    if (this.#lastAt > 0 && seconds > 0) {
      this.#linesPerSecond = (this.#lines - this.#lastLines) / seconds;
      this.#bytesPerSecond = (this.#bytes - this.#lastBytes) / seconds;
    }
    this.#lastAt = now;
    this.#lastLines = this.#lines;
    this.#lastBytes = this.#bytes;
  }
}

/** Bytes looked at for line ends in one batch. */
const SAMPLE = 4096;

declareMetrics(
  { at: "sources.*", label: "source" },
  {
    lines: counter(
      "stoplog_lines_total",
      "Lines, packets or orders read; in large batches of lines an estimate.",
    ),
  },
);
