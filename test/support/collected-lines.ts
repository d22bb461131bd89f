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

  /** Waits for `count` lines; rejects with the number of lines received. */
  async until(count: number, deadline = 60_000): Promise<string[]> {
    await waitUntil(
      () => this.lines.length >= count,
      () => `${this.lines.length} of ${count} lines`,
      deadline,
    );
    return this.lines;
  }
}

/** Polls until the condition holds; rejects after `deadline` ms. */
export async function waitUntil(
  condition: () => boolean,
  found: () => string = () => "no",
  deadline = 60_000,
): Promise<void> {
  const end = performance.now() + deadline;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Timed out: ${found()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function isWhole({ bytes, start, end }: LineBatch): boolean {
  return start >= 0 && end > start && end <= bytes.length && bytes[end - 1] === 10;
}
