import { until } from "./waiting.ts";
import type { LineBatch, LineSink } from "../../src/core/batch.ts";

/** A sink that copies every batch and checks that it consists of whole lines. */
export class CollectedLines {
  /** Latin1: one character a byte. Without the LF. */
  readonly lines: string[] = [];
  /** For each line: was its batch marked as backlog? */
  readonly backlog: boolean[] = [];
  batches = 0;
  bytes = 0;

  readonly sink: LineSink = (batch) => {
    if (!isWhole(batch)) throw new Error("a batch does not consist of whole lines");
    const lines = batch.bytes.toString("latin1", batch.start, batch.end - 1).split("\n");
    for (const line of lines) {
      this.lines.push(line);
      this.backlog.push(batch.backlog);
    }
    this.batches++;
    this.bytes += batch.end - batch.start;
  };

  /** Waits for `count` lines. */
  async until(count: number): Promise<string[]> {
    await until(
      "the lines are there",
      () => this.lines.length >= count,
      () => `${this.lines.length} of ${count} lines`,
    );
    return this.lines;
  }
}

function isWhole({ bytes, start, end }: LineBatch): boolean {
  return start >= 0 && end > start && end <= bytes.length && bytes[end - 1] === 10;
}
